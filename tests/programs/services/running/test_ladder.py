"""The ladder: when it opens, when a step goes up, is repeated or goes down, and when it stops."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from programs.models import Program, ProgramStage
from programs.rules.progression import Move
from programs.services import diary, running
from programs.services.checkins import check_in_plan
from programs.services.plan import PlanError
from tests.factories import NOW, TODAY
from tests.programs.services.caseload.making import alert
from tests.programs.services.running.making import (
    DAY,
    FREE,
    days,
    on_step,
    open_ground,
    ran,
    runner,
    stands,
    state,
    step_to,
    stopped,
)

pytestmark = pytest.mark.django_db


def test_who_does_not_run_has_no_running_plan() -> None:
    assert running.state_of(program=runner("not_a_runner"), today=TODAY) is None


def test_after_the_symptom_free_days_the_ladder_opens_with_its_first_step() -> None:
    program = stopped(testing_run_gate=True)
    days(program, FREE)
    decision = step_to(program, 1)
    assert (decision.before, decision.after, decision.against) == ("", "1", [])
    program.refresh_from_db()
    assert (program.ladder_step, program.testing_run_gate) == (1, False)
    assert open_ground(program) == ["flat"]


@pytest.mark.parametrize(
    "told",
    [
        dict.fromkeys(range(1, 6), 0),
        {**FREE, 3: 1},
        {},
    ],
    ids=["5 of 7 days answered", "pain on one day", "nothing answered"],
)
def test_without_them_it_opens_only_with_a_written_reason(told: dict[int, Any]) -> None:
    program = stopped()
    days(program, told)
    with pytest.raises(PlanError, match="Not proposed") as error:
        step_to(program, 1, reason="  ")
    assert error.value.field == "reason"
    assert stands(program) == ("stopped", None, "", 0)
    decision = step_to(program, 1, reason="Race in May, agreed to stop at the first pain")
    assert decision.against
    assert program.load_decisions.get().reason.startswith("Race")


def test_six_of_seven_days_are_enough() -> None:
    program = stopped()
    days(program, {ago: 0 for ago in range(1, 8) if ago != 4})
    assert step_to(program, 1).against == []


def test_symptom_free_days_before_the_ladder_was_stopped_do_not_open_it_again() -> None:
    program = on_step(3, since=20)
    days(program, FREE)
    step_to(program, None, today=TODAY - 2 * DAY)
    assert not state(program).opening.open  # type: ignore[union-attr]
    with pytest.raises(PlanError, match="Not proposed"):
        step_to(program, 1)


def test_symptom_free_days_start_after_the_last_run_that_hurt() -> None:
    program = on_step(3, since=20)
    ran(program, 3, pain="4")
    days(program, FREE)
    step_to(program, None, today=TODAY - 10 * DAY)
    assert not state(program).opening.open  # type: ignore[union-attr]


def test_the_ladder_opens_in_the_return_to_running_stage_or_with_a_reason() -> None:
    program = stopped(stages=3)
    days(program, FREE)
    ProgramStage.objects.filter(program=program, number=3).update(is_running=True)
    with pytest.raises(PlanError, match="return-to-running stage"):
        step_to(program, 1)
    Program.objects.update(current_stage=3)
    assert step_to(program, 1).against == []


@pytest.mark.parametrize(
    ("program_on", "to_step", "words"),
    [
        (None, 2, "starts with step 1"),
        (3, 5, "not skipped"),
        (3, 12, "has the steps 1 to 11"),
        (3, 0, "has the steps 1 to 11"),
        (3, 3, "the present step"),
    ],
)
def test_no_step_is_skipped_whatever_is_written(program_on: int | None, to_step: int, words: str) -> None:
    program = stopped(ladder_step=program_on)
    days(program, FREE)
    before = stands(program)
    with pytest.raises(PlanError, match=words):
        step_to(program, to_step, reason="Wants to")
    assert stands(program) == before


def test_a_step_lasts_a_week_whatever_is_written() -> None:
    program = on_step(3, since=6)
    ran(program, 5)
    ran(program, 3)
    with pytest.raises(PlanError, match="At most one step up in 7 days: from 3 Mar 2026 on"):
        step_to(program, 4, reason="Feels easy")
    assert stands(program)[1] == 3
    assert state(program).up_from == TODAY + DAY


def test_two_green_runs_and_a_week_propose_the_next_step_and_one_is_told_to_repeat() -> None:
    program = on_step(3, since=7)
    ran(program, 5)
    with pytest.raises(PlanError, match="1 of 2 green runs"):
        step_to(program, 4)
    ran(program, 2)
    found = state(program)
    assert found.move is not None
    assert (found.move.move, found.move.step) == (Move.UP, 4)
    decision = step_to(program, 4)
    assert (decision.proposal, decision.against, decision.reason) == ("up", [], "")


def test_green_runs_of_an_earlier_step_count_for_nothing_on_the_next() -> None:
    program = on_step(3, since=10)
    ran(program, 9)
    ran(program, 7)
    step_to(program, 4, today=TODAY - 3 * DAY)
    move = state(program).move
    assert move is not None
    assert (move.move, move.reasons) == (Move.REPEAT, ("0 of 2 green runs on this step",))


def test_back_on_a_step_its_week_and_its_green_runs_count_anew() -> None:
    program = on_step(3, since=20)
    ran(program, 18)
    ran(program, 16)
    step_to(program, 2, today=TODAY - 12 * DAY)
    step_to(program, 3, today=TODAY - 3 * DAY, reason="Was too careful")
    found = state(program)
    assert (found.step_since, found.up_from) == (TODAY - 3 * DAY, TODAY + 4 * DAY)
    assert found.move is not None
    assert found.move.reasons == ("0 of 2 green runs on this step",)


def test_a_red_run_before_the_ladder_was_opened_again_does_not_make_the_next_one_the_second() -> None:
    program = stopped()
    step_to(program, 1, today=TODAY - 12 * DAY, reason="Race")
    ran(program, 10, pain="4")
    step_to(program, None, today=TODAY - 9 * DAY)
    step_to(program, 1, today=TODAY - 4 * DAY, reason="Race")
    ran(program, 2, pain="4")
    move = state(program).move
    assert move is not None
    assert move.move is Move.REPEAT


def test_a_red_run_goes_one_down_with_two_days_off_and_a_second_one_stops() -> None:
    program = on_step(4, since=10)
    ran(program, 5, pain="4")
    down = state(program).move
    assert down is not None
    assert (down.move, down.step) == (Move.DOWN, 3)
    ran(program, 1, pain="4")
    stop = state(program).move
    assert stop is not None
    assert (stop.move, stop.not_before) == (Move.STOP, None)


def test_less_is_always_allowed_and_a_stopped_ladder_asks_day_by_day() -> None:
    program = on_step(4, since=1)
    assert step_to(program, 2).against == []
    decision = step_to(program, None)
    assert (decision.before, decision.after) == ("2", "")
    program.refresh_from_db()
    assert (program.ladder_step, check_in_plan(program).daily) == (None, True)
    assert program.next_check_in_at is not None
    assert program.next_check_in_at - NOW < DAY
    assert open_ground(program) == []


def test_a_stopped_ladder_cannot_be_stopped_again() -> None:
    program = stopped()
    with pytest.raises(PlanError) as error:
        step_to(program, None)
    assert error.value.field == "to_step"
    assert stands(program) == ("stopped", None, "", 0)


def test_a_corrected_run_counts_once() -> None:
    program = on_step(3, since=10)
    first = ran(program, 4, pain="4")
    report = diary.RunReport(
        occurred_at=NOW - 4 * DAY,
        pain_before=Decimal(1),
        pain_during=Decimal(1),
        pain_next_morning=Decimal(1),
        distance_km=Decimal(3),
        corrects=first.client_id,
    )
    patient = program.episode.patient
    row = diary.record_run(patient=patient, client_id=uuid4(), report=report, now=NOW).row
    assert row.against == []
    found = state(program)
    assert [run.pk for run in found.runs] == [row.pk]
    assert found.move is not None
    assert found.move.move is Move.REPEAT


def test_no_step_up_is_proposed_while_worsening_is_not_resolved() -> None:
    program = on_step(3, since=8)
    ran(program, 4)
    ran(program, 2)
    assert state(program).move.move is Move.UP
    alert(program.episode, kind="worsening")
    found = state(program).move
    assert (found.move, found.step) == (Move.REPEAT, 3)
    assert found.reasons[-1] == "not resolved yet: worsening"


def test_the_ladder_is_not_offered_and_opens_with_a_reason_alone_while_worsening_is_not_resolved() -> None:
    program = stopped()
    days(program, FREE)
    assert state(program).opening.open
    alert(program.episode, kind="worsening")
    found = state(program).opening
    assert not found.open
    assert found.reasons[-1] == "not resolved yet: worsening"
    before = stands(program)
    with pytest.raises(PlanError, match="not resolved yet: worsening"):
        step_to(program, 1)
    assert stands(program) == before
    assert step_to(program, 1, reason="One bad day").against[-1] == "not resolved yet: worsening"
