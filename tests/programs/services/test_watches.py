"""The relapse watch: one light question a month over a closed case, and a clinician asked to re-open it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from clinic.models import Membership, OutboxMessage
from clinic.roles import Denied, Role
from patients.models import Episode
from patients.services import CaseError
from programs.models import Alert, Answer, CheckInRequest, Program, RelapseWatch
from programs.services import checkins, diary, reviews, watches
from programs.services.assign import AssignError
from programs.services.cases import discharge, last_template, reopen
from tests.factories import NOW, TODAY, make_case, make_program, make_template, make_user
from tests.programs.services.recorded import answer, running_case
from tests.programs.services.reviewing import review

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FIRST = NOW + 31 * DAY


@pytest.fixture
def closed() -> Episode:
    """Discharged with worst pain 1, something to keep up and a watch."""
    case = make_case(opened_on=TODAY - 60 * DAY)
    program = make_program(case, started_on=TODAY - 60 * DAY, stage_started_on=TODAY - 60 * DAY)
    Answer.objects.create(
        clinic=case.clinic,
        patient=case.patient,
        episode=case,
        program=program,
        client_id=uuid4(),
        occurred_at=NOW - DAY,
        local_date=TODAY - DAY,
        worst_left=Decimal(1),
    )
    return discharge(
        episode=case,
        outcome="recovered",
        note="Runs again",
        by=case.clinician,
        now=NOW,
        today=TODAY,
        maintenance=make_template(maintenance=True, stages=1),
        watch=True,
    )


def tell(case: Episode, at: datetime, worst: str, **fields: Any) -> Answer:
    report = diary.AnswerReport(occurred_at=at, worst_left=Decimal(worst), **fields)
    recorded = diary.record_answer(patient=case.patient, client_id=uuid4(), report=report, now=at)
    return recorded.row


def test_the_monthly_question_looks_back_as_far_as_any_other(closed: Episode) -> None:
    watches.ask_due(now=FIRST)
    assert CheckInRequest.objects.get(watch__isnull=False).recall_days == 3


def test_a_red_flag_without_a_number_is_told_and_compares_nothing(closed: Episode) -> None:
    report = diary.AnswerReport(occurred_at=FIRST, red_flags=("knee_locks",))
    diary.record_answer(patient=closed.patient, client_id=uuid4(), report=report, now=FIRST)
    assert list(Alert.objects.values_list("kind", flat=True)) == ["red_flag"]


def test_an_activity_given_up_is_a_relapse_without_a_number_too(closed: Episode) -> None:
    tell(closed, FIRST, "1", active="yes")
    report = diary.AnswerReport(occurred_at=FIRST + DAY, red_flags=("knee_locks",), active="no")
    diary.record_answer(patient=closed.patient, client_id=uuid4(), report=report, now=FIRST + DAY)
    relapse = Alert.objects.get(kind="relapse")
    assert relapse.summary == "No longer back to what they want to do"


def test_a_discharge_hands_out_what_to_keep_up_and_leaves_no_active_program(closed: Episode) -> None:
    watch = RelapseWatch.objects.get(episode=closed)
    assert watch.pain_at_discharge == 1
    assert watch.program is not None
    assert watch.program.is_maintenance
    assert not Program.objects.active().filter(episode=closed).exists()


@pytest.mark.parametrize(
    ("diary", "lately"),
    [
        (dict.fromkeys(range(1, 26, 2), 6) | {44: 0}, 0),  # the last review has one answer: too little
        (dict.fromkeys(range(1, 26, 2), 2) | {44: 8}, 8),
        (dict.fromkeys(range(1, 45, 2), 6), 6),  # the last review's median
        (dict.fromkeys(range(1, 15, 2), 6), None),  # a month ago
    ],
)
def test_what_a_relapse_is_measured_from_is_the_newest_that_was_told(
    diary: dict[int, int], lately: int | None
) -> None:
    program = running_case(started_on=TODAY - 45 * DAY)
    for number, pain in diary.items():
        answer(program, number, worst=pain)
    for number in range(1, 46):
        review(program, number)
    assert watches.pain_lately(episode=program.episode, today=TODAY) == lately


def test_with_both_knees_hurting_the_worse_one_is_what_a_relapse_is_measured_from() -> None:
    program = running_case(started_on=TODAY - 45 * DAY)
    for number in range(20, 45, 2):
        answer(program, number, worst=1, worst_right=3 if number < 40 else 5)
    for number in range(20, 46):
        review(program, number)
    case = program.episode
    discharge(episode=case, outcome="improved", note="", by=case.clinician, now=NOW, today=TODAY, watch=True)
    assert RelapseWatch.objects.get().pain_at_discharge == 5
    assert watches.ask_due(now=FIRST) == 1
    report = diary.AnswerReport(occurred_at=FIRST, worst_left=Decimal(1), worst_right=Decimal(5))
    diary.record_answer(patient=case.patient, client_id=uuid4(), report=report, now=FIRST)
    assert not Alert.objects.filter(kind="relapse").exists()


def test_after_a_month_one_question_goes_out_however_often_it_is_looked(closed: Episode) -> None:
    assert watches.ask_due(now=NOW + 29 * DAY) == 0
    assert [watches.ask_due(now=FIRST) for _ in range(3)] == [1, 0, 0]
    assert CheckInRequest.objects.filter(watch__episode=closed).count() == 1
    assert OutboxMessage.objects.filter(kind="watch").count() == 1


def test_after_a_long_stop_one_question_is_asked_and_its_month_counts_from_then(closed: Episode) -> None:
    late = NOW + 100 * DAY
    assert [watches.ask_due(now=late), watches.ask_due(now=late + 29 * DAY)] == [1, 0]
    assert watches.ask_due(now=late + 31 * DAY) == 1


def test_an_unanswered_question_is_reminded_of_once_and_then_missed(closed: Episode) -> None:
    watches.ask_due(now=FIRST)
    told = [checkins.remind_due(now=FIRST + days * DAY) for days in (2, 3, 4, 9)]
    assert told == [0, 1, 0, 0]
    assert checkins.mark_missed(now=FIRST + 10 * DAY) == 1
    assert not Alert.objects.filter(episode=closed).exists()


def test_it_ends_after_its_months_and_asks_no_more(closed: Episode) -> None:
    watch = RelapseWatch.objects.get(episode=closed)
    over = NOW + (watch.ends_on - TODAY + DAY)
    assert watches.ask_due(now=over) == 0
    watch.refresh_from_db()
    assert (watch.end_reason, watch.next_ask_at) == ("over", None)


def test_the_patient_can_end_it_and_is_asked_no_more(closed: Episode) -> None:
    assert watches.stop_by_patient(patient=closed.patient, now=NOW) == 1
    assert watches.stop_by_patient(patient=closed.patient, now=NOW) == 0
    assert watches.ask_due(now=FIRST) == 0


def test_pain_that_is_back_opens_one_alert_and_a_good_answer_none(closed: Episode) -> None:
    watches.ask_due(now=FIRST)
    tell(closed, FIRST, "2", active="yes")
    assert CheckInRequest.objects.get(watch__episode=closed).state == "answered"
    assert not Alert.objects.exists()
    tell(closed, FIRST + DAY, "5", active="no")
    tell(closed, FIRST + 2 * DAY, "6", active="no")
    alert = Alert.objects.get()
    assert (alert.kind, alert.state, len(alert.evidence)) == ("relapse", "open", 2)
    assert alert.events.count() == 1


def test_a_red_flag_after_discharge_is_a_red_flag_as_always(closed: Episode) -> None:
    tell(closed, FIRST, "1", red_flags=("knee_locks",))
    assert Alert.objects.get().kind == "red_flag"


def test_without_a_watch_a_closed_case_takes_no_answer(closed: Episode) -> None:
    watches.stop_by_patient(patient=closed.patient, now=NOW)
    with pytest.raises(diary.DiaryError, match="No case of yours"):
        tell(closed, FIRST, "5")


def test_re_opening_is_a_new_case_with_what_the_old_one_knew(closed: Episode) -> None:
    tell(closed, FIRST, "5")
    by, on = closed.clinician, FIRST.date()
    created = reopen(episode=closed, by=by, now=FIRST, today=on)
    assert (created.diagnosis, created.index_side) == (closed.diagnosis, closed.index_side)
    assert (created.is_open, created.clinician) == (True, by)
    watch = RelapseWatch.objects.get(episode=closed)
    assert (watch.end_reason, watch.reopened_as) == ("reopened", created)
    assert Alert.objects.get().outcome == f"Re-opened as case {created.case_number}"
    with pytest.raises(CaseError, match="Re-opened already"):
        reopen(episode=closed, by=by, now=FIRST, today=on)
    closed.refresh_from_db()
    assert not closed.is_open


def test_an_assistant_re_opens_nothing(closed: Episode) -> None:
    assistant = make_user(role=Role.ASSISTANT, clinic=closed.clinic)
    with pytest.raises(Denied):
        reopen(episode=closed, by=assistant, now=FIRST, today=FIRST.date())
    assert Episode.objects.count() == 1


def test_what_is_handed_out_to_keep_up_is_looked_at_and_never_asked_or_judged(closed: Episode) -> None:
    kept = Program.objects.get(episode=closed, is_maintenance=True)
    assert (kept.started_on, kept.ended_on, kept.next_check_in_at) == (TODAY, TODAY, None)
    assert kept.stages.count() == 1
    assert checkins.ask_due(now=FIRST) == 0
    assert reviews.review_due(now=FIRST)["reviewed"] == 0
    assert last_template(closed) is None  # the program of the factories has none; this one treats nothing


def test_only_a_maintenance_program_is_handed_out_at_discharge() -> None:
    case = make_program(make_case()).episode
    with pytest.raises(AssignError, match="no program for after discharge"):
        discharge(
            episode=case,
            outcome="recovered",
            note="",
            by=case.clinician,
            now=NOW,
            today=TODAY,
            maintenance=make_template(),
        )


def test_re_opened_the_case_keeps_its_track_and_thresholds_and_who_left_treats_it_no_more(
    closed: Episode,
) -> None:
    Episode.objects.update(running_track="stopped", policy_overrides={"stalled_week": 9}, both_knees=True)
    Membership.objects.filter(user=closed.clinician).update(is_active=False)
    colleague = make_user(clinic=closed.clinic)
    created = reopen(episode=closed, by=colleague, now=FIRST, today=FIRST.date())
    assert (created.running_track, created.policy_overrides) == ("stopped", {"stalled_week": 9})
    assert (created.both_knees, created.clinician) == (True, colleague)
    assert not created.programs.exists()


def test_the_template_of_the_last_treatment_is_offered_for_the_next_one(closed: Episode) -> None:
    treated = make_template()
    Program.objects.filter(episode=closed, is_maintenance=False).update(template=treated)
    assert last_template(closed) == treated


def test_an_open_case_is_not_re_opened() -> None:
    case = make_case()
    with pytest.raises(CaseError, match="is open"):
        reopen(episode=case, by=case.clinician, now=NOW, today=TODAY)
    assert Episode.objects.count() == 1


def asked_and_re_opened(closed: Episode) -> tuple[CheckInRequest, Episode]:
    watches.ask_due(now=FIRST)
    asked = CheckInRequest.objects.get(watch__episode=closed)
    return asked, reopen(episode=closed, by=closed.clinician, now=FIRST + HOUR, today=FIRST.date())


def test_an_answer_to_its_question_after_re_opening_counts_in_the_new_case_with_its_red_flag(
    closed: Episode,
) -> None:
    asked, created = asked_and_re_opened(closed)
    stored = tell(closed, FIRST + 2 * HOUR, "6", request=asked.pk, red_flags=("knee_locks",))
    assert (stored.episode, stored.program, stored.request) == (created, None, asked)
    alert = Alert.objects.unresolved().get()
    assert (alert.kind, alert.episode) == ("red_flag", created)
    asked.refresh_from_db()
    assert asked.state == "answered"


def test_an_answer_given_before_the_watch_ended_and_sent_after_it_stays_with_the_watched_case(
    closed: Episode,
) -> None:
    watches.ask_due(now=FIRST)
    asked = CheckInRequest.objects.get(watch__episode=closed)
    watches.stop_by_patient(patient=closed.patient, now=FIRST + 2 * HOUR)
    report = diary.AnswerReport(
        occurred_at=FIRST + HOUR, worst_left=Decimal(6), request=asked.pk, red_flags=("knee_locks",)
    )
    stored = diary.record_answer(
        patient=closed.patient, client_id=uuid4(), report=report, now=FIRST + 3 * HOUR
    ).row
    assert (stored.episode, stored.request) == (closed, asked)
    assert {alert.kind for alert in Alert.objects.all()} == {"red_flag", "relapse"}


@pytest.mark.parametrize("ended_by", ["the patient", "the clinician", "its time"])
def test_a_late_answer_to_its_question_opens_the_alert_however_the_watch_ended(
    closed: Episode, ended_by: str
) -> None:
    watch = RelapseWatch.objects.get(episode=closed)
    watches.ask_due(now=FIRST)
    asked = CheckInRequest.objects.get(watch=watch)
    later = FIRST + 5 * DAY
    if ended_by == "the patient":
        watches.stop_by_patient(patient=closed.patient, now=FIRST + DAY)
    elif ended_by == "the clinician":
        watches.end_watch(watch=watch, by=closed.clinician, now=FIRST + DAY)
    else:
        later = NOW + (watch.ends_on - TODAY + 2 * DAY)
        assert watches.ask_due(now=later) == 0
    watch.refresh_from_db()
    assert not watch.is_running

    stored = tell(closed, later, "6", request=asked.pk, red_flags=("knee_locks",))

    assert (stored.episode, stored.request) == (closed, asked)
    assert {alert.kind for alert in Alert.objects.unresolved()} == {"red_flag", "relapse"}
    with pytest.raises(diary.DiaryError, match="No case of yours"):
        tell(closed, later + DAY, "6")  # nobody asked


@pytest.mark.parametrize("ended_by", ["the clinician", "nobody", "nobody, and booked as a new case"])
def test_a_late_answer_to_its_question_counts_in_the_case_that_goes_on_and_holds_it(
    closed: Episode, ended_by: str
) -> None:
    watch = RelapseWatch.objects.get(episode=closed)
    watches.ask_due(now=FIRST)
    asked = CheckInRequest.objects.get(watch=watch)
    if ended_by == "the clinician":
        watches.end_watch(watch=watch, by=closed.clinician, now=FIRST + DAY)
    again = FIRST + 3 * DAY
    if "new case" in ended_by:
        created = make_case(
            patient=closed.patient,
            clinician=closed.clinician,
            diagnosis=closed.diagnosis,
            index_side=closed.index_side,
            opened_on=again.date(),
        )
    else:
        created = reopen(episode=closed, by=closed.clinician, now=again, today=again.date())
    program = make_program(created, started_on=again.date(), stage_started_on=again.date())

    stored = tell(closed, again + DAY, "8", request=asked.pk, red_flags=("knee_locks",))

    assert (stored.episode, stored.request) == (created, asked)
    alert = Alert.objects.unresolved().get()
    assert (alert.kind, alert.episode) == ("red_flag", created)
    assert program.holds.filter(cleared_at=None).exists()


def test_what_was_felt_before_the_re_opening_and_sent_after_it_is_kept_without_a_false_relapse(
    closed: Episode,
) -> None:
    watch = RelapseWatch.objects.get(episode=closed)
    watches.ask_due(now=FIRST)
    asked = CheckInRequest.objects.get(watch=watch)
    watches.end_watch(watch=watch, by=closed.clinician, now=FIRST + DAY)
    again = FIRST + 5 * DAY
    reopen(episode=closed, by=closed.clinician, now=again, today=again.date())
    report = diary.AnswerReport(
        occurred_at=FIRST + 2 * DAY, worst_left=Decimal(8), request=asked.pk, red_flags=("knee_locks",)
    )
    stored = diary.record_answer(patient=closed.patient, client_id=uuid4(), report=report, now=again).row
    assert stored.episode == closed
    assert [alert.kind for alert in Alert.objects.unresolved()] == ["red_flag"]


def test_what_was_felt_before_the_discharge_and_sent_after_it_is_no_relapse(closed: Episode) -> None:
    report = diary.AnswerReport(occurred_at=NOW - 3 * DAY, worst_left=Decimal(7))
    stored = diary.record_answer(patient=closed.patient, client_id=uuid4(), report=report, now=FIRST).row
    assert stored.episode == closed
    assert not Alert.objects.exists()


def test_a_named_question_never_leads_into_the_case_of_another_patient(closed: Episode) -> None:
    asked, created = asked_and_re_opened(closed)
    stranger = make_case(closed.clinic)
    with pytest.raises(diary.DiaryNotFound):
        tell(stranger, FIRST + 2 * HOUR, "6", request=asked.pk)
    assert not Answer.objects.filter(episode__in=(stranger, created)).exists()


def test_an_old_question_leads_to_the_watch_that_runs_after_a_second_discharge(closed: Episode) -> None:
    asked, again = asked_and_re_opened(closed)
    make_program(again, started_on=TODAY + 32 * DAY, stage_started_on=TODAY + 32 * DAY)
    later = FIRST + 90 * DAY
    discharge(
        episode=again,
        outcome="recovered",
        note="Runs again",
        by=again.clinician,
        now=later - DAY,
        today=(later - DAY).date(),
        watch=True,
    )
    stored = tell(closed, later, "1", request=asked.pk, red_flags=("knee_locks",))
    assert (stored.episode, stored.request) == (again, asked)
    assert Alert.objects.get(kind="red_flag").episode == again
