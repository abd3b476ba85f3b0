"""A patient is shown who has read the record."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic.models import Membership, User
from clinic.roles import Role
from patients.models import Episode
from tests.api import Device, fields_of
from tests.factories import make_case, make_operator, make_user
from tests.staff import sign_in, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Episode:
    return make_case()


def look(case: Episode, times: int = 1) -> None:
    client = Client()
    sign_in(client, case.clinician)
    for _ in range(times):
        client.get(reverse("admin:patients_patient_change", args=[case.patient_id]))


def test_the_patient_sees_who_when_and_what_and_not_their_own_requests(case: Episode) -> None:
    look(case)
    look(make_case(case.clinic))
    device = Device(case.patient)
    device.get("me")
    body = device.get("me/access-log").json()
    [entry] = body["entries"]
    assert entry.pop("at")
    assert entry == {"name": case.clinician.name, "role": "Physio", "kind": "record"}
    assert body["next"] is None


def test_who_has_left_the_clinic_is_told_without_a_name(case: Episode) -> None:
    look(case)
    case.clinician.memberships.all().delete()
    [entry] = Device(case.patient).get("me/access-log").json()["entries"]
    assert (entry["name"], entry["role"]) == (
        f"Someone who is no member of staff (user {case.clinician_id})",
        "",
    )


def test_an_operator_who_read_by_break_glass_is_named_as_one(case: Episode) -> None:
    make_user(role=Role.OWNER, clinic=case.clinic)
    operator = make_operator(name="Otto Ops")
    client = signed_in(operator)
    client.post(reverse("break-glass", args=[case.clinic_id]), {"reason": "Support case 4711: a chart"})
    client.get(reverse("admin:patients_patient_change", args=[case.patient_id]))

    answer = Device(case.patient).get("me/access-log")
    [entry] = answer.json()["entries"]
    assert (entry["name"], entry["role"]) == ("Otto Ops", "Operator of the service")
    assert "4711" not in answer.content.decode()
    page = (
        signed_in(case.clinician)
        .get(reverse("admin:patients_patient_readers", args=[case.patient_id]))
        .content.decode()
    )
    assert "Otto Ops" in page
    assert "Operator of the service" in page


def test_an_operator_stays_one_in_what_they_read_when_they_become_staff(case: Episode) -> None:
    owner = make_user(role=Role.OWNER, clinic=case.clinic)
    operator = make_operator(name="Otto Ops")
    client = signed_in(operator)
    client.post(reverse("break-glass", args=[case.clinic_id]), {"reason": "Support case 4711: a chart"})
    client.get(reverse("admin:patients_patient_change", args=[case.patient_id]))
    User.objects.filter(pk=operator.pk).update(is_operator=False)
    Membership.objects.create(clinic=case.clinic, user=operator, role=Role.PHYSIO)
    signed_in(User.objects.get(pk=operator.pk)).get(
        reverse("admin:patients_patient_change", args=[case.patient_id])
    )

    answer = Device(case.patient).get("me/access-log")
    assert [(entry["name"], entry["role"]) for entry in answer.json()["entries"]] == [
        ("Otto Ops", "Physio"),
        ("Otto Ops", "Operator of the service"),
    ]
    assert "4711" not in answer.content.decode()
    readers = reverse("admin:patients_patient_readers", args=[case.patient_id])
    assert "Support case 4711: a chart" in signed_in(owner).get(readers).content.decode()
    assert "4711" not in signed_in(case.clinician).get(readers).content.decode()


def test_page_by_page(case: Episode, monkeypatch: Any) -> None:
    monkeypatch.setattr("programs.api.access_log.READERS_SHOWN", 2)
    look(case, times=3)
    device = Device(case.patient)
    first = device.get("me/access-log").json()
    second = device.get(f"me/access-log?before={first['next']}").json()
    assert (len(first["entries"]), len(second["entries"]), second["next"]) == (2, 1, None)
    assert first["entries"][1]["at"] > second["entries"][0]["at"]


@pytest.mark.parametrize("before", ["x", "0", str(2**63), "1.5"])
def test_a_wrong_place_is_named(case: Episode, before: str) -> None:
    refused = Device(case.patient).get(f"me/access-log?before={before}")
    assert (refused.status_code, fields_of(refused)) == (400, ["before"])


@pytest.mark.parametrize("times", [1, 3])
def test_it_takes_as_many_queries_for_one_reader_as_for_three(
    case: Episode, times: int, django_assert_num_queries: Any
) -> None:
    look(case, times)
    device = Device(case.patient)
    with django_assert_num_queries(7):
        device.get("me/access-log")
