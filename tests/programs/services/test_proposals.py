"""One step of strength work, as the 24-hour pain rule proposes it: exactly what was shown, or refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from clinic.roles import Denied, Role
from programs.models import Alert, LoadDecision, Program, ProgramDose, SessionExercise
from programs.services.assign import end_program
from programs.services.plan import PlanError
from programs.services.proposals import Proposed, apply_proposal, proposed
from programs.services.red_flags import raise_red_flag
from tests.factories import NOW, TODAY, make_case, make_exercise, make_program, make_user
from tests.programs.services.caseload.making import alert
from tests.programs.services.recorded import answer, session

pytestmark = pytest.mark.django_db
START = TODAY - timedelta(days=21)
GREEN, AMBER, RED = Decimal(2), Decimal(4), Decimal(6)


@pytest.fixture
def program() -> Program:
    """Three weeks into its first of three stages; the second exercise is at one set."""
    made = make_program(
        make_case(opened_on=START), stages=3, started_on=START, stage_started_on=START, strength_per_week=3
    )
    stage = made.stages.get(number=1)
    ProgramDose.objects.create(
        clinic=made.clinic, stage=stage, exercise=make_exercise(name="Plank"), sets=1, seconds_low=30
    )
    ProgramDose.objects.create(
        clinic=made.clinic, stage=stage, exercise=make_exercise(name="Easy jog", kind="running"), sets=2
    )
    return made


def trained(program: Program, *pains: Decimal, last: int = 20) -> list[Any]:
    """Strength sessions on every other day up to that day of the program."""
    first = last - 2 * (len(pains) - 1)
    return [session(program, first + 2 * n, pain_during=pain) for n, pain in enumerate(pains)]


def open_the_gate(program: Program) -> None:
    for number in range(21):
        answer(program, number, 3)
    trained(program, *[GREEN] * 9)


def shown(program: Program) -> Proposed:
    return proposed(program=stored(program), today=TODAY)


def stored(program: Program) -> Program:
    found: Program = Program.objects.select_related("episode__clinic__policy", "episode__patient").get(
        pk=program.pk
    )
    return found


def sets(program: Program) -> list[int | None]:
    rows = ProgramDose.objects.filter(stage__program=program, stage__number=1)
    return list(rows.order_by("pk").values_list("sets", flat=True))


def apply(program: Program, expected: str, **fields: Any) -> str:
    by = fields.pop("by", program.episode.clinician)
    now = fields.pop("now", NOW)
    return apply_proposal(program=program, expected=expected, by=by, now=now, today=TODAY, **fields)


def test_three_greens_behind_a_shut_gate_add_one_set_to_each_exercise_but_the_runs(program: Program) -> None:
    trained(program, GREEN, GREEN, GREEN)
    done = apply(program, shown(program).key, note="As discussed")
    assert sets(program) == [4, 2, 2]
    assert "3 to 4 sets" in done
    decision = LoadDecision.objects.get()
    assert (decision.what, decision.proposal, decision.reason) == ("dose", "progress", "As discussed")
    assert decision.changes == done.split("; ")
    assert decision.grounds == ["3 green in a row, 3 needed"]


def test_two_greens_are_no_progress(program: Program) -> None:
    trained(program, GREEN, GREEN)
    assert shown(program).proposal == "hold"


def test_three_greens_before_an_open_gate_move_the_stage(program: Program) -> None:
    open_the_gate(program)
    assert apply(program, shown(program).key) == "Now in stage 2"
    program.refresh_from_db()
    assert (program.current_stage, program.stage_started_on) == (2, TODAY)
    move = program.stage_moves.get()
    assert (move.unmet, move.moved_by) == ([], program.episode.clinician)
    assert move.override_reason.startswith("24-hour pain rule")
    assert sets(program) == [3, 1, 2]


def test_an_amber_is_noted_as_held_and_changes_nothing(program: Program) -> None:
    trained(program, GREEN, GREEN, AMBER)
    assert apply(program, shown(program).key) == "The dose stays as it is"
    assert sets(program) == [3, 1, 2]
    assert LoadDecision.objects.get().what == "hold"


def test_a_red_eases_what_was_done_in_it_alone_and_never_below_one_set(program: Program) -> None:
    plank = ProgramDose.objects.get(exercise__name="Plank")
    ProgramDose.objects.filter(pk=plank.pk).update(sets=3)
    *_, red = trained(program, GREEN, GREEN, RED)
    SessionExercise.objects.create(clinic=program.clinic, session=red, dose=plank, sets_done=3)
    apply(program, shown(program).key)
    assert sets(program) == [3, 2, 2]


def test_a_red_with_everything_at_one_set_is_adapted_by_hand(program: Program) -> None:
    ProgramDose.objects.filter(stage__program=program).update(sets=1)
    trained(program, RED)
    with pytest.raises(PlanError, match="every exercise is at one set already: adapt it by hand"):
        apply(program, shown(program).key)
    assert not LoadDecision.objects.exists()


def test_two_reds_in_two_weeks_go_one_stage_back(program: Program) -> None:
    Program.objects.update(current_stage=2)
    trained(program, RED, GREEN, RED)
    assert apply(program, shown(program).key) == "Now in stage 1"
    program.refresh_from_db()
    assert program.current_stage == 1


def test_a_red_session_that_moved_the_stage_back_eases_nothing_more_that_day(program: Program) -> None:
    Program.objects.update(current_stage=2)
    trained(program, RED, GREEN, RED, last=21)
    apply(program, shown(program).key, now=NOW + timedelta(hours=12))
    assert shown(program).verdict.reasons == ("no complete session yet",)
    step = LoadDecision.objects.get()
    assert (step.what, step.proposal, step.changes) == ("dose", "ease", ["Now in stage 1"])


def test_two_reds_in_the_first_stage_take_a_set_off(program: Program) -> None:
    trained(program, RED, GREEN, RED)
    apply(program, shown(program).key)
    assert sets(program) == [2, 1, 2]


def test_what_was_done_once_is_not_proposed_again_for_the_same_sessions(program: Program) -> None:
    trained(program, GREEN, GREEN, GREEN)
    key = shown(program).key
    apply(program, key)
    assert shown(program).verdict.reasons == ("no complete session yet",)
    with pytest.raises(PlanError, match="changed in the meantime"):
        apply(program, key)
    assert sets(program) == [4, 2, 2]
    assert LoadDecision.objects.count() == 1


def test_to_hold_starts_no_new_count(program: Program) -> None:
    trained(program, GREEN, GREEN, last=18)
    apply(program, shown(program).key)
    trained(program, GREEN)
    assert shown(program).proposal == "progress"


def test_a_session_told_after_the_page_was_shown_refuses_what_it_said(program: Program) -> None:
    trained(program, GREEN, GREEN, GREEN, last=19)
    key = shown(program).key
    trained(program, RED)
    with pytest.raises(PlanError, match="changed in the meantime") as error:
        apply(program, key)
    assert error.value.field == "expected"
    assert sets(program) == [3, 1, 2]
    assert not LoadDecision.objects.exists()


def test_a_dose_changed_by_a_colleague_refuses_what_the_page_said(program: Program) -> None:
    trained(program, GREEN, GREEN, GREEN)
    key = shown(program).key
    ProgramDose.objects.filter(exercise__name="Plank").update(sets=3)
    with pytest.raises(PlanError, match="changed in the meantime"):
        apply(program, key)
    assert sets(program) == [3, 3, 2]


def test_an_exercise_taken_out_and_sessions_of_the_stage_before_count_for_nothing(program: Program) -> None:
    ProgramDose.objects.filter(exercise__name="Plank").update(is_active=False)
    trained(program, GREEN, GREEN, GREEN)
    assert len(shown(program).step.changes) == 1
    Program.objects.update(stage_started_on=TODAY)
    assert shown(program).proposal == "hold"


def test_an_assistant_applies_nothing(program: Program) -> None:
    trained(program, GREEN, GREEN, GREEN)
    with pytest.raises(Denied):
        apply(program, shown(program).key, by=make_user(role=Role.ASSISTANT, clinic=program.clinic))
    assert sets(program) == [3, 1, 2]


def test_on_hold_or_ended_nothing_is_applied(program: Program) -> None:
    trained(program, GREEN, GREEN, GREEN)
    key = shown(program).key
    raise_red_flag(episode=program.episode, codes=["knee_locks"], source="x", evidence=[], now=NOW)
    with pytest.raises(PlanError, match="on hold"):
        apply(program, key)
    end_program(program=stored(program), reason="Replaced", on=TODAY)
    with pytest.raises(PlanError, match="has ended"):
        apply(program, key)
    assert sets(program) == [3, 1, 2]


@pytest.mark.parametrize(
    ("kind", "state"), [("worsening", "open"), ("worsening", "snoozed"), ("red_flag", "open")]
)
def test_nothing_more_is_proposed_while_an_alert_says_it_goes_the_wrong_way(
    program: Program, kind: str, state: str
) -> None:
    open_the_gate(program)
    before = shown(program).key
    waiting = alert(program.episode, kind=kind, state=state, level="tier_2" if kind == "red_flag" else "")
    found = shown(program)
    name = "worsening" if kind == "worsening" else "red flag"
    assert (found.proposal, found.step.kind) == ("hold", "nothing")
    assert found.verdict.reasons[-1] == f"not resolved yet: {name}"
    with pytest.raises(PlanError, match="has changed"):
        apply(program, before)
    end = {"state": "resolved", "resolved_at": NOW, "resolved_on": TODAY, "resolution": "clinician"}
    Alert.objects.filter(pk=waiting.pk).update(
        **end, snoozed_until=None, resolved_by=program.episode.clinician
    )
    assert shown(program).key == before


def test_an_alert_about_something_else_bars_no_progress(program: Program) -> None:
    open_the_gate(program)
    alert(program.episode, kind="stall", level="stalled")
    assert shown(program).proposal == "progress"
