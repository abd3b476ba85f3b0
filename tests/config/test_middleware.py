"""A request is one transaction: stored before it is acknowledged, or 503 and nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from programs.models import Answer
from tests.api import Device
from tests.factories import make_case, make_clinic, make_program, make_user
from tests.staff import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def device() -> Device:
    today = timezone.now().date()
    case = make_case(opened_on=today - timedelta(days=7))
    return Device(make_program(case, started_on=today - timedelta(days=7)).episode.patient)


@pytest.fixture
def no_database() -> Iterator[None]:
    usual = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    yield
    connection.close()
    connection.settings_dict["HOST"] = usual


def kill_connection(*_: Any, **__: Any) -> None:
    """The server ends it, as a restart does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def answer(device: Device) -> Any:
    report = {"occurred_at": timezone.now().isoformat(), "worst_left": 3}
    return device.put(f"me/answers/{uuid4()}", report)


def test_without_the_database_the_api_says_when_to_come_back(device: Device, no_database: None) -> None:
    refused = answer(device)

    assert (refused.status_code, refused["Retry-After"], refused["Cache-Control"]) == (503, "30", "no-store")
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["status"] == 503
    assert "may not have been stored" in refused.json()["detail"]


def test_without_the_database_the_admin_is_a_page_that_says_so(no_database: None) -> None:
    refused = Client(raise_request_exception=False).get(reverse("admin:index"))

    assert (refused.status_code, refused["Retry-After"]) == (503, "30")
    assert "Try again in half a minute" in refused.content.decode()


def test_what_a_view_finds_the_database_gone_for_is_not_stored(device: Device, monkeypatch: Any) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("programs.services.diary.writing.review_again", kill_connection)
        refused = answer(device)
    assert (refused.status_code, refused["Retry-After"]) == (503, "30")
    assert not Answer.objects.exists()
    assert answer(device).status_code == 201


def test_a_middleware_that_finds_the_database_gone_is_no_server_error(monkeypatch: Any) -> None:
    client = Client(raise_request_exception=False)
    sign_in(client, make_user(clinic=make_clinic()))
    monkeypatch.setattr("clinic.models.User.tenant", property(kill_connection))

    refused = client.get(reverse("admin:index"))
    assert (refused.status_code, refused["Retry-After"]) == (503, "30")


def test_a_report_whose_answer_fails_is_not_stored(device: Device, monkeypatch: Any) -> None:
    """The service is done by then: only the request as a whole can be undone."""

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no answer")

    with monkeypatch.context() as patched:
        patched.setattr("programs.api.base.ApiView.finalize_response", fail)
        assert answer(device).status_code == 500
    assert not Answer.objects.exists()
    assert answer(device).status_code == 201
