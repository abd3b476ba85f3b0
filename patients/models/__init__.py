"""Who is treated and what was found."""

from patients.models.assessments import (
    AggravatingActivity,
    Assessment,
    FlexibilityTest,
    FootPosture,
    MovementTest,
    OutcomeScore,
    QAngle,
    StrengthTest,
)
from patients.models.people import (
    EARLIEST_BIRTH,
    DeviceToken,
    Episode,
    Invitation,
    LoginCode,
    Patient,
)
from patients.models.privacy import Consent, Erasure, PrivacyEvent, RestrictedRecord
from patients.models.writing import Addendum, AssessmentDraft

__all__ = [
    "EARLIEST_BIRTH",
    "Addendum",
    "AggravatingActivity",
    "Assessment",
    "AssessmentDraft",
    "Consent",
    "DeviceToken",
    "Episode",
    "Erasure",
    "FlexibilityTest",
    "FootPosture",
    "Invitation",
    "LoginCode",
    "MovementTest",
    "OutcomeScore",
    "Patient",
    "PrivacyEvent",
    "QAngle",
    "RestrictedRecord",
    "StrengthTest",
]
