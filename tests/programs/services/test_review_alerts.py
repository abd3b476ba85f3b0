"""Which alerts a review opens, raises, closes or leaves alone."""

from __future__ import annotations

import pytest

from clinic.thresholds import DEFAULTS, as_json
from programs.models import Alert, AlertEvent, Program
from programs.services import alerts as acts
from programs.services.cases import set_case_policy
from programs.services.reviews import review_due
from tests.programs.services.recorded import answer, day, diary, flat_case, running_case, session
from tests.programs.services.reviewing import START, alert_of, at, events_of, review

pytestmark = pytest.mark.django_db


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


def test_a_threshold_of_the_case_changes_the_alerts_level_with_the_next_sweep() -> None:
    program = flat_case(started_on=START, weeks=9)
    review(program, 58)
    assert alert_of(program).level == "stalled"
    now = at(day(program, 58))

    set_case_policy(episode=program.episode, by=program.assigned_by, values={"stalled_week": 10}, now=now)
    review_due(now=now)

    alert = alert_of(program)
    assert (alert.level, program.reviews.latest("day").state) == ("stalling", "stalling")
    assert alert.thresholds["stalled_week"] == 10
    assert "stalling" in alert.summary
