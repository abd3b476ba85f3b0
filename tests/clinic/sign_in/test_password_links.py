"""A forgotten password: a link works once, for an hour."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from clinic import secrets
from clinic.models import OutboxMessage, User
from tests.clinic.sign_in.door import INDEX, ask_for_link, give_password
from tests.staff import signed_in

pytestmark = pytest.mark.django_db


def link() -> str:
    ask_for_link("Paul@example.org")
    mail = OutboxMessage.objects.filter(kind="password_reset").latest("pk")
    assert mail.to_email == "paul@example.org"
    return secrets.decrypt(mail.secret)


def set_password(secret: str, password: str = "another long one 7") -> Any:
    return Client().post(reverse("password-reset-new"), {"secret": secret, "password": password})


def test_a_link_sets_the_password_once_and_ends_every_session(paul: User) -> None:
    inside, secret = signed_in(paul), link()
    assert Client().get(reverse("password-reset-new")).status_code == 200  # a scanner looks
    assert set_password(secret, "short").status_code == 200

    assert "why=reset" in set_password(secret).url
    assert set_password(secret, "a third long one 8").status_code == 200
    assert give_password(Client(), "another long one 7").url == reverse("second-factor")
    assert "why=ended" in inside.get(INDEX).url


def test_a_link_dies_after_an_hour(paul: User, clock: time_machine.Traveller) -> None:
    secret = link()
    clock.shift(timedelta(minutes=60, seconds=1))
    assert set_password(secret).status_code == 200
    assert give_password(Client()).status_code == 302


@pytest.mark.parametrize("secret", ["", "x", "1.x", "9" * 60 + ".x", "1.", "\x00.x"])
def test_a_made_up_link_is_refused(paul: User, secret: str) -> None:
    assert set_password(secret).status_code == 200
    assert give_password(Client()).status_code == 302
