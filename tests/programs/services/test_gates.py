"""What the gate rule is given from the rows of a program."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from patients.models import Assessment, StrengthTest
from programs.services.gates import load, stage_facts
from tests.factories import TODAY, make_assessment, make_case, make_program
from tests.programs.services.recorded import answer, day

pytestmark = pytest.mark.django_db


def strength(retest: Assessment, side: str, value: int, **fields: Any) -> None:
    StrengthTest.objects.create(
        clinic=retest.clinic,
        assessment=retest,
        side=side,
        value=value,
        **{
            "muscle_group": "hip_abductors",
            "method": "handheld_dynamometer",
            "position": "side-lying",
            "unit": "N",
            **fields,
        },
    )


@pytest.mark.parametrize(
    "other",
    [{"method": "manual_grade", "unit": "grade"}, {"position": "supine"}],
    ids=["method", "position"],
)
def test_the_index_knee_is_compared_with_the_test_taken_the_same_way(other: dict[str, Any]) -> None:
    episode = make_case(opened_on=TODAY - timedelta(days=14))
    program = make_program(episode, stage_started_on=TODAY - timedelta(days=14))
    retest = make_assessment(episode, assessed_on=TODAY)
    strength(retest, "right", 5, **other)
    strength(retest, "left", 70)
    strength(retest, "right", 100)

    assert stage_facts(program, load(program), TODAY).lsi_percent == Decimal(70)


def test_a_day_counts_as_its_highest_answer_without_the_corrected_ones() -> None:
    program = make_program(make_case(index_side="right"))
    answer(program, 0, 1, worst_right=3)
    answer(program, 0, 9, worst_right=4)
    mistaken = answer(program, 1, worst_right=8)
    answer(program, 1, worst_right=2, corrects=mistaken)
    answer(program, 2, 7)

    daily = stage_facts(program, load(program), TODAY).daily_worst

    assert daily == {day(program, 0): Decimal(4), day(program, 1): Decimal(2)}
