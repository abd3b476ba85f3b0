"""Matching a program to the person: what the pain may be, drivers found in an assessment, templates ranked by
them, and whether a program covers what was measured.
"""

from programs.rules.matching.coverage import (
    Covered,
    PlannedExercise,
    PlannedStage,
    StageCover,
    coverage,
    untargeted,
)
from programs.rules.matching.differential import (
    PROVOKING,
    Complaint,
    Criterion,
    Differential,
    Possibility,
    Standing,
    differential,
)
from programs.rules.matching.drivers import (
    AssessmentFacts,
    Driver,
    FlexibilityFact,
    Found,
    Measurement,
    SidedValue,
    StrengthFact,
    find_drivers,
)
from programs.rules.matching.ranking import Candidate, Match, TemplateFacts, match, reasons_to_refer, refusals

__all__ = [
    "PROVOKING",
    "AssessmentFacts",
    "Candidate",
    "Complaint",
    "Covered",
    "Criterion",
    "Differential",
    "Driver",
    "FlexibilityFact",
    "Found",
    "Match",
    "Measurement",
    "PlannedExercise",
    "PlannedStage",
    "Possibility",
    "SidedValue",
    "StageCover",
    "Standing",
    "StrengthFact",
    "TemplateFacts",
    "coverage",
    "differential",
    "find_drivers",
    "match",
    "reasons_to_refer",
    "refusals",
    "untargeted",
]
