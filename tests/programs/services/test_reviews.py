from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic.thresholds import DEFAULTS, as_json
from programs.models import Alert, AlertEvent, Answer, CheckInRequest, Program, Review
from programs.services import alerts as acts
from programs.services.reviews import ReviewError, ReviewSweepError, review_as_of, review_due
from tests.connections import from_another_connection, wait_for_a_lock
from tests.factories import make_case, make_clinic, make_patient
from tests.programs.services.recorded import answer, day, diary, flat_case, running_case, session

pytestmark = pytest.mark.django_db

START = date(2026, 1, 5)


def at(on: date, hour: int = 9) -> datetime:
    return datetime(on.year, on.month, on.day, hour, tzinfo=UTC)


def review(program: Program, number: int) -> Review:
    """Let the day's sweep run on that day of the program; its verdict."""
    on = day(program, number)
    Program.objects.filter(pk=program.pk).update(next_review_on=on)
    review_due(now=at(on))
    return Review.objects.get(program=program, day=on)


def alert_of(program: Program, kind: str = Alert.Kind.STALL) -> Alert:
    return Alert.objects.get(episode=program.episode, kind=kind)


def events_of(alert: Alert) -> list[str]:
    return [event.what for event in alert.events.all()]


# --- the review itself


def test_a_verdict_is_stored_with_its_evidence_and_the_thresholds_in_force() -> None:
    program = flat_case(started_on=START, weeks=8)
    program.episode.policy_overrides = {"stalled_week": 9}
    program.episode.save()

    found = review(program, 57)

    assert (found.week, found.state, found.trend, found.reason) == (
        8,
        "stalling",
        "flat",
        "adherence_unknown",
    )
    assert (found.baseline, found.now) == (6, 6)
    assert found.action == "Ask how often the exercises were done"
    assert found.verdict["case"] == program.episode.case_number
    assert {"topic": "adherence_unknown", "text": "No session was ever logged"} in found.verdict["evidence"]
    assert "Week 8, stalling, flat." in found.verdict["summary"]
    assert found.thresholds == as_json(DEFAULTS) | {"stalled_week": 9}
    assert found.reviewed_at == at(day(program, 57))


def test_a_case_is_due_when_its_day_has_come_where_the_patient_lives() -> None:
    clinic = make_clinic()
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        patient = make_patient(clinic, timezone=zone)
        running_case(started_on=START, episode=make_case(patient=patient, opened_on=START))
    Program.objects.update(next_review_on=date(2026, 2, 10))

    # 13:00 UTC on the 9th: the 10th has begun in Auckland only.
    assert review_due(now=at(date(2026, 2, 9), 13))["reviewed"] == 1
    assert Review.objects.get().episode.patient.timezone == "Pacific/Auckland"
    assert Review.objects.get().day == date(2026, 2, 10)
    assert review_due(now=at(date(2026, 2, 9), 13))["reviewed"] == 0
    assert review_due(now=at(date(2026, 2, 10), 8))["reviewed"] == 1
    assert sorted(Program.objects.values_list("next_review_on", flat=True)) == [date(2026, 2, 11)] * 2


def test_batches_are_worked_off_until_nothing_is_due() -> None:
    for _ in range(3):
        running_case(started_on=START)

    assert review_due(now=at(START), batch=2)["reviewed"] == 3
    assert Review.objects.count() == 3


def test_after_a_stop_of_weeks_a_case_is_reviewed_once_as_of_today() -> None:
    program = flat_case(started_on=START, weeks=8)

    review_due(now=at(day(program, 50)))

    assert [found.day for found in Review.objects.all()] == [day(program, 50)]


def test_a_second_review_of_a_day_takes_the_place_of_the_first() -> None:
    program = flat_case(started_on=START, weeks=7)
    assert review(program, 50).state == "stalling"
    answer(program, 50, 0)
    answer(program, 48, 0)

    assert review(program, 50).state == "on_track"
    assert Review.objects.count() == 1


