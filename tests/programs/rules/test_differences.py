"""How a program differs from its template, as a physio reads it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.rules.differences import Change, PlanDose, PlanStage, differences

WALL_SIT = PlanDose(1, "Wall sit", "5 x 30-45 s, daily", 1)
ABDUCTION = PlanDose(2, "Hip abduction", "2 x 15 per side", 2)
CALF = PlanDose(3, "Calf raise", "3 x 15", 3)
STAGE = PlanStage(
    1, "Settle", "At least 7 days, at most 2 weeks", ("Calm it", ""), (WALL_SIT, ABDUCTION, CALF)
)


def changed(**fields: object) -> PlanStage:
    return dataclasses.replace(STAGE, **fields)


def dosed(dose: PlanDose, /, **fields: object) -> PlanDose:
    return dataclasses.replace(dose, **fields)


@pytest.mark.parametrize(
    ("stage", "change", "text"),
    [
        (changed(doses=(WALL_SIT, CALF)), Change.TAKEN_OUT, "Hip abduction taken out"),
        (
            changed(doses=(*STAGE.doses, PlanDose(4, "Clamshell", "3 x 12", 4))),
            Change.ADDED,
            "Clamshell added, 3 x 12",
        ),
        (
            changed(doses=(PlanDose(5, "Spanish squat", "3 x 10", 1), ABDUCTION, CALF)),
            Change.REPLACED,
            "Spanish squat, 3 x 10, instead of Wall sit",
        ),
        (
            changed(doses=(dosed(WALL_SIT, dose="3 x 30 s, daily"), ABDUCTION, CALF)),
            Change.DOSE,
            "Wall sit: 3 x 30 s, daily instead of 5 x 30-45 s, daily",
        ),
        (
            changed(doses=(dosed(WALL_SIT, place=2), dosed(ABDUCTION, place=1), CALF)),
            Change.ORDER,
            "Another order of the exercises",
        ),
        (
            changed(gate="At least 14 days, at most 2 weeks"),
            Change.STAGE,
            "At least 14 days, at most 2 weeks instead of At least 7 days, at most 2 weeks",
        ),
        (changed(words=("Rest", "")), Change.STAGE, "Goal or advice reworded"),
        (changed(name="Calm"), Change.STAGE, "Named Calm instead of Settle"),
    ],
)
def test_each_change_is_said_once(stage: PlanStage, change: Change, text: str) -> None:
    [found] = differences([STAGE], [stage])
    assert (found.change, found.stage, found.text) == (change, 1, text)


def test_a_stage_left_out_or_added_is_said() -> None:
    [first, *_] = differences([STAGE], [])
    assert first.text == "Settle: the stage is left out"
    [first, *_] = differences([], [STAGE])
    assert first.text == "Settle: the stage was added"


doses = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["3 x 10", "2 x 8"])), max_size=5).map(
    lambda found: tuple(PlanDose(e, f"Exercise {e}", d, n) for n, (e, d) in enumerate(found))
)


@given(doses)
def test_a_copy_differs_in_nothing(found: tuple[PlanDose, ...]) -> None:
    assert differences([changed(doses=found)], [changed(doses=tuple(reversed(found)))]) == ()


@given(doses, doses)
def test_what_differs_is_never_passed_over(before: tuple[PlanDose, ...], after: tuple[PlanDose, ...]) -> None:
    found = differences([changed(doses=before)], [changed(doses=after)])
    same = [(d.exercise, d.dose) for d in before] == [(d.exercise, d.dose) for d in after]
    assert bool(found) != same
