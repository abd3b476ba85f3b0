"""The token in the header: one answer for every one that does not count."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from patients.models import DeviceToken, Patient
from tests.api import Device, bare, problem_of
from tests.factories import make_patient, make_user

pytestmark = pytest.mark.django_db

ADDRESSES = ["me", "me/program", "me/check-ins", "me/progress"]


@pytest.fixture
def patient() -> Patient:
    return make_patient()


@pytest.mark.parametrize("path", ADDRESSES)
def test_without_a_token_every_address_asks_for_one(path: str) -> None:
    response = Device().get(path)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    assert problem_of(response)["title"] == "Unauthorized"


@pytest.mark.parametrize(
    "header",
    [
        "Token",
        "Token nonsense",
        "Token a b",
        "Token \xff\xfe",
        "Bearer abc",
        "Token " + "0" * 5000,
        "\x00",
        "Basic YQ==",
    ],
)
def test_a_bad_token_is_refused(patient: Patient, header: str) -> None:
    Device(patient)
    response = Device().get("me", Authorization=header)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    problem_of(response)


def test_the_key_part_of_a_token_is_not_enough(patient: Patient) -> None:
    device = Device(patient)
    token = device.headers["Authorization"].removeprefix("Token ")
    forged = token[:15] + "0" * (len(token) - 15)
    assert device.get("me").status_code == 200
    assert device.get("me", Authorization=f"Token {forged}").status_code == 401


def test_an_expired_token_a_disabled_login_and_a_closed_clinic_are_refused_alike(patient: Patient) -> None:
    expired = Device(patient, expiry=timezone.now() - timedelta(seconds=1)).get("me")
    device = Device(patient)
    assert device.get("me").status_code == 200
    patient.user.is_active = False
    patient.user.save()
    disabled = device.get("me")
    patient.user.is_active = True
    patient.user.save()
    patient.clinic.is_active = False
    patient.clinic.save()
    closed = device.get("me")
    assert [answer.status_code for answer in (expired, disabled, closed)] == [401] * 3
    assert bare(expired) == bare(disabled) == bare(closed)


def test_a_revoked_token_is_refused_at_once(patient: Patient) -> None:
    device = Device(patient)
    DeviceToken.objects.all().delete()
    assert device.get("me").status_code == 401


def test_a_staff_session_opens_nothing_here(patient: Patient) -> None:
    device = Device()
    device.http.force_login(make_user(clinic=patient.clinic))
    assert device.get("me").status_code == 401


def test_health_data_is_not_for_caches(patient: Patient) -> None:
    assert Device(patient).get("me")["Cache-Control"] == "no-store"
    assert Device().get("me")["Cache-Control"] == "no-store"
