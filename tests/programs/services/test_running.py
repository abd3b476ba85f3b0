"""The two running tracks as clinician and patient use them: ladder, locks, track, and what is on record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from clinic.roles import Denied, Role
from patients.models import Episode
from patients.vocabulary import RunningTrack
from programs.models import LoadDecision, Program, ProgramStage, Run
from programs.rules.progression import Move
from programs.services import diary, running
from programs.services.assign import end_program
from programs.services.checkins import check_in_plan
from programs.services.plan import PlanError, move_stage, pause
from programs.services.red_flags import raise_red_flag
from programs.services.running_words import for_patient
from tests.factories import NOW, TODAY, make_assessment, make_case, make_program, make_user
from tests.programs.services.caseload.making import alert
from tests.programs.services.recorded import answer

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
START = TODAY - 42 * DAY
FREE = dict.fromkeys(range(1, 8), 0)
"""Seven days without pain, by days ago."""


def runner(track: str, **fields: Any) -> Program:
    """A program of six weeks for someone on that track."""
    case = make_case(opened_on=START, running_track=track)
    return make_program(case, started_on=START, stage_started_on=START, **fields)


def stopped(**fields: Any) -> Program:
    return runner("stopped", **fields)


def on_step(step: int, *, since: int) -> Program:
    """On the ladder since so many days, put there by the service."""
    program = stopped(ladder_step=step - 1)
    on = TODAY - since * DAY
    LoadDecision.objects.filter(program=program).delete()
    running.set_ladder_step(
        program=program, to_step=step, by=program.episode.clinician, now=NOW, today=on, reason="Set up"
    )
    program.refresh_from_db()
    return program


def days(program: Program, scores: Mapping[int, Any]) -> None:
    for ago, worst in scores.items():
        answer(program, 42 - ago, worst)


def ran(program: Program, ago: int, *, pain: str = "1", terrain: tuple[str, ...] = (), km: str = "3") -> Run:
    """A run of so many days ago, told with its next morning, or in the evening if it is of today."""
    at = NOW - ago * DAY
    report = diary.RunReport(
        occurred_at=at,
        pain_before=Decimal(1),
        pain_during=Decimal(pain),
        pain_next_morning=Decimal(1) if ago else None,
        distance_km=Decimal(km),
        terrain=terrain,
    )
    patient = program.episode.patient
    return diary.record_run(patient=patient, client_id=uuid4(), report=report, now=NOW).row


def step_to(program: Program, step: int | None, reason: str = "", today: date = TODAY) -> LoadDecision:
    return running.set_ladder_step(
        program=program, to_step=step, by=program.episode.clinician, now=NOW, today=today, reason=reason
    )


def switch(program: Program, track: str, reason: str = "Limps") -> LoadDecision:
    by = program.episode.clinician
    return running.set_track(program=program, track=track, reason=reason, by=by, now=NOW, today=TODAY)


def unlock(program: Program, terrain: str, reason: str = "", today: date = TODAY) -> LoadDecision:
    by = program.episode.clinician
    return running.open_terrain(program=program, terrain=terrain, by=by, now=NOW, today=today, reason=reason)


def stands(program: Program) -> tuple[Any, ...]:
    """What the patient may do, and how often that was decided."""
    stored = Program.objects.select_related("episode").get(pk=program.pk)
    decided = LoadDecision.objects.filter(program=program).count()
    return (stored.episode.running_track, stored.ladder_step, stored.open_terrain, decided)


def state(program: Program) -> running.Running:
    stored = Program.objects.select_related("episode__clinic__policy", "episode__patient").get(pk=program.pk)
    found = running.state_of(program=stored, today=TODAY)
    assert found is not None
    return found


def open_ground(program: Program) -> list[str]:
    return [lock.terrain.value for lock in state(program).locks if lock.open]


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


@pytest.mark.parametrize(
    ("step", "found"),
    [
        (None, []),
        (1, ["flat"]),
        (8, ["flat"]),
        (9, ["flat", "hills"]),
        (10, ["flat", "hills", "downhills"]),
        (11, ["flat", "hills", "downhills", "speed"]),
    ],
)
def test_on_the_ladder_the_step_alone_opens_the_locks(step: int | None, found: list[str]) -> None:
    program = stopped(ladder_step=step)
    assert open_ground(program) == found
    assert state(program).may_open is None
    with pytest.raises(PlanError, match="no lock to open"):
        unlock(program, "hills", reason="Lives on a hill")
    assert stands(program) == ("stopped", step, "", 0)


@pytest.mark.parametrize(
    ("track", "step", "terrain", "against"),
    [
        ("stopped", None, (), ["not_opened"]),
        ("stopped", 8, (), []),
        ("stopped", 8, ("hills",), ["hills"]),
        ("stopped", 9, ("hills",), []),
        ("stopped", 9, ("downhills", "speed"), ["downhills", "speed"]),
        ("stopped", 11, ("hills", "downhills", "speed"), []),
        ("still_running", None, ("hills",), []),
        ("still_running", None, ("downhills",), ["downhills"]),
        ("not_a_runner", None, ("speed",), []),
    ],
)
def test_a_run_against_a_lock_is_kept_and_told_as_a_fact(
    track: str, step: int | None, terrain: tuple[str, ...], against: list[str]
) -> None:
    program = runner(track, ladder_step=step)
    assert ran(program, 1, terrain=terrain).against == against
    found = running.state_of(program=program, today=TODAY)
    assert [run.against for run in found.runs_against] == ([against] if against else []) if found else True


def test_the_fourth_run_in_seven_days_and_one_on_the_day_after_go_against_the_ladder() -> None:
    program = stopped(ladder_step=2)
    assert [ran(program, ago).against for ago in (9, 7, 5, 3)] == [[], [], [], ["too_many"]]
    assert ran(stopped(ladder_step=2), 1).against == []
    assert ran(program, 2).against == ["day_after_day", "too_many"]


def test_a_run_while_the_program_is_on_hold_goes_against_that() -> None:
    program = runner("still_running")
    raise_red_flag(episode=program.episode, codes=["knee_locks"], source="x", evidence=[], now=NOW - DAY)
    assert ran(program, 0).against == ["on_hold"]


def test_locks_of_who_keeps_running_open_in_order_one_a_week() -> None:
    program = runner("still_running")
    assert open_ground(program) == ["flat", "hills"]
    with pytest.raises(PlanError, match="in order: downhills"):
        unlock(program, "speed", reason="Track session")
    assert unlock(program, "downhills", today=TODAY - 6 * DAY).after == "downhills"
    with pytest.raises(PlanError, match="At most one lock in 7 days: from 3 Mar 2026 on"):
        unlock(program, "speed", reason="Track session")
    assert stands(program) == ("still_running", None, "downhills", 1)
    unlock(program, "speed", today=TODAY + DAY)
    assert open_ground(program) == ["flat", "hills", "downhills", "speed"]
    with pytest.raises(PlanError, match="no lock to open"):
        unlock(program, "speed", today=TODAY + 9 * DAY)


def test_after_a_red_run_a_lock_opens_only_with_a_reason() -> None:
    program = runner("still_running")
    ran(program, 6, pain="4")
    with pytest.raises(PlanError, match="a red run on 24 Feb 2026"):
        unlock(program, "downhills")
    assert stands(program) == ("still_running", None, "", 0)
    assert unlock(program, "downhills", reason="It was the shoe").against == ["a red run on 24 Feb 2026"]


def test_a_red_run_of_a_week_ago_holds_no_lock() -> None:
    program = runner("still_running")
    ran(program, 7, pain="4")
    assert unlock(program, "downhills").against == []


def test_switching_the_track_ends_the_ladder_and_needs_a_reason() -> None:
    program = on_step(5, since=10)
    with pytest.raises(PlanError) as error:
        switch(program, "still_running", reason=" ")
    assert error.value.field == "reason"
    assert stands(program)[:2] == ("stopped", 5)
    decision = switch(program, "still_running", reason="Runs 30 min at pain 1")
    assert (decision.before, decision.after) == ("stopped", "still_running")
    assert stands(program)[:3] == ("still_running", None, "")


def test_who_stops_is_asked_day_by_day_and_loses_the_opened_locks() -> None:
    program = runner("still_running", open_terrain="downhills")
    switch(program, "stopped")
    program.refresh_from_db()
    assert (program.open_terrain, check_in_plan(program).daily) == ("", True)
    switch(program, "still_running")
    program.refresh_from_db()
    assert not check_in_plan(program).daily


def test_who_stops_long_before_the_stage_of_running_is_not_asked_daily_until_it_is_near() -> None:
    case = make_case(opened_on=START, running_track="still_running")
    program = make_program(case, started_on=START, stages=3)
    program.stages.filter(number=3).update(is_running=True)
    switch(program, "stopped")
    program.refresh_from_db()
    assert not check_in_plan(program).daily
    move_stage(
        program=program, to_stage=2, by=case.clinician, now=NOW, today=TODAY, override_reason="No pain"
    )
    program.refresh_from_db()
    assert check_in_plan(program).daily


@pytest.mark.parametrize("track", ["stopped", "sideways", ""])
def test_the_same_or_an_unknown_track_is_refused(track: str) -> None:
    program = stopped(ladder_step=4)
    with pytest.raises(PlanError, match="another track"):
        switch(program, track)
    assert stands(program) == ("stopped", 4, "", 0)


def test_the_ladder_is_not_for_who_keeps_running() -> None:
    program = runner("still_running")
    with pytest.raises(PlanError, match="switch the track first"):
        step_to(program, 1, reason="Wants to")
    assert stands(program) == ("still_running", None, "", 0)


ACTS = {
    "step": lambda program, by: running.set_ladder_step(
        program=program, to_step=2, by=by, now=NOW, today=TODAY, reason="x"
    ),
    "track": lambda program, by: running.set_track(
        program=program, track="not_a_runner", reason="x", by=by, now=NOW, today=TODAY
    ),
    "lock": lambda program, by: running.open_terrain(
        program=program, terrain="downhills", by=by, now=NOW, today=TODAY, reason="x"
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_an_assistant_decides_nothing_about_running(act: str) -> None:
    program = runner("still_running")
    before = stands(program)
    with pytest.raises(Denied):
        ACTS[act](program, make_user(role=Role.ASSISTANT, clinic=program.clinic))
    assert stands(program) == before


@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_decided_about_running_while_a_red_flag_holds_the_program(act: str) -> None:
    program = stopped(ladder_step=1) if act == "step" else runner("still_running")
    raise_red_flag(episode=program.episode, codes=["knee_locks"], source="x", evidence=[], now=NOW)
    before = stands(program)
    with pytest.raises(PlanError, match="on hold"):
        ACTS[act](program, program.episode.clinician)
    assert stands(program) == before


@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_decided_about_running_once_the_program_has_ended(act: str) -> None:
    program = runner("still_running")
    end_program(program=program, reason="Replaced", on=TODAY)
    before = stands(program)
    with pytest.raises(PlanError, match="has ended"):
        ACTS[act](program, program.episode.clinician)
    assert stands(program) == before


@pytest.mark.parametrize(
    ("about", "points_to"),
    [
        ({"ago": 3, "pain": "3"}, RunningTrack.STILL_RUNNING),
        ({"ago": 3, "pain": "3.1"}, RunningTrack.STOPPED),
        ({"ago": 14, "pain": "1"}, RunningTrack.STILL_RUNNING),
        ({"ago": 15, "pain": "1"}, RunningTrack.STOPPED),
    ],
)
def test_the_last_run_points_to_the_track(about: dict[str, Any], points_to: RunningTrack) -> None:
    program = runner("still_running")
    ran(program, 20, pain="6")
    ran(program, about["ago"], pain=about["pain"])
    assert state(program).rule.track is points_to


def test_the_weekly_limit_starts_forty_per_cent_under_the_noted_distance_and_grows_while_green() -> None:
    program = runner("still_running")
    make_assessment(program.episode, assessed_on=START, weekly_km_now=20, weekly_km_before=30)
    for ago in (40, 33, 26, 19):
        ran(program, ago, km="5")
    weeks = state(program).weeks
    limits = [str(week.limit_km) for week in weeks]
    assert limits == ["12.0", "12.0", "13.2", "14.5", "15.9", "15.9", "15.9"]
    assert weeks[0].run_km == 5


@pytest.mark.parametrize(
    ("noted", "limit"),
    [
        ({-60: 10, 0: 30}, "18.0"),
        ({-60: 10, -1: 20, 3: 30}, "12.0"),
        ({3: 20, 10: 30}, "12.0"),
        ({-60: 10, 0: None}, "6.0"),
        ({0: None}, "24.0"),
    ],
    ids=["on the day", "before it", "the first one after", "none that day", "only before the pain"],
)
def test_the_weekly_limit_starts_from_the_last_distance_noted_when_the_plan_began(
    noted: dict[int, int | None], limit: str
) -> None:
    program = runner("still_running")
    for day, km in noted.items():
        on = START + day * DAY
        make_assessment(program.episode, assessed_on=on, weekly_km_now=km, weekly_km_before=40)
    assert str(state(program).weeks[0].limit_km) == limit


def test_a_paused_week_holds_the_limit_and_another_track_starts_the_plan_anew() -> None:
    program = runner("still_running")
    make_assessment(program.episode, assessed_on=START, weekly_km_now=20)
    for ago in (26, 19, 12):
        ran(program, ago, km="5")
    pause(
        program=program,
        kind="illness",
        starts_on=TODAY - 13 * DAY,
        ends_on=TODAY - 11 * DAY,
        by=program.episode.clinician,
        now=NOW,
    )
    assert [str(week.limit_km) for week in state(program).weeks][4:] == ["14.5", "14.5", "14.5"]
    switch(program, "stopped")
    switch(program, "still_running")
    assert [str(week.limit_km) for week in state(program).weeks] == ["12.0"]


def test_without_a_noted_distance_there_is_no_weekly_limit() -> None:
    assert state(runner("still_running")).weeks == ()


def test_the_patient_is_told_step_day_week_and_what_is_not_open_yet() -> None:
    program = on_step(4, since=10)
    ran(program, 2)
    told = for_patient(state(program), program.thresholds)
    assert told.step is not None
    assert (told.step.number, told.next_run_from, told.max_runs_a_week) == (4, TODAY, 3)
    assert told.words[-1] == "Not yet: hills, steep downhills and intervals and fast running."
    shut = for_patient(state(stopped()), program.thresholds)
    assert shut.words == ["No running yet: it starts after 7 days without pain, on your physio's word."]


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


def test_a_track_is_the_cases_and_is_judged_again_after_a_switch() -> None:
    program = runner("still_running", next_review_on=TODAY + 5 * DAY)
    switch(program, "stopped")
    program.refresh_from_db()
    assert Episode.objects.get().running_track == "stopped"
    assert program.next_review_on == TODAY


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


def test_a_lock_opens_with_a_reason_alone_while_worsening_is_not_resolved() -> None:
    program = runner("still_running")
    alert(program.episode, kind="worsening")
    before = stands(program)
    with pytest.raises(PlanError, match="not resolved yet: worsening"):
        unlock(program, "downhills")
    assert stands(program) == before
    assert unlock(program, "downhills", reason="One bad day").against == ["not resolved yet: worsening"]


def test_the_volume_plan_does_not_grow_while_worsening_is_not_resolved() -> None:
    program = runner("still_running")
    make_assessment(program.episode, assessed_on=START, weekly_km_now=Decimal(20))
    for ago in range(40, 0, -3):
        ran(program, ago)
    grown = state(program).week
    assert grown.pace == "grew"
    barring = alert(program.episode, kind="worsening", opened_on=TODAY)
    held = state(program).week
    assert (held.pace, held.reason) == ("held", "not resolved yet: worsening")
    assert held.limit_km == state(program).weeks[-2].limit_km < grown.limit_km
    type(barring).objects.update(state="resolved", resolution="clinician", resolved_on=TODAY, resolved_at=NOW)
    assert state(program).week == grown
