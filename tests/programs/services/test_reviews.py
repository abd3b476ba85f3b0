"""The stall review of each case that is due: its verdict, as of today or of an earlier day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from clinic.thresholds import DEFAULTS, as_json
from programs.models import Alert, CheckInRequest, Program, Review
from programs.services.reviews import ReviewError, ReviewSweepError, review_as_of, review_due
from tests.factories import make_case, make_clinic, make_patient
from tests.programs.services.recorded import answer, break_case, day, flat_case, running_case
from tests.programs.services.reviewing import START, alert_of, at, review

pytestmark = pytest.mark.django_db


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
    break_case(broken)

    with pytest.raises(ReviewSweepError, match=f"1 cases .* program {broken.pk}"):
        review_due(now=at(day(fine, 50)))

    assert [found.program_id for found in Review.objects.all()] == [fine.pk]
    assert Program.objects.get(pk=broken.pk).next_review_on == START


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


def test_requests_still_open_are_not_due() -> None:
    """The share of answers counts what is past its missed time only."""
    program = flat_case(started_on=START, weeks=8)
    CheckInRequest.objects.filter(program=program, local_date=day(program, 56)).update(
        state="open", answered_at=None
    )

    assert review(program, 57).state == "stalled"
