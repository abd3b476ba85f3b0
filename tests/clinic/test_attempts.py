"""A row that can't be handled is counted before each attempt, waits longer each time, and is given up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from clinic import attempts
from clinic.models import Clinic, ClinicPolicy, Membership, RowAttempt
from clinic.outbox import BACKOFF, MAX_ATTEMPTS
from clinic.roles import Role
from clinic.row_security import Tenant, acting_for
from patients.models import Patient
from programs.models import Alert, CheckInRequest, Digest, Program, Review
from programs.services import checkins, digests, red_flags, retention, reviews
from tests.clinic.test_admin import client_of
from tests.connections import from_another_connection
from tests.enforced import enforced
from tests.factories import NOW, TODAY, make_case, make_clinic, make_operator, make_program, make_user
from tests.programs.services.recorded import break_case

pytestmark = pytest.mark.django_db

FAR = NOW + timedelta(days=30)
MINUTE = timedelta(minutes=1)


def make_work(clinic: Clinic) -> dict[str, int]:
    """In the clinic, a row due for every sweep: its id by the sweep's name."""
    owner = make_user(role=Role.OWNER, clinic=clinic)
    first, second = (make_case(clinic, clinician=owner) for _ in range(2))
    at = time(10)  # in Amsterdam
    asked = make_program(first, next_check_in_at=NOW, check_in_time=at, next_review_on=TODAY)
    quiet = make_program(second, next_check_in_at=FAR, next_review_on=FAR.date())
    request = CheckInRequest.objects.create(
        clinic=clinic, program=quiet, local_date=TODAY, due_at=NOW, remind_at=NOW, missed_at=FAR
    )
    about = {"clinic": clinic, "episode": quiet.episode, "opened_on": TODAY, "opened_at": NOW}
    flagged = {"kind": "red_flag", "level": "tier_2", "summary": "Knee locks", "escalate_at": NOW}
    return {
        "ask_check_ins": asked.pk,
        "remind_check_ins": request.pk,
        "review_cases": asked.pk,
        "send_digests": Membership.objects.get(user=owner).pk,
        "escalate_red_flags": Alert.objects.create(**about, **flagged).pk,
    }


def spoil(clinic: Clinic) -> None:
    """Nothing can be done for this clinic any more: what its rows say can't be read."""
    ClinicPolicy.objects.filter(clinic=clinic).update(overrides={"no_such": 1})
    Patient.objects.filter(clinic=clinic).update(timezone="No/Where")
    Alert.objects.filter(clinic=clinic).update(level="no such tier")


SWEEPS: dict[str, Callable[..., Any]] = {
    "ask_check_ins": checkins.ask_due,
    "remind_check_ins": checkins.remind_due,
    "review_cases": reviews.review_due,
    "send_digests": digests.send_due,
    "escalate_red_flags": red_flags.escalate_due,
}
DONE: dict[str, Callable[[int], bool]] = {
    "ask_check_ins": lambda key: CheckInRequest.objects.filter(program=key).exists(),
    "remind_check_ins": lambda key: not CheckInRequest.objects.filter(pk=key, remind_at=NOW).exists(),
    "review_cases": lambda key: Review.objects.filter(program=key).exists(),
    "send_digests": lambda key: Digest.objects.filter(clinic__memberships=key).exists(),
    "escalate_red_flags": lambda key: Alert.objects.filter(pk=key).exclude(escalated_at=None).exists(),
}


@pytest.mark.parametrize("sweep", sorted(SWEEPS.keys() - {red_flags.ESCALATION}))
def test_a_poison_row_is_given_up_after_eight_attempts_and_the_others_go_on(sweep: str) -> None:
    sick = make_clinic()
    poison = make_work(sick)[sweep]
    spoil(sick)
    well = make_work(make_clinic())[sweep]
    now, waits = NOW, []
    for number in range(1, MAX_ATTEMPTS + 1):
        with pytest.raises(Exception, match="1 "):
            SWEEPS[sweep](now=now)
        assert DONE[sweep](well)
        row = RowAttempt.objects.get(sweep=sweep)
        assert (row.key, row.clinic, row.attempts, row.began_at) == (poison, sick, number, now)
        assert row.error
        SWEEPS[sweep](now=now)  # it waits: nothing is raised, and nothing counted
        waits.append(row.next_at and row.next_at - now)
        now = row.next_at or now

    assert waits == [*BACKOFF, None]
    SWEEPS[sweep](now=NOW + timedelta(days=20))
    row.refresh_from_db()
    assert (row.attempts, row.next_at) == (MAX_ATTEMPTS, None)
    assert not DONE[sweep](poison)


