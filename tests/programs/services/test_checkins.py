"""Check-ins: asked at the patient's local time, once; reminded once; missed; no storm after a stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic.models import OutboxMessage
from programs.models import Answer, CheckInRequest, Hold, Pause, Program
from programs.services import checkins
from programs.services.checkins import CheckInSweepError
from tests.connections import from_another_connection
from tests.factories import NOW, TODAY, make_case, make_clinic, make_patient, make_program
from tests.programs.services.recorded import answer, break_case

pytestmark = pytest.mark.django_db

State = CheckInRequest.State
SLOT = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
"""Monday 18:00 in Amsterdam, in winter."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def program_of(*, clinic: Any = None, patient: dict[str, Any] | None = None, **fields: Any) -> Program:
    """A program that has just been scheduled: its next slot is Monday 18:00 in Amsterdam."""
    person = make_patient(clinic or make_clinic(), **(patient or {}))
    program = make_program(make_case(patient=person), **fields)
    checkins.schedule_next(program=program, now=NOW)
    return program


def next_of(program: Program) -> Any:
    program.refresh_from_db()
    return program.next_check_in_at


def requests_of(program: Program) -> list[tuple[date, str]]:
    rows = CheckInRequest.objects.filter(program=program).order_by("local_date")
    return list(rows.values_list("local_date", "state"))


def kinds_sent() -> list[str]:
    return list(OutboxMessage.objects.order_by("pk").values_list("kind", flat=True))


def pause(program: Program, starts_on: date, ends_on: date | None = None) -> None:
    Pause.objects.create(
        clinic=program.clinic,
        program=program,
        kind=Pause.Kind.HOLIDAY,
        starts_on=starts_on,
        ends_on=ends_on,
        paused_by=program.assigned_by,
    )


class TestRecall:
    @pytest.mark.parametrize(("daily", "days"), [(False, 3), (True, 1)])
    def test_an_ordinary_check_in_looks_back_three_days_and_a_daily_one_a_day(
        self, daily: bool, days: int
    ) -> None:
        program = program_of(testing_run_gate=daily)
        checkins.ask_due(now=SLOT)
        assert program.requests.get().recall_days == days
        (mail,) = OutboxMessage.objects.filter(kind="check_in")
        assert f"in the last {'24 hours' if daily else '3 days'}?" in mail.text

    def test_who_waits_to_run_is_asked_daily_over_a_day(self) -> None:
        program = program_of()
        type(program.episode).objects.filter(pk=program.episode_id).update(running_track="stopped")
        checkins.ask_due(now=SLOT)
        assert program.requests.get().recall_days == 1

    def test_how_far_is_the_clinics_setting_and_what_was_asked_keeps_its_own(self) -> None:
        program = program_of()
        checkins.ask_due(now=SLOT)
        program.clinic.policy.overrides = {"check_in_recall_days": 2}
        program.clinic.policy.save()
        checkins.ask_due(now=SLOT + 2 * DAY)
        assert list(program.requests.order_by("local_date").values_list("recall_days", flat=True)) == [3, 2]

    def test_what_a_stop_made_miss_keeps_the_window_too(self) -> None:
        program = program_of()
        checkins.ask_due(now=SLOT + 7 * DAY)
        assert set(program.requests.values_list("state", "recall_days")) == {("missed", 3), ("open", 3)}


