"""The diary under races, and what a client can't reach: fingerprints, places, the lock."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import connection

from patients.models import Patient
from programs.models import Alert, Answer, CheckInRequest, Program, Run
from programs.services.diary import (
    AnswerReport,
    DiaryConflict,
    DiaryError,
    DiaryNotFound,
    ExerciseDone,
    RunReport,
    SessionReport,
    add_next_morning,
    record_answer,
    record_run,
    record_session,
)
from programs.services.diary.reports import fingerprint
from programs.services.red_flags import clear
from tests.factories import NOW, TODAY, make_case, make_clinic, make_patient, make_program

pytestmark = pytest.mark.django_db

REPORT = AnswerReport(occurred_at=NOW, worst_left=Decimal("3.5"))


def answer(patient: Patient, report: AnswerReport = REPORT, client_id: UUID | None = None) -> Answer:
    return record_answer(patient=patient, client_id=client_id or uuid4(), report=report, now=NOW).row


def at_once(work: Callable[[int], object], times: int = 6) -> list[object]:
    """What each of several threads returned or raised, started together."""
    barrier = threading.Barrier(times)
    results: list[object] = [None] * times

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = work(number)
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


@pytest.fixture
def program() -> Program:
    return make_program()


@pytest.mark.django_db(transaction=True)
def test_the_same_answer_from_many_threads_is_stored_once() -> None:
    patient, uuid = make_program().episode.patient, uuid4()
    results = at_once(lambda _: record_answer(patient=patient, client_id=uuid, report=REPORT, now=NOW))
    assert sorted(result.created for result in results) == [False] * 5 + [True]
    assert {result.row.pk for result in results} == {Answer.objects.get().pk}


@pytest.mark.django_db(transaction=True)
def test_different_answers_racing_for_one_uuid_leave_one_row_and_conflicts() -> None:
    patient, uuid = make_program().episode.patient, uuid4()

    def send(number: int) -> object:
        report = dataclasses.replace(REPORT, worst_left=Decimal(number))
        return record_answer(patient=patient, client_id=uuid, report=report, now=NOW)

    results = at_once(send)
    winners = [result for result in results if not isinstance(result, Exception)]
    assert len(winners) == 1
    assert all(isinstance(result, DiaryConflict) for result in results if result not in winners)
    assert Answer.objects.get().worst_left == winners[0].row.worst_left


@pytest.mark.django_db(transaction=True)
def test_one_answer_is_corrected_by_one_of_many_threads() -> None:
    patient, wrong = make_program().episode.patient, uuid4()
    answer(patient, client_id=wrong)
    correction = dataclasses.replace(REPORT, worst_left=Decimal(1), corrects=wrong)
    results = at_once(lambda _: record_answer(patient=patient, client_id=uuid4(), report=correction, now=NOW))
    assert sum(isinstance(result, DiaryError) for result in results) == 5
    assert Answer.objects.current().count() == 1


@pytest.mark.django_db(transaction=True)
def test_red_flags_racing_open_one_alert() -> None:
    patient = make_program().episode.patient
    report = dataclasses.replace(REPORT, red_flags=("knee_locks",))
    results = at_once(lambda _: record_answer(patient=patient, client_id=uuid4(), report=report, now=NOW))
    assert [result for result in results if isinstance(result, Exception)] == []
    assert Alert.objects.count() == 1
    assert Answer.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_next_mornings_racing_store_one_value() -> None:
    patient, uuid = make_program().episode.patient, uuid4()
    report = RunReport(occurred_at=NOW, distance_km=Decimal(5), pain_during=Decimal(1))
    record_run(patient=patient, client_id=uuid, report=report, now=NOW)
    results = at_once(
        lambda number: add_next_morning(
            patient=patient,
            kind=Run,
            client_id=uuid,
            pain_next_morning=Decimal(number),
            now=NOW + timedelta(days=1),
        )
    )
    assert sum(isinstance(result, DiaryConflict) for result in results) == 5
    (winner,) = (result for result in results if not isinstance(result, Exception))
    assert Run.objects.get().pain_next_morning == winner.row.pain_next_morning


def test_a_failed_report_leaves_nothing_behind(program: Program) -> None:
    request = CheckInRequest.objects.create(
        clinic=program.clinic,
        program=program,
        local_date=TODAY,
        due_at=NOW,
        missed_at=NOW + timedelta(days=2),
    )
    with pytest.raises(ValueError, match="nonsense"):
        answer(program.episode.patient, dataclasses.replace(REPORT, red_flags=("nonsense",)))
    request.refresh_from_db()
    assert request.state == "open"
    assert not Answer.objects.exists()


def test_a_fingerprint_is_of_what_was_said_not_how_it_was_written() -> None:
    said = AnswerReport(
        occurred_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
        worst_left=Decimal("3.0"),
        worst_right=Decimal("-0"),
        red_flags=("knee_locks", "knee_swells"),
    )
    again = AnswerReport(
        occurred_at=datetime(2026, 3, 2, 10, 0, tzinfo=timezone(timedelta(hours=1))),
        worst_left=Decimal(3),
        worst_right=Decimal("0.0"),
        red_flags=("knee_swells", "knee_locks"),
        note="",
    )
    assert fingerprint(said) == fingerprint(again)


@pytest.mark.parametrize(
    "other",
    [
        {"worst_left": Decimal("3.6")},
        {"worst_left": None, "worst_right": Decimal("3.5")},
        {"usual_left": Decimal(0)},
        {"limping": True},
        {"note": "x"},
        {"request": 1},
        {"corrects": UUID(int=1)},
        {"locations_left": ("lateral",)},
        {"locations_right": ("lateral",)},
        {"red_flags": ("knee_locks",)},
        {"occurred_at": NOW + timedelta(microseconds=1)},
    ],
)
def test_any_difference_changes_the_fingerprint(other: dict[str, object]) -> None:
    assert fingerprint(dataclasses.replace(REPORT, **other)) != fingerprint(REPORT)


def test_dose_and_sets_are_not_mixed_up_in_the_fingerprint() -> None:
    one, two = (
        SessionReport(
            occurred_at=NOW, pain_during=Decimal(1), exercises=(ExerciseDone(dose=dose, sets_done=sets),)
        )
        for dose, sets in ((2, 3), (3, 2))
    )
    assert fingerprint(one) != fingerprint(two)


def test_a_pain_of_0_is_not_an_unanswered_one() -> None:
    none = dataclasses.replace(REPORT, usual_right=None)
    zero = dataclasses.replace(REPORT, usual_right=Decimal("0.0"))
    assert fingerprint(none) != fingerprint(zero)


def test_a_case_opens_and_closes_on_the_clinics_date() -> None:
    clinic = make_clinic(timezone="Pacific/Auckland")
    patient = make_patient(clinic, timezone="America/Los_Angeles")
    make_case(patient=patient, opened_on=TODAY)
    just_opened = datetime(
        2026, 3, 1, 11, 30, tzinfo=UTC
    )  # 2 March 00:30 in Auckland, 1 March in Los Angeles
    row = answer(patient, dataclasses.replace(REPORT, occurred_at=just_opened))
    assert row.local_date == TODAY - timedelta(days=1)
    with pytest.raises(DiaryError, match="No case of yours was open on 2026-03-01") as refused:
        answer(patient, dataclasses.replace(REPORT, occurred_at=just_opened - timedelta(hours=1)))
    assert refused.value.field == "occurred_at"


def test_of_two_open_cases_the_one_with_a_program_is_meant() -> None:
    patient = make_patient()
    older = make_program(make_case(patient=patient, opened_on=TODAY - timedelta(days=9)), started_on=TODAY)
    make_case(patient=patient, opened_on=TODAY - timedelta(days=2))
    assert answer(patient).episode == older.episode


def test_a_request_says_which_case_is_meant() -> None:
    patient = make_patient()
    one, two = (make_program(make_case(patient=patient)) for _ in range(2))
    for program in (one, two):
        request = CheckInRequest.objects.create(
            clinic=program.clinic,
            program=program,
            local_date=TODAY,
            due_at=NOW,
            missed_at=NOW + timedelta(days=2),
        )
        row = answer(patient, dataclasses.replace(REPORT, request=request.pk))
        assert (row.episode, row.program) == (program.episode, program)


def test_on_the_day_a_program_is_replaced_the_new_one_counts() -> None:
    case = make_case(opened_on=TODAY - timedelta(days=9))
    old = make_program(case, started_on=TODAY - timedelta(days=9), ended_on=TODAY)
    new = make_program(case, started_on=TODAY)
    assert answer(case.patient).program == new
    yesterday = dataclasses.replace(REPORT, occurred_at=NOW - timedelta(days=1))
    assert answer(case.patient, yesterday).program == old


def test_before_any_program_an_answer_belongs_to_the_case_alone() -> None:
    case = make_case()
    row = answer(case.patient)
    assert (row.episode, row.program) == (case, None)


def test_a_flag_that_was_cleared_brings_no_words_unless_it_is_urgent(program: Program) -> None:
    patient = program.episode.patient
    for code, words_again in (("knee_locks", None), ("calf_pain_swelling", "tier_1")):
        report = dataclasses.replace(REPORT, red_flags=(code,))
        first = record_answer(patient=patient, client_id=uuid4(), report=report, now=NOW)
        assert first.advice is not None
        alert = Alert.objects.unresolved().get()
        alert.state, alert.resolution, alert.resolved_by = "resolved", "clinician", program.assigned_by
        alert.resolved_at, alert.resolved_on = NOW, TODAY
        alert.save()
        again = record_answer(patient=patient, client_id=uuid4(), report=report, now=NOW)
        assert not Alert.objects.unresolved().exists()
        assert (again.advice and again.advice.tier) == words_again


def test_a_second_milder_flag_keeps_the_words_of_the_urgent_one(program: Program) -> None:
    patient = program.episode.patient
    answer(patient, dataclasses.replace(REPORT, red_flags=("deformity",)))
    milder = dataclasses.replace(REPORT, red_flags=("knee_locks",))
    recorded = record_answer(patient=patient, client_id=uuid4(), report=milder, now=NOW)
    assert recorded.advice is not None
    assert recorded.advice.tier == "tier_1"


def test_a_session_needs_an_exercise(program: Program) -> None:
    report = SessionReport(occurred_at=NOW, pain_during=Decimal(1), exercises=())
    with pytest.raises(DiaryError, match="Name one exercise at least") as refused:
        record_session(patient=program.episode.patient, client_id=uuid4(), report=report, now=NOW)
    assert refused.value.field == "exercises"


def test_the_next_morning_of_nothing_is_not_found(program: Program) -> None:
    with pytest.raises(DiaryNotFound):
        add_next_morning(
            patient=program.episode.patient,
            kind=Run,
            client_id=uuid4(),
            pain_next_morning=Decimal(0),
            now=NOW,
        )


def test_a_cleared_symptom_raises_again_when_the_patient_says_it_is_worse() -> None:
    case = make_case()
    locks = dataclasses.replace(REPORT, red_flags=("knee_locks",))
    answer(case.patient, locks)
    clear(alert=Alert.objects.get(), by=case.clinician, finding="Clicking only", now=NOW)

    answer(case.patient, locks)
    assert not Alert.objects.unresolved().exists()
    worse = answer(case.patient, dataclasses.replace(REPORT, worse_red_flags=("knee_locks",)))
    assert worse.red_flags == ["knee_locks"]
    assert Alert.objects.unresolved().get().kind == Alert.Kind.RED_FLAG


def test_a_report_has_todays_verdict_made_again() -> None:
    program = make_program(next_review_on=TODAY + timedelta(days=1))
    answer(program.episode.patient)
    program.refresh_from_db()
    assert program.next_review_on == TODAY


def test_a_retry_makes_no_verdict_again() -> None:
    program = make_program(next_review_on=TODAY)
    client_id = uuid4()
    answer(program.episode.patient, client_id=client_id)
    Program.objects.update(next_review_on=TODAY + timedelta(days=1))
    answer(program.episode.patient, client_id=client_id)
    program.refresh_from_db()
    assert program.next_review_on == TODAY + timedelta(days=1)
