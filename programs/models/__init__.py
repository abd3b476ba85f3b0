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
from programs.models.library import Clip, Dose, Exercise, Stage, Template, TemplateVersion
from programs.models.plan import (
    Hold,
    LoadDecision,
    Pause,
    Program,
    ProgramDose,
    ProgramStage,
    StageMove,
)
from programs.models.watch import RelapseWatch

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
    "Letter",
    "LoadDecision",
    "Pause",
    "Program",
    "ProgramDose",
    "ProgramStage",
    "RelapseWatch",
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
