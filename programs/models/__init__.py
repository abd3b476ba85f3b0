"""What patients do and how it goes."""

from programs.models.alerts import Alert, AlertEvent, ContactLog, Digest, Review
from programs.models.diary import (
    Answer,
    CheckInRequest,
    DayPain,
    Run,
    Session,
    SessionExercise,
    worst_by_date,
)
from programs.models.letters import Letter
from programs.models.library import Dose, Exercise, Stage, Template
from programs.models.plan import Hold, Pause, Program, ProgramDose, ProgramStage, StageMove

__all__ = [
    "Alert",
    "AlertEvent",
    "Answer",
    "CheckInRequest",
    "ContactLog",
    "DayPain",
    "Digest",
    "Dose",
    "Exercise",
    "Hold",
    "Letter",
    "Pause",
    "Program",
    "ProgramDose",
    "ProgramStage",
    "Review",
    "Run",
    "Session",
    "SessionExercise",
    "Stage",
    "StageMove",
    "Template",
    "worst_by_date",
]