def test_sleeping_ended_and_inactive_are_not_reviewed_by_the_sweep() -> None:
    flat_case(started_on=START, weeks=8, asleep=True)
    running_case(started_on=START, ended_on=START, end_reason="Discharged")
    clinic = make_clinic(is_active=False)
    running_case(started_on=START, episode=make_case(clinic, opened_on=START))

    assert review_due(now=at(START + timedelta(days=60)))["reviewed"] == 0
    assert not Review.objects.exists()
    assert not Alert.objects.exists()


def test_one_broken_case_does_not_stop_the_others() -> None:
    broken, fine = flat_case(started_on=START, weeks=7), flat_case(started_on=START, weeks=7)
    type(broken.episode).objects.filter(pk=broken.episode.pk).update(policy_overrides={"no_such": 1})

    with pytest.raises(ReviewSweepError, match=f"1 cases .* program {broken.pk}"):
        review_due(now=at(day(fine, 50)))

    assert [found.program_id for found in Review.objects.all()] == [fine.pk]
    assert Program.objects.get(pk=broken.pk).next_review_on == START


# --- what follows for the alerts


def test_a_stall_alert_opens_at_week_6_is_raised_at_week_8_and_keeps_its_age() -> None:
    program = flat_case(started_on=START, weeks=9)

    review(program, 41)
    assert not Alert.objects.exists()
    review(program, 42)
    opened = alert_of(program)
    assert (opened.level, opened.state, opened.reason) == ("stalling", "open", "adherence_unknown")
    assert opened.action == "Ask how often the exercises were done"
    assert opened.thresholds == as_json(DEFAULTS)
    assert "Week 6, stalling, flat" in opened.summary
    review(program, 43)
    review(program, 56)

    raised = alert_of(program)
    assert (raised.pk, raised.level) == (opened.pk, "stalled")
    assert raised.opened_on == day(program, 42)
    assert "Week 8, stalled, flat" in raised.summary
    assert events_of(raised) == ["opened", "raised"]


def test_who_acknowledged_a_stalling_case_hears_of_the_stalled_one() -> None:
    program = flat_case(started_on=START, weeks=9)
    review(program, 42)
    acts.acknowledge(alert=alert_of(program), by=program.assigned_by, now=at(day(program, 43)))
    review(program, 44)
    assert alert_of(program).state == "acknowledged"

    review(program, 56)

    alert = alert_of(program)
    assert (alert.state, alert.acknowledged_by) == ("open", None)
    acknowledged = alert.events.get(what="acknowledged")
    assert acknowledged.by == program.assigned_by  # who and when stay in its history


def test_a_snooze_ends_on_its_day_with_an_event() -> None:
    program = flat_case(started_on=START, weeks=9)
    review(program, 42)
    until = day(program, 46)
    acts.snooze(
        alert=alert_of(program),
        by=program.assigned_by,
        until=until,
        now=at(day(program, 42)),
        today=day(program, 42),
    )
    review(program, 45)
    assert alert_of(program).state == "snoozed"

    review(program, 46)

    alert = alert_of(program)
    assert (alert.state, alert.snoozed_until) == ("open", None)
    assert events_of(alert) == ["opened", "snoozed", "woke"]


def test_a_new_reason_is_noted_on_the_same_alert() -> None:
    program = flat_case(started_on=START, weeks=9)
    review(program, 42)
    session(program, 43)

    review(program, 44)
    review(program, 45)

    alert = alert_of(program)
    assert alert.reason == "not_doing"
    assert [entry["keys"] for entry in alert.evidence] == [["adherence_unknown"], ["not_doing"]]
    assert events_of(alert) == ["opened", "new_evidence"]


def recovered(program: Program) -> Alert:
    """Stalling on day 42, then success: seen on days 56 and 63."""
    review(program, 42)
    diary(program, dict.fromkeys((44, 46, 48, 50, 52, 54, 56, 58, 60, 62), 2))
    review(program, 56)
    assert alert_of(program).state == "open"
    review(program, 62)
    assert alert_of(program).state == "open"  # six days are too few
    review(program, 63)
    return alert_of(program)


