"""An assessment as plain data, and the services that take it."""

from __future__ import annotations

from typing import Any

from patients.models import Assessment, Episode, StrengthTest
from patients.scoring import AKPS_ITEMS
from programs.services.assessment_data import as_data
from programs.services.assessments import (
    change_assessment,
    record_assessment,
    sign_assessment,
)
from tests.factories import NOW, TODAY

BEST = {code: item.points[0] for code, item in AKPS_ITEMS.items()}


def strength(side: str, value: str, **changes: Any) -> dict[str, Any]:
    return {
        "muscle_group": "hip_abductors",
        "side": side,
        "method": "handheld_dynamometer",
        "value": value,
        "unit": "N",
        "lever_arm_m": "0.38",
        "position": "side-lying",
        **changes,
    }


FULL: dict[str, Any] = {
    "kind": "intake",
    "assessed_on": TODAY,
    "worst_pain": "6.5",
    "locations": ["retropatellar"],
    "body_mass_kg": "64",
    "notes": "Likes hills.",
    "strength_tests": [strength("left", "118"), strength("right", "162")],
    "q_angles": [
        {"side": "left", "degrees": "17", "position": "supine", "quadriceps": "relaxed", "notes": "n"}
    ],
    "aggravating_activities": [
        {"activity": "Stairs down", "pain": "6", "ability": "4"},
        {"activity": "Kneeling", "ability": "7"},
    ],
    "flexibility_tests": [{"structure": "itb", "side": "left", "tight": True}],
    "foot_postures": [{"side": "left", "fpi6": 7}],
    "movement_tests": [{"test": "lateral_step_down", "side": "left", "arm": 1, "trunk": 1}],
    "outcome_scores": [{"measure": "akps", "items": BEST}, {"measure": "lefs", "value": "61"}],
}


def record(case: Episode, **changes: Any) -> Assessment:
    data = {**FULL, **changes}
    return record_assessment(episode=case, data=data, by=case.clinician, now=NOW).assessment


def change(assessment: Assessment, data: dict[str, Any], **more: Any) -> Assessment:
    values = {"version": assessment.version, "by": assessment.assessed_by, "now": NOW, **more}
    return change_assessment(assessment=assessment, data=data, **values).assessment


def stored(assessment: Assessment) -> dict[str, Any]:
    return as_data(Assessment.objects.get(pk=assessment.pk))


def sign(assessment: Assessment) -> Assessment:
    return sign_assessment(
        assessment=assessment, version=assessment.version, by=assessment.assessed_by, now=NOW
    )


def new_row(assessment: Assessment) -> None:
    StrengthTest.objects.create(
        clinic=assessment.clinic, assessment=assessment, **strength("left", "90", muscle_group="calf")
    )