class TestScheduling:
    def test_the_default_is_monday_wednesday_friday_at_six_local_time(self) -> None:
        program = program_of()
        slots = [next_of(program)]
        for _ in range(3):
            checkins.ask_due(now=slots[-1])
            slots.append(next_of(program))

        assert slots == [SLOT, SLOT + 2 * DAY, SLOT + 4 * DAY, SLOT + 7 * DAY]

    @pytest.mark.parametrize(
        ("zone", "expected"),
        [
            ("America/New_York", datetime(2026, 3, 2, 23, tzinfo=UTC)),
            ("Asia/Tokyo", datetime(2026, 3, 4, 9, tzinfo=UTC)),
        ],
    )
    def test_the_time_is_the_patients_own(self, zone: str, expected: datetime) -> None:
        assert next_of(program_of(patient={"timezone": zone})) == expected

    def test_the_clinic_sets_days_and_time_and_the_program_overrules_it(self) -> None:
        clinic = make_clinic(overrides={"check_in_weekdays": [2], "check_in_time": "07:30"})
        by_clinic = program_of(clinic=clinic)
        own = program_of(clinic=clinic, check_in_weekdays=[4], check_in_time=time(21, 15))

        assert next_of(by_clinic) == datetime(2026, 3, 3, 6, 30, tzinfo=UTC)
        assert next_of(own) == datetime(2026, 3, 5, 20, 15, tzinfo=UTC)

    def test_while_the_running_gate_is_tested_it_asks_daily(self) -> None:
        program = program_of(testing_run_gate=True)
        for day in range(4):
            assert checkins.ask_due(now=SLOT + day * DAY) == 1

        assert [day for day, _ in requests_of(program)] == [TODAY + day * DAY for day in range(4)]

    @pytest.mark.parametrize(
        ("running_stage", "daily"), [(1, True), (2, True), (3, False), (None, True)], ids=str
    )
    def test_who_stopped_running_is_asked_daily_whenever_the_program_was_assigned(
        self, running_stage: int | None, daily: bool
    ) -> None:
        """By what the program is now: nothing of it is stored, which a program of last year would lack."""
        program = make_program(make_case(running_track="stopped"), stages=3)
        program.stages.filter(number=running_stage).update(is_running=True)
        checkins.schedule_next(program=program, now=NOW)
        for day in range(4):
            checkins.ask_due(now=SLOT + day * DAY)

        asked = [day for day, _ in requests_of(program)]
        assert asked == [TODAY + day * DAY for day in (range(4) if daily else (0, 2))]

    @pytest.mark.parametrize("fields", [{"asleep": True}, {"ended_on": TODAY}])
    def test_a_sleeping_or_ended_program_has_no_next_slot(self, fields: dict[str, Any]) -> None:
        assert next_of(program_of(**fields)) is None

    def test_an_edit_leaves_a_slot_due_that_was_not_asked_yet(self) -> None:
        program = program_of()
        checkins.schedule_next(program=program, now=SLOT + timedelta(seconds=30))

        assert next_of(program) == SLOT
        assert checkins.ask_due(now=SLOT + timedelta(seconds=60)) == 1

    def test_an_edit_after_todays_question_does_not_ask_again_today(self) -> None:
        program = program_of()
        checkins.ask_due(now=SLOT)
        program.refresh_from_db()
        program.check_in_weekdays, program.check_in_time = [1, 2], time(22, 0)
        checkins.schedule_next(program=program, now=SLOT + HOUR)

        assert next_of(program) == datetime(2026, 3, 3, 21, 0, tzinfo=UTC)

    def test_a_patient_who_moved_west_is_asked_when_it_is_six_there(self) -> None:
        program = program_of()
        type(program.episode.patient).objects.update(timezone="America/New_York")

        assert checkins.ask_due(now=SLOT) == 0
        assert next_of(program) == SLOT + 6 * HOUR
        assert checkins.ask_due(now=SLOT + 6 * HOUR) == 1