def test_a_stall_resolves_by_itself_after_success_at_two_reviews_a_week_apart() -> None:
    program = flat_case(started_on=START, weeks=6)

    alert = recovered(program)

    assert (alert.state, alert.resolution, alert.resolved_by) == ("resolved", "recovered", None)
    assert alert.resolved_on == day(program, 63)
    assert "two reviews 7 or more days apart" in alert.outcome
    assert events_of(alert) == ["opened", "resolved"]


def test_failing_again_within_14_days_reopens_the_same_alert_with_its_age() -> None:
    program = flat_case(started_on=START, weeks=6)
    first = recovered(program)
    diary(program, dict.fromkeys((64, 66, 68, 70, 72, 74, 76), 9))

    review(program, 77)

    alert = alert_of(program)
    assert (alert.pk, alert.state, alert.resolution, alert.resolved_on) == (first.pk, "open", "", None)
    assert alert.opened_on == day(program, 42)
    assert events_of(alert) == ["opened", "resolved", "reopened"]


def test_failing_again_later_is_a_new_alert() -> None:
    program = flat_case(started_on=START, weeks=6)
    recovered(program)
    diary(program, dict.fromkeys(range(64, 80, 2), 9))

    review(program, 78)

    assert Alert.objects.filter(kind="stall").count() == 2
    assert Alert.objects.unresolved().get(kind="stall").opened_on == day(program, 78)


def test_resolved_by_a_clinician_it_stays_quiet_for_14_days() -> None:
    program = flat_case(started_on=START, weeks=9)
    review(program, 42)
    acts.resolve(
        alert=alert_of(program),
        by=program.assigned_by,
        outcome="Changed the doses",
        now=at(day(program, 43)),
        today=day(program, 43),
    )

    review(program, 56)
    assert Alert.objects.count() == 1
    review(program, 57)
    assert Alert.objects.unresolved().get().opened_on == day(program, 57)


def test_ten_days_of_silence_with_two_missed_check_ins_call_for_a_call() -> None:
    program = running_case(started_on=START)
    diary(program, {0: 6, 2: 6, 4: 5}, missed=[7, 9, 11])

    review(program, 13)
    assert not Alert.objects.exists()
    review(program, 14)

    alert = alert_of(program, Alert.Kind.SILENT)
    assert alert.action == "Call the patient"
    assert alert.summary == "No answer since 9 Jan 2026: 10 days, 3 check-ins missed"


def test_silence_closes_nothing() -> None:
    program = flat_case(started_on=START, weeks=6)
    review(program, 42)
    diary(program, {}, missed=[44, 49, 51, 56])

    assert review(program, 60).state == "insufficient_data"
    assert alert_of(program).state == "open"
    assert alert_of(program, Alert.Kind.SILENT).state == "open"


def test_worsening_overload_and_drift_open_their_own_alerts() -> None:
    program = running_case(started_on=START)
    diary(program, dict.fromkeys(range(7), 5))
    diary(program, dict.fromkeys(range(7, 22), 8))
    for number in (18, 20):
        session(program, number, pain_during=8)
    answer(program, 20, 8, locations_left=["below_patella"])

    review(program, 21)

    found = {alert.kind: alert.action for alert in Alert.objects.all()}
    assert found == {
        "worsening": "Check load and re-assess",
        "overload": "Cut the load one step",
        "drift": "Re-screen",
    }
    assert alert_of(program, "drift").reason == "below_patella"


def test_a_red_flag_is_neither_opened_changed_nor_closed() -> None:
    program = flat_case(started_on=START, weeks=9)
    flag = Alert.objects.create(
        clinic=program.clinic,
        episode=program.episode,
        kind=Alert.Kind.RED_FLAG,
        level="tier_2",
        summary="Knee locks",
        evidence=[{"code": "knee_locks", "text": "Knee locks", "source": "answer of 15 Jan"}],
        opened_on=day(program, 10),
        opened_at=at(day(program, 10)),
    )
    before = Alert.objects.filter(pk=flag.pk).values().get()

    assert review(program, 56).state == "on_hold"

    assert Alert.objects.filter(pk=flag.pk).values().get() == before
    assert Alert.objects.filter(kind="red_flag").count() == 1
    assert not AlertEvent.objects.filter(alert=flag).exists()


