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
from patients.models.people import DeviceToken, Episode, Invitation, LoginCode, Patient

__all__ = [
    "AggravatingActivity",
    "Assessment",
    "DeviceToken",
    "Episode",
    "FlexibilityTest",
    "FootPosture",
    "Invitation",
    "LoginCode",
    "MovementTest",
    "OutcomeScore",
    "Patient",
    "QAngle",
    "StrengthTest",
]
