"""What the gate rule is given from the rows of a program."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from patients.models import Assessment, MovementTest, StrengthTest
from programs.models import Program
from programs.rules.progression import CriterionCode
from programs.services.gates import gate, load, stage_facts
from tests.factories import TODAY, add_strength, make_assessment, make_case, make_program
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


def step_down(retest: Assessment, each: int, knee: int | None = 0) -> None:
    """``each`` point of the other items; a ``knee`` of None leaves that item open."""
    items = dict.fromkeys(("arm", "trunk", "pelvis", "steady_stance"), each) | {"knee": knee}
    MovementTest.objects.create(
        clinic=retest.clinic, assessment=retest, test="lateral_step_down", side="left", **items
    )


def running_next(**fields: Any) -> Program:
    """Four weeks in the stage before running."""
    since = TODAY - timedelta(days=28)
    program = make_program(make_case(opened_on=since), stage_started_on=since, started_on=since, **fields)
    program.stages.filter(number=2).update(is_running=True)
    return program


def on(program: Program, days_ago: int) -> Assessment:
    return make_assessment(program.episode, assessed_on=TODAY - timedelta(days=days_ago))


def test_a_later_assessment_that_tested_nothing_again_does_not_take_a_poor_re_test_back() -> None:
    program = running_next()
    tested = on(program, 9)
    step_down(tested, 1)
    add_strength(tested, left=80, right=130, position="side-lying")
    on(program, 5)
    step_down(on(program, 4), 0, knee=None)

    facts = stage_facts(program, load(program), TODAY)
    assert facts.step_down is not None
    assert facts.lsi_percent is not None
    assert (facts.step_down.poor, round(facts.lsi_percent)) == (True, 62)
    unmet = {criterion.code for criterion in gate(program=program, today=TODAY).unmet}
    assert {CriterionCode.STEP_DOWN, CriterionCode.LIMB_SYMMETRY} <= unmet


def test_the_newest_re_test_of_each_kind_decides_and_one_before_the_stage_does_not() -> None:
    program = running_next()
    add_strength(on(program, 40), left=10, right=100, position="side-lying")
    early, late = on(program, 9), on(program, 2)
    step_down(early, 1)
    step_down(late, 0)
    add_strength(early, left=60, right=100, position="side-lying")
    add_strength(early, left=85, right=100, position="supine")
    add_strength(late, left=95, right=100, position="side-lying")

    facts = stage_facts(program, load(program), TODAY)
    assert facts.step_down is not None
    assert (facts.step_down.poor, facts.lsi_percent) == (False, Decimal(85))


def test_a_day_counts_as_its_highest_answer_without_the_corrected_ones() -> None:
    program = make_program(make_case(index_side="right"))
    answer(program, 0, 1, worst_right=3)
    answer(program, 0, 9, worst_right=4)
    mistaken = answer(program, 1, worst_right=8)
    answer(program, 1, worst_right=2, corrects=mistaken)
    answer(program, 2, 7)

    daily = stage_facts(program, load(program), TODAY).daily_worst

    assert daily == {day(program, 0): Decimal(4), day(program, 1): Decimal(2)}