# --- as of a date


def test_as_of_a_date_judges_sleeping_programs_too_but_raises_no_alerts_for_them() -> None:
    program = flat_case(started_on=START, weeks=8, asleep=True)

    (found,) = review_as_of(on=day(program, 57), now=at(day(program, 90)))

    assert found.verdict.state == "stalled"
    assert Review.objects.get().state == "stalled"
    assert not Alert.objects.exists()


def test_as_of_a_date_alerts_follow_for_those_awake() -> None:
    program = flat_case(started_on=START, weeks=8)

    review_as_of(on=day(program, 57), now=at(day(program, 57)))

    assert alert_of(program).opened_on == day(program, 57)


def test_a_dry_run_stores_nothing() -> None:
    program = flat_case(started_on=START, weeks=8)

    (found,) = review_as_of(on=day(program, 57), now=at(day(program, 57)), dry_run=True)

    assert found.verdict.state == "stalled"
    assert not Review.objects.exists()
    assert not Alert.objects.exists()


def test_looking_back_past_a_newer_review_is_refused_as_a_whole_unless_dry() -> None:
    program, other = flat_case(started_on=START, weeks=8), flat_case(started_on=START, weeks=8)
    review(program, 50)
    stored = Review.objects.count()

    with pytest.raises(ReviewError, match="newer than 2026-02-16"):
        review_as_of(on=day(program, 42), now=at(day(program, 90)))

    assert Review.objects.count() == stored
    assert not Review.objects.filter(program=other, day=day(program, 42)).exists()
    assert len(review_as_of(on=day(program, 42), now=at(day(program, 90)), dry_run=True)) == 2
    assert len(review_as_of(on=day(program, 50), now=at(day(program, 90)))) == 2  # the same day again


def test_a_day_that_lies_ahead_is_for_dry_runs_only() -> None:
    program = flat_case(started_on=START, weeks=8)

    with pytest.raises(ReviewError, match="lies ahead"):
        review_as_of(on=day(program, 70), now=at(day(program, 57)))

    assert review_as_of(on=day(program, 70), now=at(day(program, 57)), dry_run=True)
    assert not Review.objects.exists()


def test_one_clinic_alone_and_only_programs_under_way_that_day() -> None:
    program = flat_case(started_on=START, weeks=8)
    flat_case(started_on=START, weeks=8)
    episode = make_case(program.clinic, opened_on=START)
    running_case(started_on=START + timedelta(days=60), episode=episode)
    ended = make_case(program.clinic, opened_on=START)
    running_case(started_on=START, episode=ended, ended_on=day(program, 57), end_reason="Discharged")

    def cases(number: int) -> list[str]:
        found = review_as_of(on=day(program, number), now=at(START), clinic=program.clinic, dry_run=True)
        return [case.as_json()["case"] for case in found]

    assert cases(57) == [program.episode.case_number]
    assert cases(56) == sorted([program.episode.case_number, ended.case_number])


def test_a_line_of_json_has_exactly_its_keys_and_the_load_note_is_evidence() -> None:
    program = flat_case(started_on=START, weeks=8)
    answer(program, 55, 6, worst_right=4)

    (found,) = review_as_of(on=day(program, 57), now=at(START), dry_run=True)

    line = found.as_json()
    assert list(line) == [
        "case",
        "week",
        "state",
        "trend",
        "reason",
        "reasons",
        "baseline",
        "now",
        "evidence",
        "action",
    ]
    note = "new pain in the right knee: review the load, not the diagnosis"
    assert line["evidence"][-1] == {"topic": "load_review", "text": note}


# --- many at once


@pytest.mark.parametrize("cases", [1, 3])
def test_a_sweep_costs_the_same_queries_for_one_case_and_for_three(cases: int) -> None:
    for _ in range(cases):
        program = flat_case(started_on=START, weeks=8)
        diary(program, {}, missed=[58])
    review_due(now=at(day(program, 43)))
    assert Alert.objects.count() == cases

    with CaptureQueriesContext(connection) as queries:
        review_due(now=at(day(program, 57)))

    assert Alert.objects.filter(level="stalled").count() == cases
    assert len(queries) == 34


