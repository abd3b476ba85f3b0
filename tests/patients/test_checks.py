"""Values before they are stored: the impossible is refused with its range, the unusual questioned."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.scoring import RANGES, check_values
from patients.scoring.checks import COLUMNS


def strength(value: Any, **changes: Any) -> dict[str, Any]:
    return {
        "muscle_group": "quadriceps",
        "side": "left",
        "method": "handheld_dynamometer",
        "value": value,
        "unit": "N",
        "lever_arm_m": "0.35",
        **changes,
    }


@pytest.mark.parametrize(
    ("data", "path", "said"),
    [
        ({"worst_pain": "11"}, "worst_pain", "Pain must be between 0 and 10 NPRS, got 11."),
        ({"body_mass_kg": 700}, "body_mass_kg", "Body mass must be between 20 and 300 kg, got 700."),
        ({"cadence_spm": 17}, "cadence_spm", "Cadence must be between 100 and 260 steps a minute, got 17."),
        (
            {"strength_tests": [strength("3000")]},
            "strength_tests.0.value",
            "Strength must be between 0 and 2000 N, got 3000.",
        ),
        (
            {"strength_tests": [strength(6, unit="grade", method="manual_grade")]},
            "strength_tests.0.value",
            "Manual grade must be between 0 and 5 grade, got 6.",
        ),
        (
            {"strength_tests": [strength(100, lever_arm_m="35")]},
            "strength_tests.0.lever_arm_m",
            "Lever arm must be between 0.05 and 1 m, got 35.",
        ),
        (
            {"q_angles": [{"degrees": "15"}, {"degrees": "99"}]},
            "q_angles.1.degrees",
            "Q-angle must be between -10 and 45 degrees, got 99.",
        ),
        (
            {"outcome_scores": [{"measure": "lefs", "value": 81}]},
            "outcome_scores.0.value",
            "LEFS must be between 0 and 80 points, got 81.",
        ),
        ({"sleep_hours": "plenty"}, "sleep_hours", "expected a decimal number, got 'plenty'"),
    ],
)
def test_the_impossible_is_refused_with_the_plausible_range(
    data: dict[str, Any], path: str, said: str
) -> None:
    checked = check_values(data)
    assert checked.errors == {path: said}
    assert checked.questions == []


def test_a_torque_no_knee_has_is_refused_although_each_value_is_possible() -> None:
    checked = check_values({"body_mass_kg": 60, "strength_tests": [strength(1500, lever_arm_m="0.9")]})
    assert list(checked.errors) == ["strength_tests.0.value"]
    assert "Torque must be between 0 and 8 Nm/kg, got 22.5." in checked.errors["strength_tests.0.value"]


@pytest.mark.parametrize(("sex", "published"), [("male", "2.92-3.45"), ("female", "2.08-2.74")])
def test_a_quadriceps_above_what_is_published_is_questioned(sex: str, published: str) -> None:
    data = {"body_mass_kg": Decimal(60), "strength_tests": [strength("850", lever_arm_m="0.44")]}
    checked = check_values(data, sex=sex)
    said = f"Quadriceps left: Nm/kg of 6.2 is above what is published ({published}, Sarabon 2021): keep it?"
    assert [(q.path, q.text) for q in checked.questions] == [("strength_tests.0.value", said)]
    assert checked.errors == {}


def test_a_weak_quadriceps_is_a_finding_and_no_question() -> None:
    data = {"body_mass_kg": 60, "strength_tests": [strength("250", lever_arm_m="0.35")]}
    assert check_values(data, sex="female").questions == []


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"cadence_spm": 120}, "Cadence 120 is unusual (usually 145 to 200 steps a minute). Is it right?"),
        (
            {"worst_pain": 4, "usual_pain": 6},
            "Usual pain 6 is above 4, the worst pain of the same 3 days: keep it?",
        ),
        (
            {"worst_pain": 6, "worst_pain_week": 5},
            "Worst pain of 3 days 6 is above 5, the worst pain of the 7 days around them: keep it?",
        ),
    ],
)
def test_the_unusual_is_questioned(data: dict[str, Any], text: str) -> None:
    checked = check_values(data)
    assert [question.text for question in checked.questions] == [text]
    assert checked.errors == {}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            {"strength_tests": [strength(4, muscle_group="hip_extensors"), strength(40, side="right")]},
            "Hip extensors left: Strength 4 is unusual (usually 20 to 900 N). Is it right?",
        ),
        (
            {"q_angles": [{"degrees": "30", "side": "right"}]},
            "right: Q-angle 30 is unusual (usually 5 to 25 degrees). Is it right?",
        ),
    ],
)
def test_a_question_names_what_it_is_of_and_the_side(data: dict[str, Any], text: str) -> None:
    assert [question.text for question in check_values(data).questions] == [text]


def test_a_confirmation_is_for_the_value_that_was_confirmed() -> None:
    [question] = check_values({"cadence_spm": 120}).questions
    assert check_values({"cadence_spm": "120.0"}).open_questions([question.key]) == []
    assert len(check_values({"cadence_spm": 121}).open_questions([question.key])) == 1


@given(column=st.sampled_from(sorted(COLUMNS)), value=st.decimals(-1000, 20000, places=1))
def test_every_column_is_refused_exactly_beyond_its_range(column: str, value: Decimal) -> None:
    limits = RANGES[COLUMNS[column]]
    checked = check_values({column: value})
    assert (column in checked.errors) == (not limits.low <= value <= limits.high)
    usual = limits.usual_low <= value <= limits.usual_high
    assert bool(checked.questions) == (column not in checked.errors and not usual)
