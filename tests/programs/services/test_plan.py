"""Moving stages, pausing, a new fair trial."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from clinic.roles import Denied, Role
from programs.models import Answer, Session, StageMove
from programs.services.assign import AssignError
from programs.services.gates import gate
from programs.services.plan import PlanError, declare_fair_trial, move_stage, pause, resume
from programs.services.red_flags import raise_red_flag
from tests.factories import NOW, TODAY, make_program, make_user

pytestmark = pytest.mark.django_db
START = TODAY - timedelta(days=21)


def diary(program, *, during="2"):
    """Three weeks of steady pain, a session every other day: the gate is open."""
    episode = program.episode
    shared = {"clinic": episode.clinic, "patient": episode.patient, "episode": episode, "program": program}
    for day in range(21):
        on = START + timedelta(days=day)
        at = NOW - timedelta(days=21 - day)
        Answer.objects.create(
            **shared, client_id=uuid4(), occurred_at=at, local_date=on, worst_left=Decimal("3.0")
        )
        if day % 2:
            Session.objects.create(
                **shared,
                client_id=uuid4(),
                occurred_at=at,
                local_date=on,
                pain_before=1,
                pain_during=Decimal(during),
                pain_next_morning=1,
            )


def program_since_three_weeks(**fields):
    program = make_program(stages=3, started_on=START, stage_started_on=START, **fields)
    program.episode.opened_on = START
    program.episode.save()
    return program


def move(program, to_stage, **kwargs):
    return move_stage(program=program, to_stage=to_stage, by=program.episode.clinician, today=TODAY, **kwargs)


def test_an_open_gate_lets_the_program_move_on():
    program = program_since_three_weeks()
    diary(program)
    assert gate(program=program, today=TODAY).unmet == ()
    assert move(program, 2).unmet == []
    program.refresh_from_db()
    assert (program.current_stage, program.stage_started_on) == (2, TODAY)


def test_a_shut_gate_names_what_is_missing_and_moves_only_with_a_written_reason():
    program = program_since_three_weeks()
    with pytest.raises(PlanError, match="0 green sessions") as error:
        move(program, 2)
    assert error.value.field == "override_reason"
    assert not StageMove.objects.exists()

    moved = move(program, 2, override_reason="Trains in the gym, logs nothing")
    assert moved.override_reason == "Trains in the gym, logs nothing"
    assert any("green sessions" in text for text in moved.unmet)
    program.refresh_from_db()
    assert program.current_stage == 2


def test_red_sessions_shut_the_gate():
    program = program_since_three_weeks()
    diary(program, during="7")
    assert any("red sessions" in criterion.text for criterion in gate(program=program, today=TODAY).unmet)


def test_stages_are_not_skipped_but_any_earlier_one_is_open():
    program = program_since_three_weeks(current_stage=1)
    with pytest.raises(PlanError, match="not skipped"):
        move(program, 3, override_reason="in a hurry")
    with pytest.raises(PlanError, match="no such stage"):
        move(program, 4, override_reason="in a hurry")
    program.current_stage = 3
    program.save()
    assert move(program, 1).to_stage == 1


def test_a_program_on_hold_moves_nowhere():
    program = program_since_three_weeks()
    raise_red_flag(episode=program.episode, codes=["knee_locks"], source="x", evidence=[], now=NOW)
    with pytest.raises(PlanError, match="on hold"):
        move(program, 2, override_reason="felt fine")
    program.refresh_from_db()
    assert program.current_stage == 1


def test_an_assistant_moves_nothing():
    program = program_since_three_weeks()
    assistant = make_user(role=Role.ASSISTANT, clinic=program.clinic)
    with pytest.raises(Denied):
        move_stage(program=program, to_stage=2, by=assistant, today=TODAY, override_reason="x")
    program.refresh_from_db()
    assert program.current_stage == 1


def paused(program, start, end=None):
    return pause(
        program=program, kind="holiday", starts_on=start, ends_on=end, by=program.episode.clinician, now=NOW
    )


def test_a_pause_lasts_until_the_first_day_back():
    program = program_since_three_weeks()
    paused(program, TODAY - timedelta(days=3))
    resume(program=program, on=TODAY, by=program.episode.clinician, now=NOW)
    assert program.pauses.get().ends_on == TODAY


def test_a_pause_of_no_day_is_removed():
    program = program_since_three_weeks()
    paused(program, TODAY)
    resume(program=program, on=TODAY, by=program.episode.clinician, now=NOW)
    assert not program.pauses.exists()


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (START - timedelta(days=1), None, "starts_on"),
        (TODAY, TODAY, "ends_on"),
        (TODAY - timedelta(days=6), TODAY - timedelta(days=4), "starts_on"),
        (TODAY - timedelta(days=9), None, "starts_on"),
    ],
)
def test_a_pause_before_the_start_backwards_or_over_another_is_refused(start, end, field):
    program = program_since_three_weeks()
    paused(program, TODAY - timedelta(days=7), TODAY - timedelta(days=5))
    with pytest.raises(PlanError) as error:
        paused(program, start, end)
    assert error.value.field == field
    assert program.pauses.count() == 1


def test_pauses_may_touch():
    program = program_since_three_weeks()
    paused(program, TODAY - timedelta(days=7), TODAY - timedelta(days=5))
    paused(program, TODAY - timedelta(days=5), TODAY - timedelta(days=4))
    assert program.pauses.count() == 2


def test_a_new_fair_trial_needs_a_reason_and_comes_once():
    program = program_since_three_weeks()
    by = program.episode.clinician
    with pytest.raises(PlanError, match="needs a reason"):
        declare_fair_trial(program=program, on=TODAY, reason=" ", by=by, now=NOW)
    declared = declare_fair_trial(program=program, on=TODAY, reason="Did not train before", by=by, now=NOW)
    assert (declared.fair_trial_on, declared.fair_trial_reason) == (TODAY, "Did not train before")
    with pytest.raises(AssignError, match="already declared"):
        declare_fair_trial(program=program, on=TODAY, reason="Again", by=by, now=NOW)