class TestAsking:
    def test_one_request_and_one_mail_at_the_slot_and_none_before(self) -> None:
        program = program_of()

        assert checkins.ask_due(now=SLOT - timedelta(seconds=1)) == 0
        assert checkins.ask_due(now=SLOT) == 1
        assert checkins.ask_due(now=SLOT) == 0
        request = CheckInRequest.objects.get()
        assert (request.program, request.local_date, request.due_at) == (program, TODAY, SLOT)
        assert (request.clinic, request.state) == (program.clinic, State.OPEN)
        assert (request.remind_at, request.missed_at) == (SLOT + 24 * HOUR, SLOT + 48 * HOUR)
        message = OutboxMessage.objects.get()
        patient = program.episode.patient
        assert (message.kind, message.dedupe_key) == ("check_in", f"check_in:{request.pk}")
        assert (message.to_email, message.patient_key) == (patient.email, patient.pk)
        assert (message.clinic, message.next_attempt_at) == (program.clinic, SLOT)
        assert f"/check-ins/{request.pk}" in message.text

    def test_when_to_remind_and_to_give_up_are_policy(self) -> None:
        program_of(clinic=make_clinic(overrides={"remind_after_hours": 6, "missed_after_hours": 12}))
        checkins.ask_due(now=SLOT)

        request = CheckInRequest.objects.get()
        assert (request.remind_at, request.missed_at) == (SLOT + 6 * HOUR, SLOT + 12 * HOUR)

    @pytest.mark.parametrize("patient", [{"email": ""}, {"email_bounced_at": NOW}])
    def test_without_a_working_address_the_request_waits_in_the_app(self, patient: dict[str, Any]) -> None:
        program_of(patient=patient)

        assert checkins.ask_due(now=SLOT) == 1
        assert CheckInRequest.objects.get().state == State.OPEN
        assert kinds_sent() == []

    def test_batches_reach_every_program(self) -> None:
        for _ in range(5):
            program_of()

        assert checkins.ask_due(now=SLOT, batch=2) == 5
        assert CheckInRequest.objects.count() == 5

    def test_ended_sleeping_closed_and_inactive_ones_are_not_asked(self) -> None:
        ended, sleeping, closed, inactive = (program_of() for _ in range(4))
        Program.objects.filter(pk=ended.pk).update(ended_on=TODAY)
        Program.objects.filter(pk=sleeping.pk).update(asleep=True)
        type(closed.episode).objects.filter(pk=closed.episode_id).update(closed_on=TODAY, outcome="recovered")
        type(inactive.clinic).objects.filter(pk=inactive.clinic_id).update(is_active=False)

        assert checkins.ask_due(now=SLOT) == 0
        assert not CheckInRequest.objects.exists()
        assert kinds_sent() == []

    def test_a_hold_for_a_red_flag_does_not_stop_the_questions(self) -> None:
        program = program_of()
        Hold.objects.create(
            clinic=program.clinic, program=program, since=NOW, red_flags=["knee_locks"], reason="Knee locks"
        )

        assert checkins.ask_due(now=SLOT) == 1

    def test_paused_days_are_not_asked_and_the_first_day_back_is(self) -> None:
        program = program_of()
        pause(program, TODAY, TODAY + 4 * DAY)  # back on Friday
        for day in range(5):
            checkins.ask_due(now=SLOT + day * DAY)

        assert requests_of(program) == [(TODAY + 4 * DAY, State.OPEN)]
        assert next_of(program) == SLOT + 7 * DAY

    def test_an_open_pause_asks_nothing(self) -> None:
        program = program_of()
        pause(program, TODAY)

        assert checkins.ask_due(now=SLOT + 30 * DAY) == 0
        assert requests_of(program) == []
        assert next_of(program) > SLOT + 30 * DAY

    def test_one_broken_program_stops_no_other_and_is_told(self) -> None:
        first, broken, last = program_of(), program_of(), program_of()
        break_case(broken)

        with pytest.raises(CheckInSweepError, match=f"1 rows failed, first of them {broken.pk}; 2 were"):
            checkins.ask_due(now=SLOT)
        assert requests_of(first) == requests_of(last) == [(TODAY, State.OPEN)]
        assert requests_of(broken) == []
        assert next_of(broken) == SLOT  # due still, once it is mended

    def test_what_exists_for_the_date_is_not_asked_again(self) -> None:
        program = program_of()
        CheckInRequest.objects.create(
            clinic=program.clinic, program=program, local_date=TODAY, due_at=SLOT, missed_at=SLOT + 48 * HOUR
        )

        assert checkins.ask_due(now=SLOT) == 0
        assert requests_of(program) == [(TODAY, State.OPEN)]
        assert kinds_sent() == []
        assert next_of(program) == SLOT + 2 * DAY

    @pytest.mark.parametrize(("number", "expected"), [(1, 19), (3, 53)])
    def test_queries_grow_by_a_fixed_number_a_program(self, number: int, expected: int) -> None:
        for _ in range(number):
            program_of()
        with CaptureQueriesContext(connection) as queries:
            checkins.ask_due(now=SLOT)

        assert len(queries) == expected


