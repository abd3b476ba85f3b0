"""Tries to get in, and to do what one may not, each leave one line that names no e-mail."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from clinic.logs import JsonFormatter
from clinic.models import User
from clinic.roles import Role
from tests.api import Device
from tests.factories import NOW, make_case, make_clinic, make_patient, make_user
from tests.staff import code_of, give_app, signed_in

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough one"

type Events = Callable[[], list[dict[str, str]]]


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def paul() -> User:
    paul = make_user("paul@example.org", Role.PHYSIO, make_clinic(), password=PASSWORD)
    give_app(paul)
    return paul


@pytest.fixture
def events() -> Iterator[Events]:
    """Those logged since the last call, as they are written out."""
    written, root = StringIO(), logging.getLogger()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())

    def read() -> list[dict[str, str]]:
        texts = written.getvalue().splitlines()
        written.truncate(written.seek(0))
        assert not any("@" in text for text in texts)
        return [line for line in map(json.loads, texts) if line["logger"] == "clinic.security"]

    root.addHandler(handler)
    yield read
    root.removeHandler(handler)


def give_password(client: Client, password: str = PASSWORD, email: str = "paul@example.org") -> None:
    client.post(reverse("admin:login"), {"username": email, "password": password}, REMOTE_ADDR="10.0.0.9")


def confirm(client: Client, **answer: str) -> None:
    client.post(reverse("second-factor"), answer, REMOTE_ADDR="10.0.0.9")


def halfway() -> Client:
    client = Client()
    give_password(client)
    return client


def test_a_wrong_password_says_when_from_where_on_what_and_for_which_account(
    paul: User, events: Events
) -> None:
    for email in ("paul@example.org", " Paul@Example.org", "nobody@example.org"):
        give_password(Client(), "guess", email)
    known, again, unknown = events()

    assert known.pop("request_id") != again.pop("request_id")
    account = known.pop("account")
    assert known == {
        "at": "2026-03-02T09:00:00.000+00:00",
        "level": "warning",
        "logger": "clinic.security",
        "message": "wrong password",
        "event": "wrong password",
        "address": "10.0.0.9",
        "route": "log-in",
    }
    assert account.startswith("hash:")
    assert account == again["account"] != unknown["account"]
    assert known.keys() | {"account", "request_id"} == unknown.keys()


def test_a_wrong_code_the_lock_it_ends_in_and_each_try_after_it(paul: User, events: Events) -> None:
    client = halfway()
    for _ in range(6):
        confirm(client, code="000000")
    found = events()

    assert [line["event"] for line in found] == ["wrong code"] * 5 + ["locked", "limited"]
    assert {line["account"] for line in found[:6]} == {f"user:{paul.pk}"}
    assert {line["route"] for line in found} == {"second-factor"}


def test_guessed_passwords_lock(paul: User, events: Events) -> None:
    for _ in range(6):
        give_password(Client(), "guess")
    found = events()

    assert [line["event"] for line in found] == ["wrong password"] * 5 + ["locked", "limited"]
    assert len({line["account"] for line in found}) == 1


def test_a_wrong_passkey_and_made_up_links(paul: User, events: Events) -> None:
    confirm(halfway(), passkey="{}")
    link = {"secret": f"{paul.pk}.made-up", "password": "another long one"}
    Client().post(reverse("password-reset-new"), link)
    Device().post("auth/invitation", {"token": "made-up", "device_name": "Phone"})

    found = [(line["event"], line.get("account"), line["route"]) for line in events()]
    assert found == [
        ("wrong passkey", f"user:{paul.pk}", "second-factor"),
        ("wrong link", f"user:{paul.pk}", "password-reset-new"),
        ("wrong link", None, "auth-invitation"),
    ]


def test_who_signs_in(paul: User, events: Events) -> None:
    confirm(halfway(), code=code_of(paul))
    (line,) = events()
    assert (line["event"], line["level"], line["account"]) == ("signed in", "info", f"user:{paul.pk}")


def test_a_patient_is_named_by_a_hash_only(events: Events, mailoutbox: Any) -> None:
    patient = make_patient(make_clinic())
    Device().post("auth/token", {"email": patient.email, "code": "000000", "device_name": "Phone"})
    (line,) = events()
    assert (line["event"], line["route"]) == ("wrong code", "auth-token")
    assert str(patient.pk) not in json.dumps(line)
    assert line["account"].startswith("hash:")


def test_a_refused_permission_is_told_and_a_row_of_somebody_else_is_just_not_there(
    paul: User, events: Events
) -> None:
    stranger = make_case().patient
    client = signed_in(paul)
    events()
    page = client.get(reverse("admin:clinic_rowattempt_changelist"))
    row = client.get(reverse("admin:patients_patient_change", args=[stranger.pk]))

    assert (page.status_code, row.status_code) == (403, 404)
    (line,) = events()
    assert (line["event"], line["account"]) == ("refused", f"user:{paul.pk}")
    assert line["route"] == "admin:clinic_rowattempt_changelist"
