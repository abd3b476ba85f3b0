"""How a program moves on: gates between its stages, and the two running tracks with the ladder."""

from programs.rules.progression.gates import (
    Criterion,
    CriterionCode,
    GateVerdict,
    StageFacts,
    StepDown,
    gate,
    open_since,
)
from programs.rules.progression.running import (
    LADDER,
    LadderFacts,
    LadderMove,
    LadderRun,
    LadderStep,
    Move,
    Opening,
    RunnerFacts,
    TrackVerdict,
    ladder_opening,
    next_ladder_move,
    running_track,
)

__all__ = [
    "LADDER",
    "Criterion",
    "CriterionCode",
    "GateVerdict",
    "LadderFacts",
    "LadderMove",
    "LadderRun",
    "LadderStep",
    "Move",
    "Opening",
    "RunnerFacts",
    "StageFacts",
    "StepDown",
    "TrackVerdict",
    "gate",
    "ladder_opening",
    "next_ladder_move",
    "open_since",
    "running_track",
]
