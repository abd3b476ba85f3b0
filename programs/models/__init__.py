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
from programs.models.library import Clip, Dose, Exercise, Stage, Template, TemplateVersion
from programs.models.plan import Hold, Pause, Program, ProgramDose, ProgramStage, StageMove

__all__ = [
    "Alert",
    "AlertEvent",
    "Answer",
    "CheckInRequest",
    "Clip",
    "ContactLog",
    "DayPain",
    "Digest",
    "Dose",
    "Exercise",
    "Hold",
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
    "TemplateVersion",
    "worst_by_date",
]
