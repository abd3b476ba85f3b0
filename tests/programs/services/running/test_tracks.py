"""Which running track, and who decides about it, and when not."""

from __future__ import annotations

from typing import Any

import pytest

from clinic.roles import Denied, Role
from patients.models import Episode
from patients.vocabulary import RunningTrack
from programs.services import running
from programs.services.assign import end_program
from programs.services.checkins import check_in_plan
from programs.services.plan import PlanError, move_stage
from programs.services.red_flags import raise_red_flag
from programs.services.running_words import for_patient
from tests.factories import NOW, TODAY, make_case, make_program, make_user
from tests.programs.services.running.making import (
    DAY,
    START,
    on_step,
    ran,
    runner,
    stands,
    state,
    step_to,
    stopped,
    switch,
)

pytestmark = pytest.mark.django_db


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


def test_the_patient_is_told_step_day_week_and_what_is_not_open_yet() -> None:
    program = on_step(4, since=10)
    ran(program, 2)
    told = for_patient(state(program), program.thresholds)
    assert told.step is not None
    assert (told.step.number, told.next_run_from, told.max_runs_a_week) == (4, TODAY, 3)
    assert told.words[-1] == "Not yet: hills, steep downhills and intervals and fast running."
    shut = for_patient(state(stopped()), program.thresholds)
    assert shut.words == ["No running yet: it starts after 7 days without pain, on your physio's word."]


def test_a_track_is_the_cases_and_is_judged_again_after_a_switch() -> None:
    program = runner("still_running", next_review_on=TODAY + 5 * DAY)
    switch(program, "stopped")
    program.refresh_from_db()
    assert Episode.objects.get().running_track == "stopped"
    assert program.next_review_on == TODAY