@contextmanager
def held(program: Program) -> Iterator[None]:
    """Another connection changes the case at this moment."""
    ready, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            type(program.episode).objects.select_for_update().get(pk=program.episode_id)
            ready.set()
            done.wait(20)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert ready.wait(20)
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_case_somebody_is_changing_is_passed_by_and_reviewed_the_next_time() -> None:
    program, other = flat_case(started_on=START, weeks=8), flat_case(started_on=START, weeks=8)

    with held(program):
        assert review_due(now=at(day(program, 57)))["reviewed"] == 1
    assert Review.objects.get().program_id == other.pk

    assert review_due(now=at(day(program, 57)))["reviewed"] == 1
    assert Alert.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_do_the_same_as_one() -> None:
    programs = [flat_case(started_on=START, weeks=8) for _ in range(6)]
    start, errors = threading.Barrier(2), list[BaseException]()

    def sweep() -> None:
        try:
            start.wait(20)
            review_due(now=at(day(programs[0], 57)), batch=2)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not errors
    assert Review.objects.count() == 6
    assert Alert.objects.count() == 6
    assert AlertEvent.objects.count() == 6


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sweep", ["daily", "as_of"])
def test_a_patient_may_answer_while_the_case_is_reviewed(sweep: str) -> None:
    program = flat_case(started_on=START, weeks=8)
    now = at(day(program, 57))

    with transaction.atomic():
        if sweep == "daily":
            assert review_due(now=now)["reviewed"] == 1
        else:
            review_as_of(on=now.date(), now=now)
        from_another_connection(lambda: answer(program, 57, 3))

    assert Answer.objects.filter(program=program, local_date=now.date()).exists()
    assert Review.objects.count() == Alert.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_review_as_of_a_day_waits_for_whoever_changes_the_case() -> None:
    ended, runs_on = flat_case(started_on=START, weeks=8), flat_case(started_on=START, weeks=8)
    on = day(ended, 57)

    def review_all() -> None:
        review_as_of(on=on, now=at(on))
        connection.close()

    thread = threading.Thread(target=review_all)
    with transaction.atomic():
        Program.objects.filter(pk=ended.pk).update(ended_on=on, end_reason="Discharged")
        thread.start()
        wait_for_a_lock(thread)
    thread.join(20)

    assert [found.program_id for found in Review.objects.all()] == [runs_on.pk]
    assert [found.episode_id for found in Alert.objects.all()] == [runs_on.episode_id]


def test_a_dry_run_does_not_wait_for_anyone() -> None:
    program = flat_case(started_on=START, weeks=8)

    with CaptureQueriesContext(connection) as queries:
        review_as_of(on=day(program, 57), now=at(day(program, 57)), dry_run=True)

    assert not [query for query in queries if "FOR NO KEY UPDATE" in query["sql"]]


@pytest.mark.parametrize("batch", [1, 3])
def test_a_sweep_out_of_time_leaves_the_other_cases_to_the_next(batch: int) -> None:
    programs = [flat_case(started_on=START, weeks=7) for _ in range(3)]
    broken = programs[0].episode
    type(broken).objects.filter(pk=broken.pk).update(policy_overrides={"no_such": 1})
    now = at(day(programs[0], 50))

    with pytest.raises(ReviewSweepError, match="1 cases"):
        review_due(now=now, batch=batch, limit=timedelta(0))
    assert not Review.objects.exists()

    type(broken).objects.filter(pk=broken.pk).update(policy_overrides={})
    while review_due(now=now, batch=1, limit=timedelta(0))["reviewed"]:
        pass
    assert Review.objects.count() == 2
    review_due(now=now + timedelta(minutes=1), batch=1, limit=timedelta(0))
    assert Review.objects.count() == 3


def test_requests_still_open_are_not_due() -> None:
    """The share of answers counts what is past its missed time only."""
    program = flat_case(started_on=START, weeks=8)
    CheckInRequest.objects.filter(program=program, local_date=day(program, 56)).update(
        state="open", answered_at=None
    )

    assert review(program, 57).state == "stalled"