def test_a_red_flag_is_never_given_up() -> None:
    clinic = make_clinic()
    key = make_work(clinic)[red_flags.ESCALATION]
    Alert.objects.filter(pk=key).update(level="no such tier")
    now, waits = NOW, []
    for _ in range(MAX_ATTEMPTS + 4):
        with pytest.raises(red_flags.EscalationError):
            red_flags.escalate_due(now=now)
        red_flags.escalate_due(now=now)  # it waits
        row = RowAttempt.objects.get()
        assert row.next_at
        waits.append(row.next_at - now)
        now = row.next_at

    assert waits == [*BACKOFF[:4], *[timedelta(hours=1)] * MAX_ATTEMPTS]
    Alert.objects.filter(pk=key).update(level="tier_2")
    assert red_flags.escalate_due(now=now) == 1
    assert DONE[red_flags.ESCALATION](key)


def test_new_symptoms_are_escalated_in_their_time_however_often_that_failed_before() -> None:
    """They come with the patient's own request, which sees nothing of sweeps."""
    clinic = make_clinic()
    alert = Alert.objects.get(pk=make_work(clinic)[red_flags.ESCALATION])
    other = make_work(make_clinic())[red_flags.ESCALATION]
    for key in (alert.pk, other):
        attempts.begin(sweep=red_flags.ESCALATION, model=Alert, keys=[key], now=NOW, waits=[None])
    patient = alert.episode.patient_id

    with enforced(), acting_for(Tenant((clinic.pk,), patient=patient)):
        about = {"source": "check-in", "evidence": [], "now": NOW + MINUTE}
        red_flags.raise_red_flag(episode=alert.episode, codes=["hot_knee_or_fever"], **about)

    assert list(RowAttempt.objects.values_list("key", flat=True)) == [other]
    alert.refresh_from_db()
    assert red_flags.escalate_due(now=alert.escalate_at) == 1
    assert DONE[red_flags.ESCALATION](alert.pk)


@pytest.mark.parametrize("sweep", SWEEPS)
def test_what_can_not_come_due_any_more_is_in_no_trouble(sweep: str) -> None:
    keys = [make_work(clinic)[sweep] for clinic in (make_clinic(), make_clinic())]
    model = {"remind_check_ins": CheckInRequest, "send_digests": Membership, "escalate_red_flags": Alert}
    attempts.begin(sweep=sweep, model=model.get(sweep, Program), keys=keys, now=NOW)
    gone = {
        "remind_check_ins": {"state": "missed"},
        "send_digests": {"is_active": False},
        "escalate_red_flags": {"state": "acknowledged", "acknowledged_at": NOW},
    }.get(sweep, {"ended_on": TODAY, "end_reason": "discharged"})
    model.get(sweep, Program).objects.filter(pk=keys[0]).update(**gone)

    counted = retention.forget_of_clinic(now=NOW, today=TODAY)

    assert counted["troubles_deleted"] == 1
    assert list(RowAttempt.objects.values_list("key", flat=True)) == keys[1:]