class TestAfterAStop:
    def test_one_current_question_and_the_earlier_ones_missed_without_mail(self) -> None:
        program = program_of()

        assert checkins.ask_due(now=SLOT + 9 * DAY) == 1  # Wednesday of the week after
        assert requests_of(program) == [
            (TODAY, State.MISSED),
            (TODAY + 2 * DAY, State.MISSED),
            (TODAY + 4 * DAY, State.MISSED),
            (TODAY + 7 * DAY, State.MISSED),
            (TODAY + 9 * DAY, State.OPEN),
        ]
        assert kinds_sent() == ["check_in"]
        assert next_of(program) == SLOT + 11 * DAY

    def test_who_is_asked_late_has_the_whole_time_to_answer(self) -> None:
        program_of(check_in_weekdays=[1])
        now = SLOT + 3 * DAY
        checkins.ask_due(now=now)

        assert checkins.mark_missed(now=now) == 0
        request = CheckInRequest.objects.get()
        assert (request.due_at, request.remind_at) == (SLOT, now + 24 * HOUR)
        assert request.missed_at == now + 48 * HOUR

    def test_paused_slots_are_not_counted_as_missed(self) -> None:
        program = program_of()
        pause(program, TODAY + 2 * DAY, TODAY + 7 * DAY)
        checkins.ask_due(now=SLOT + 9 * DAY)

        assert requests_of(program) == [
            (TODAY, State.MISSED),
            (TODAY + 7 * DAY, State.MISSED),
            (TODAY + 9 * DAY, State.OPEN),
        ]


class TestReminding:
    def open_request(self, **fields: Any) -> CheckInRequest:
        program = program_of(**fields)
        checkins.ask_due(now=SLOT)
        return CheckInRequest.objects.get(program=program)

    def test_once_after_24_hours(self) -> None:
        request = self.open_request()

        assert checkins.remind_due(now=SLOT + 24 * HOUR - timedelta(seconds=1)) == 0
        assert checkins.remind_due(now=SLOT + 24 * HOUR) == 1
        assert checkins.remind_due(now=SLOT + 25 * HOUR) == 0
        assert kinds_sent() == ["check_in", "reminder"]
        assert OutboxMessage.objects.get(kind="reminder").dedupe_key == f"reminder:{request.pk}"

    def test_not_if_it_is_answered(self) -> None:
        request = self.open_request()
        CheckInRequest.objects.filter(pk=request.pk).update(state=State.ANSWERED, answered_at=SLOT + HOUR)

        assert checkins.remind_due(now=SLOT + 24 * HOUR) == 0
        assert kinds_sent() == ["check_in"]

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda request: pause(request.program, TODAY + DAY),
            lambda request: type(request.program.episode.patient).objects.update(email_bounced_at=SLOT),
            lambda request: type(request.program.episode.patient).objects.update(email=""),
            lambda request: Program.objects.update(ended_on=TODAY),
            lambda request: Program.objects.update(next_check_in_at=SLOT + 24 * HOUR),
            lambda request: CheckInRequest.objects.create(
                clinic=request.clinic,
                program=request.program,
                local_date=TODAY + DAY,
                due_at=SLOT + DAY,
                missed_at=SLOT + 3 * DAY,
            ),
        ],
        ids=["paused", "bounced", "no address", "ended", "next one due", "next one asked"],
    )
    def test_nobody_is_reminded_in_vain(self, spoil: Callable[[CheckInRequest], object]) -> None:
        spoil(self.open_request())

        assert checkins.remind_due(now=SLOT + 24 * HOUR) == 0
        assert "reminder" not in kinds_sent()

    def test_not_of_one_that_is_missed_by_now(self) -> None:
        self.open_request()

        assert checkins.remind_due(now=SLOT + 48 * HOUR) == 0
        assert kinds_sent() == ["check_in"]

    def test_batches_reach_every_request(self) -> None:
        for _ in range(5):
            program_of()
        checkins.ask_due(now=SLOT)

        assert checkins.remind_due(now=SLOT + 24 * HOUR, batch=2) == 5


