"""Moving stages, pausing, a new fair trial."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from clinic.roles import Denied, Role
from programs.models import Answer, Session, StageMove
from programs.services.assign import AssignError
from programs.services.checkins import ask_due, check_in_plan, schedule_next
from programs.services.gates import gate
from programs.services.pauses import clock_started_on, preview_pause
from programs.services.plan import (
    PlanError,
    cancel_pause,
    change_pause,
    declare_fair_trial,
    move_stage,
    pause,
    resume,
)
from programs.services.red_flags import raise_red_flag
from tests.factories import NOW, TODAY, make_case, make_program, make_user

pytestmark = pytest.mark.django_db
START = TODAY - timedelta(days=21)
EVENING = NOW + timedelta(hours=9)


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
    fields = {"by": program.episode.clinician, "now": NOW, "today": TODAY, **kwargs}
    return move_stage(program=program, to_stage=to_stage, **fields)


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
        move(program, 2, by=assistant, override_reason="x")
    program.refresh_from_db()
    assert program.current_stage == 1


@pytest.mark.parametrize(
    ("track", "ladder_step", "asked_daily"),
    [
        ("stopped", None, [False, True, True, False]),
        ("stopped", 3, [False, False, False, False]),
        ("still_running", None, [False, False, False, False]),
        ("not_a_runner", None, [False, False, False, False]),
    ],
)
def test_who_stopped_running_is_asked_daily_from_the_stage_before_running_on(track, ladder_step, asked_daily):
    program = make_program(make_case(running_track=track), stages=4, ladder_step=ladder_step)
    program.stages.filter(number=4).update(is_running=True)
    found = []
    for stage in (2, 3, 4, 1):
        move(program, stage, override_reason="No pain")
        program.refresh_from_db()
        found.append(check_in_plan(program).daily)
    assert found == asked_daily


def test_the_daily_question_comes_the_next_day_and_stops_as_soon_as_the_stage_is_left_again():
    friday, saturday, monday = (datetime(2026, 3, day, 18, tzinfo=UTC) for day in (6, 7, 9))
    program = make_program(make_case(running_track="stopped"), stages=3)
    program.stages.filter(number=3).update(is_running=True)
    evening = {"now": friday + timedelta(hours=2), "today": friday.date(), "override_reason": "No pain"}
    schedule_next(program=program, now=evening["now"])
    found = [program.next_check_in_at]
    for stage in (2, 1):
        move(program, stage, **evening)
        program.refresh_from_db()
        found.append(program.next_check_in_at)
    assert [at.date() for at in found] == [monday.date(), saturday.date(), monday.date()]


def test_a_daily_question_set_by_hand_stays_on_the_way_forward():
    program = make_program(stages=3, testing_run_gate=True)
    move(program, 2, override_reason="No pain")
    program.refresh_from_db()
    assert program.testing_run_gate


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


def changed(pause_, start, end=None, **fields):
    values = {"kind": "holiday", "by": pause_.program.episode.clinician, "now": NOW, **fields}
    return change_pause(pause=pause_, starts_on=start, ends_on=end, **values)


def test_a_pause_is_entered_afterwards_for_four_weeks_and_no_further():
    program = make_program(
        make_case(opened_on=TODAY - timedelta(days=60)), started_on=TODAY - timedelta(days=60)
    )
    with pytest.raises(PlanError, match="At most 28 days back") as error:
        paused(program, TODAY - timedelta(days=29), TODAY - timedelta(days=20))
    assert error.value.field == "starts_on"
    assert not program.pauses.exists()
    paused(program, TODAY - timedelta(days=28), TODAY - timedelta(days=20))


def test_what_began_long_ago_keeps_its_first_day_and_may_get_another_end():
    program = make_program(
        make_case(opened_on=TODAY - timedelta(days=60)), started_on=TODAY - timedelta(days=60)
    )
    start = TODAY - timedelta(days=40)
    old = paused_long_ago(program, start)
    with pytest.raises(PlanError, match="At most 28 days back"):
        changed(old, start + timedelta(days=1))
    changed(old, start, TODAY - timedelta(days=2), kind="illness", note="Flu")
    kept = program.pauses.get()
    assert (kept.starts_on, kept.ends_on) == (start, TODAY - timedelta(days=2))
    assert (kept.kind, kept.note) == ("illness", "Flu")


def paused_long_ago(program, start):
    return pause(
        program=program,
        kind="illness",
        starts_on=start,
        by=program.episode.clinician,
        now=NOW - timedelta(days=40),
    )


def test_other_dates_may_not_lie_over_another_pause_but_over_the_own_old_ones():
    program = program_since_three_weeks()
    first = paused(program, TODAY - timedelta(days=9), TODAY - timedelta(days=6))
    paused(program, TODAY - timedelta(days=5), TODAY - timedelta(days=3))
    with pytest.raises(PlanError, match="overlaps"):
        changed(first, TODAY - timedelta(days=9), TODAY - timedelta(days=4))
    changed(first, TODAY - timedelta(days=8), TODAY - timedelta(days=5))
    assert [row.starts_on for row in program.pauses.order_by("pk")] == [
        TODAY - timedelta(days=8),
        TODAY - timedelta(days=5),
    ]


@pytest.mark.parametrize(
    ("values", "field"), [({"kind": "flare"}, "kind"), ({"end": START + timedelta(days=1)}, "ends_on")]
)
def test_a_flare_is_no_pause_and_the_first_day_back_comes_after(values, field):
    program = program_since_three_weeks()
    row = paused(program, START + timedelta(days=2), START + timedelta(days=4))
    end = values.pop("end", None)
    with pytest.raises(PlanError) as error:
        changed(row, START + timedelta(days=2), end, **values)
    assert error.value.field == field
    row.refresh_from_db()
    assert (row.kind, row.ends_on) == ("holiday", START + timedelta(days=4))


def test_a_pause_taken_back_counts_its_days_again_and_is_changed_by_nobody_else():
    program = program_since_three_weeks()
    row = paused(program, TODAY, TODAY + timedelta(days=7))
    assert ask_due(now=EVENING) == 0
    for _ in range(2):
        cancel_pause(pause=row, by=program.episode.clinician, now=NOW)
    assert not program.pauses.exists()
    assert ask_due(now=EVENING) == 1
    with pytest.raises(PlanError, match="taken back"):
        changed(row, TODAY)


def test_a_pause_asks_nothing_until_the_first_day_back_and_has_the_case_judged_again():
    program = program_since_three_weeks(next_review_on=TODAY + timedelta(days=5))
    row = paused(program, TODAY, TODAY + timedelta(days=7))
    program.refresh_from_db()
    assert program.next_review_on == TODAY
    assert [ask_due(now=EVENING + timedelta(days=n)) for n in (0, 2, 4, 6)] == [0, 0, 0, 0]
    assert ask_due(now=EVENING + timedelta(days=7)) == 1
    changed(row, TODAY, TODAY + timedelta(days=10))
    assert ask_due(now=EVENING + timedelta(days=9)) == 0


def test_coming_back_earlier_ends_the_pause_that_covers_the_day():
    program = program_since_three_weeks()
    row = paused(program, TODAY - timedelta(days=3), TODAY + timedelta(days=7))
    with pytest.raises(PlanError, match="not paused"):
        resume(program=program, on=TODAY + timedelta(days=7), by=program.episode.clinician, now=NOW)
    resume(program=program, on=TODAY, by=program.episode.clinician, now=NOW)
    row.refresh_from_db()
    assert row.ends_on == TODAY
    with pytest.raises(PlanError, match="not paused"):
        resume(program=program, on=TODAY, by=program.episode.clinician, now=NOW)


def test_nobody_comes_back_before_they_went():
    program = program_since_three_weeks()
    paused(program, TODAY + timedelta(days=3))
    with pytest.raises(PlanError, match="The pause starts on"):
        resume(program=program, on=TODAY, by=program.episode.clinician, now=NOW)
    assert program.pauses.get().ends_on is None


def test_a_red_flag_keeps_nobody_from_noting_a_pause_but_an_assistant_is():
    program = program_since_three_weeks()
    row = paused(program, TODAY)
    assistant = make_user(role=Role.ASSISTANT, clinic=program.clinic)
    for act in (
        lambda: changed(row, TODAY - timedelta(days=1), by=assistant),
        lambda: cancel_pause(pause=row, by=assistant, now=NOW),
        lambda: resume(program=program, on=TODAY, by=assistant, now=NOW),
    ):
        with pytest.raises(Denied):
            act()
    assert program.pauses.get().starts_on == TODAY
    raise_red_flag(episode=program.episode, codes=["knee_locks"], source="x", evidence=[], now=NOW)
    changed(row, TODAY - timedelta(days=1))


def test_the_effect_of_a_pause_is_told_before_it_is_noted():
    program = program_since_three_weeks()
    diary(program)
    seen = preview_pause(
        program=program,
        kind="holiday",
        starts_on=TODAY - timedelta(days=7),
        ends_on=TODAY + timedelta(days=7),
        now=NOW,
    )
    assert (seen.days, seen.past_days, seen.week_now, seen.week_then) == (14, 7, 3, 2)
    assert (seen.check_ins, seen.answers) == (3, 7)
    assert not program.pauses.exists()
    assert "7 days of it are over: week 3 becomes week 2." in seen.lines[0]


@pytest.mark.parametrize(("values", "count"), [({}, 62), ({"testing_run_gate": True}, 144)])
def test_of_a_long_pause_every_check_in_is_counted(values, count):
    """Asked on Monday, Wednesday and Friday, or daily: 20 weeks and four days from a Monday."""
    program = program_since_three_weeks(**values)
    end = TODAY + timedelta(days=144)
    seen = preview_pause(program=program, kind="holiday", starts_on=TODAY, ends_on=end, now=NOW)
    assert (seen.days, seen.check_ins) == (144, count)


def test_a_pause_lasts_a_year_at_most_and_a_longer_one_noted_before_keeps_its_dates():
    program = program_since_three_weeks()
    paused(program, TODAY, TODAY + timedelta(days=366))
    row = program.pauses.get()
    with pytest.raises(PlanError, match="At most 366 days") as error:
        changed(row, TODAY, TODAY + timedelta(days=367))
    assert error.value.field == "ends_on"
    program.pauses.update(ends_on=date.max)
    changed(row, TODAY, date.max, note="Abroad")
    assert program.pauses.get().note == "Abroad"


def test_of_an_ended_program_no_pause_is_looked_at():
    program = program_since_three_weeks(ended_on=TODAY)
    with pytest.raises(PlanError, match="has ended"):
        preview_pause(program=program, kind="holiday", starts_on=TODAY, ends_on=None, now=NOW)


def test_more_than_four_paused_weeks_ask_to_restart_or_discharge():
    program = make_program(
        make_case(opened_on=TODAY - timedelta(days=60)), started_on=TODAY - timedelta(days=60)
    )
    seen = [
        preview_pause(
            program=program,
            kind="holiday",
            starts_on=TODAY - timedelta(days=ago),
            ends_on=None,
            now=NOW,
        )
        for ago in (27, 28)
    ]
    assert [(one.paused_in_all, one.asks_to_restart) for one in seen] == [(28, False), (29, True)]


def test_a_new_fair_trial_restarts_the_clock_on_its_day_and_not_before_the_program_or_ahead():
    program = program_since_three_weeks(next_review_on=TODAY + timedelta(days=5))
    by = program.episode.clinician
    for on, words in ((START - timedelta(days=1), "started on"), (TODAY + timedelta(days=1), "or earlier")):
        with pytest.raises(PlanError, match=words):
            declare_fair_trial(program=program, on=on, reason="House move", by=by, now=NOW)
    program.refresh_from_db()
    assert clock_started_on(program) == START
    on = TODAY - timedelta(days=7)
    declare_fair_trial(program=program, on=on, reason="House move", by=by, now=NOW)
    program.refresh_from_db()
    assert clock_started_on(program) == on
    assert program.next_review_on == TODAY