def test_what_is_mended_is_done_at_its_next_try_and_leaves_no_trace() -> None:
    clinic = make_clinic()
    key = make_work(clinic)["ask_check_ins"]
    ClinicPolicy.objects.filter(clinic=clinic).update(overrides={"no_such": 1})
    with suppress(checkins.CheckInSweepError):
        checkins.ask_due(now=NOW)
    ClinicPolicy.objects.filter(clinic=clinic).update(overrides={})

    assert checkins.ask_due(now=NOW + MINUTE - timedelta(seconds=1)) == 0
    assert checkins.ask_due(now=NOW + MINUTE) == 1
    assert DONE["ask_check_ins"](key)
    assert not RowAttempt.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_attempt_is_committed_before_the_work_and_ends_with_it() -> None:
    program = make_program()
    about: dict[str, Any] = {"sweep": "ask_check_ins", "model": Program, "key": program.pk, "now": NOW}
    seen: list[int] = []

    def look() -> None:
        from_another_connection(lambda: seen.extend(RowAttempt.objects.values_list("attempts", flat=True)))

    attempts.attempt(**about, work=look)
    assert (seen, RowAttempt.objects.count()) == ([1], 0)

    def die() -> None:
        """As a killed worker: not even the failure can be written down."""
        connection.connection.close()

    with pytest.raises(DatabaseError):
        attempts.attempt(**about, work=die)
    connection.close()
    assert RowAttempt.objects.get().attempts == 1
    assert attempts.attempt(**about, work=lambda: "done") is None
    assert attempts.attempt(**about | {"now": NOW + MINUTE}, work=lambda: "done") == "done"


def test_what_the_work_did_before_it_failed_is_undone() -> None:
    program = make_program()

    def work() -> None:
        Program.objects.update(name="Changed")
        raise ValueError("no such\nRobin Runner")

    with pytest.raises(ValueError, match="no such"), transaction.atomic():
        attempts.attempt(sweep="ask_check_ins", model=Program, key=program.pk, now=NOW, work=work)
    program.refresh_from_db()
    assert program.name != "Changed"


def test_reviews_that_were_under_way_when_the_worker_died_come_one_by_one() -> None:
    """Else the one that kills it takes those beside it along."""
    programs = [make_program(next_review_on=TODAY) for _ in range(3)]
    keys = [program.pk for program in programs]
    attempts.begin(sweep="review_cases", model=Program, keys=keys, now=NOW)  # and the worker dies
    break_case(programs[1])

    assert reviews.review_due(now=NOW)["reviewed"] == 0
    with pytest.raises(reviews.ReviewSweepError, match="1 cases"):
        reviews.review_due(now=NOW + MINUTE)
    assert set(Review.objects.values_list("program", flat=True)) == {keys[0], keys[2]}
    assert list(RowAttempt.objects.values_list("key", "attempts")) == [(keys[1], 2)]


def test_two_sweeps_do_not_count_the_same_attempt_twice() -> None:
    program = make_program()
    begun = [
        attempts.begin(sweep="ask_check_ins", model=Program, keys=[program.pk], now=NOW) for _ in range(2)
    ]

    assert begun == [[program.pk], []]
    assert RowAttempt.objects.get().attempts == 1


class TestInTheAdmin:
    address = reverse("admin:clinic_rowattempt_changelist")

    @pytest.fixture
    def row(self) -> RowAttempt:
        program = make_program()
        about = {"sweep": "ask_check_ins", "key": program.pk, "error": "PolicyError: no_such"}
        began_at = datetime(2026, 3, 2, 9, tzinfo=UTC)
        return RowAttempt.objects.create(clinic=program.clinic, **about, attempts=8, began_at=began_at)

    def test_owner_and_operator_see_it_and_have_it_tried_again(self, row: RowAttempt) -> None:
        owner = make_user(role=Role.OWNER, clinic=row.clinic)
        for user in (owner, make_operator()):
            shown = client_of(user).get(self.address).content.decode()
            assert "Ask for check-ins" in shown
            assert "Given up" in shown
            assert "PolicyError: no_such" in shown
        chosen = {"action": "try_now", "_selected_action": [row.pk]}
        answer = client_of(owner).post(self.address, chosen, follow=True)
        assert "1 row is tried again" in answer.content.decode()
        assert not RowAttempt.objects.exists()

    def test_nobody_else_does(self, row: RowAttempt) -> None:
        chosen = {"action": "try_now", "_selected_action": [row.pk]}
        assert client_of(make_user(clinic=row.clinic)).get(self.address).status_code == 403
        stranger = client_of(make_user(role=Role.OWNER, clinic=make_clinic()))
        assert "PolicyError" not in stranger.get(self.address).content.decode()
        stranger.post(self.address, chosen)
        assert RowAttempt.objects.filter(pk=row.pk).exists()
