"""Break-glass: an operator reads one clinic's records for an hour, and the owner knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from clinic.audit.models import AuditEntry
from clinic.models import BreakGlass, Membership, OutboxMessage, User
from clinic.roles import Role
from patients.models import Episode
from programs.models import ContactLog
from tests.factories import NOW, make_case, make_clinic, make_operator, make_program, make_user
from tests.programs.services.weekly import alert
from tests.staff import signed_in

pytestmark = pytest.mark.django_db

WHY = "Support case 4711: a chart does not load"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def case() -> Episode:
    clinic = make_clinic(name="Riverside")
    make_user("owner@example.org", Role.OWNER, clinic)
    return make_case(clinic)


@pytest.fixture
def operator() -> User:
    return make_operator(name="Otto Ops")


def record(case: Episode) -> str:
    return reverse("admin:patients_patient_change", args=[case.patient_id])


def open_records(client: Client, case: Episode, reason: str = WHY) -> Any:
    return client.post(reverse("break-glass", args=[case.clinic_id]), {"reason": reason})


def reads(client: Client, case: Episode) -> bool:
    answer = client.get(record(case))
    return answer.status_code == 200 and case.patient.family_name in answer.content.decode()


def test_a_reason_opens_the_records_of_that_clinic_for_an_hour(
    case: Episode, operator: User, clock: time_machine.Traveller
) -> None:
    client, other = signed_in(operator), make_case()
    assert not reads(client, case)
    open_records(client, case)

    assert reads(client, case)
    assert not reads(client, other)
    page = client.get(reverse("admin:patients_patient_changelist")).content.decode()
    assert "Break-glass: you may read the records of Riverside until 10:00. Support case 4711" in page
    banner = page[page.index("Break-glass: you may read") :]
    close = re.search(
        rf'<form method="post" action="{reverse("break-glass-close")}">.*?</form>', banner, re.DOTALL
    )
    assert close
    assert "csrfmiddlewaretoken" in close[0]
    assert "Close</button>" in close[0]
    assert other.patient.family_name not in page
    clock.shift(timedelta(minutes=29))
    client.get(reverse("admin:index"))
    clock.shift(timedelta(minutes=29))
    assert reads(client, case)
    clock.shift(timedelta(minutes=2))
    assert not reads(client, case)


def test_the_owners_are_told_at_once_and_see_it_on_record(case: Episode, operator: User) -> None:
    open_records(signed_in(operator), case)

    mail = OutboxMessage.objects.get()
    assert (mail.to_email, mail.kind, mail.clinic) == ("owner@example.org", "break_glass", case.clinic)
    assert WHY in mail.text
    assert "Otto Ops" in mail.text
    assert case.patient.family_name not in mail.text
    page = reverse("admin:clinic_breakglass_changelist")
    owner = User.objects.get(email="owner@example.org")
    assert WHY in signed_in(owner).get(page).content.decode()
    elsewhere = make_user(role=Role.OWNER, clinic=make_clinic())
    assert WHY not in signed_in(elsewhere).get(page).content.decode()
    assert signed_in(case.clinician).get(page).status_code == 403


@pytest.mark.parametrize("reason", [WHY, "x" * 500])
def test_what_was_read_is_on_record_with_the_reason(case: Episode, operator: User, reason: str) -> None:
    client = signed_in(operator)
    open_records(client, case, reason)
    assert reads(client, case)

    entry = AuditEntry.objects.filter(action="read").latest("id")
    assert (entry.who, entry.patients) == (f"user:{operator.pk}", [case.patient_id])
    assert entry.why == f"Break-glass {BreakGlass.objects.get().pk}: {reason}"[:500]


def test_the_trail_is_not_shown_rather_than_empty(case: Episode, operator: User) -> None:
    client, raised = signed_in(operator), alert(make_program(case))
    open_records(client, case)
    for name, pk in (
        ("patients_patient_history", case.patient_id),
        ("patients_patient_readers", case.patient_id),
        ("patients_episode_history", case.pk),
        ("programs_alert_history", raised.pk),
        ("clinic_clinic_history", case.clinic_id),
    ):
        refused = client.get(reverse(f"admin:{name}", args=[pk]))
        assert refused.status_code == 403, name
        assert "Not shown to operators of the service" in refused.content.decode()
    for name, pk in (
        ("patients_patient", case.patient_id),
        ("patients_episode", case.pk),
        ("programs_alert", raised.pk),
        ("clinic_clinic", case.clinic_id),
    ):
        page = client.get(reverse(f"admin:{name}_change", args=[pk])).content.decode()
        assert "/history/" not in page, name
        assert "/readers/" not in page
    treating = signed_in(case.clinician).get(reverse("admin:programs_alert_change", args=[raised.pk]))
    assert "/history/" in treating.content.decode()


@pytest.mark.parametrize("reason", ["", "   ", "because"])
def test_without_a_reason_nothing_opens(case: Episode, operator: User, reason: str) -> None:
    client = signed_in(operator)
    assert open_records(client, case, reason).status_code == 200
    assert not BreakGlass.objects.exists()
    assert not OutboxMessage.objects.exists()
    assert not reads(client, case)


def test_a_clinic_without_an_owner_to_tell_stays_closed(case: Episode, operator: User) -> None:
    Membership.objects.filter(role=Role.OWNER).update(is_active=False)
    assert open_records(signed_in(operator), case).status_code == 200
    assert not BreakGlass.objects.exists()


def test_only_an_operator_opens_records(case: Episode) -> None:
    for user in (case.clinician, make_user(role=Role.OWNER, clinic=make_clinic())):
        assert open_records(signed_in(user), case).status_code == 404
    assert not BreakGlass.objects.exists()


def test_opened_records_are_read_and_never_written(case: Episode, operator: User) -> None:
    client = signed_in(operator)
    open_records(client, case)

    for act in ("discharge", "log-contact"):
        assert client.post(reverse("admin:do", args=[act, case.pk]), {"outcome": "x"}).status_code == 403
    client.post(record(case), {"given_name": "Changed"})
    case.refresh_from_db()
    assert (case.patient.given_name, case.is_open) == ("Robin", True)
    assert not ContactLog.objects.exists()


def test_it_is_closed_before_its_time(case: Episode, operator: User) -> None:
    client = signed_in(operator)
    open_records(client, case)
    client.post(reverse("break-glass-close"))
    assert not reads(client, case)
    assert BreakGlass.objects.get().ends_at == NOW