class TestMissing:
    def test_after_48_hours_and_not_before(self) -> None:
        program = program_of()
        checkins.ask_due(now=SLOT)

        assert checkins.mark_missed(now=SLOT + 48 * HOUR - timedelta(seconds=1)) == 0
        assert checkins.mark_missed(now=SLOT + 48 * HOUR) == 1
        assert checkins.mark_missed(now=SLOT + 48 * HOUR) == 0
        assert requests_of(program) == [(TODAY, State.MISSED)]

    def test_an_answer_stays_an_answer(self) -> None:
        program = program_of()
        checkins.ask_due(now=SLOT)
        CheckInRequest.objects.update(state=State.ANSWERED, answered_at=SLOT + HOUR)

        assert checkins.mark_missed(now=SLOT + 48 * HOUR) == 0
        assert requests_of(program) == [(TODAY, State.ANSWERED)]


class TestDaylightSaving:
    @pytest.mark.parametrize(
        ("day", "at"),
        [(date(2026, 3, 29), time(2, 30)), (date(2026, 10, 25), time(2, 30))],
        ids=["gap", "overlap"],
    )
    def test_a_day_is_asked_exactly_once(self, day: date, at: time) -> None:
        person = make_patient()
        program = make_program(
            make_case(patient=person, opened_on=day),
            started_on=day,
            stage_started_on=day,
            check_in_time=at,
            testing_run_gate=True,
        )
        now = datetime.combine(day, time(0), tzinfo=UTC) - 3 * HOUR
        checkins.schedule_next(program=program, now=now)
        for step in range(12 * 6):
            checkins.ask_due(now=now + step * timedelta(minutes=10))

        assert [found for found, _ in requests_of(program)] == [day]


@pytest.mark.django_db(transaction=True)
class TestTwoBeats:
    @pytest.mark.parametrize("job", ["ask_due", "remind_due"])
    def test_two_sweeps_at_once_do_the_work_of_one(self, job: str) -> None:
        for _ in range(8):
            program_of()
        now = SLOT
        if job == "remind_due":
            checkins.ask_due(now=SLOT)
            OutboxMessage.objects.all().delete()
            now = SLOT + 24 * HOUR
        done: list[int] = []
        start = threading.Barrier(2)

        def sweep() -> None:
            try:
                start.wait(5)
                done.append(getattr(checkins, job)(now=now))
            finally:
                connection.close()

        threads = [threading.Thread(target=sweep) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

        assert len(done) == 2
        assert sum(done) == 8
        assert CheckInRequest.objects.count() == 8
        assert OutboxMessage.objects.count() == 8

    def test_a_program_that_another_sweep_holds_is_left_to_it(self) -> None:
        program = program_of()
        locked, free = threading.Event(), threading.Event()

        def hold() -> None:
            try:
                with transaction.atomic():
                    Program.objects.select_for_update().get(pk=program.pk)
                    locked.set()
                    free.wait(5)
            finally:
                connection.close()

        thread = threading.Thread(target=hold)
        thread.start()
        assert locked.wait(5)
        assert checkins.ask_due(now=SLOT) == 0
        free.set()
        thread.join(5)
        assert checkins.ask_due(now=SLOT) == 1

    @pytest.mark.parametrize("job", ["ask_due", "remind_due"])
    def test_a_patient_may_answer_during_a_sweep(self, job: str) -> None:
        program = program_of()
        checkins.ask_due(now=SLOT)
        request, now = CheckInRequest.objects.get(), SLOT + 24 * HOUR
        if job == "ask_due":
            now = next_of(program)

        with transaction.atomic():
            assert getattr(checkins, job)(now=now) == 1
            from_another_connection(lambda: answer(program, 0, 3, request=request))

        assert Answer.objects.get().request == request


@pytest.mark.parametrize("job", ["ask_due", "remind_due"])
def test_a_sweep_out_of_time_leaves_the_others_to_the_next(job: str) -> None:
    for _ in range(3):
        program_of()
    now = SLOT
    if job == "remind_due":
        checkins.ask_due(now=SLOT)
        now = SLOT + 24 * HOUR

    done = [getattr(checkins, job)(now=now, batch=2, limit=timedelta(0)) for _ in range(4)]

    assert done == [1, 1, 1, 0]
