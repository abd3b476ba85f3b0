"""Tries are counted: by account and by address, and whoever is locked out is told."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from clinic.accounts.factors import new_recovery_codes
from clinic.models import OutboxMessage, Tally, User
from tests.api import Device
from tests.clinic.sign_in.door import (
    PASSWORD,
    change_password,
    confirm,
    give_password,
    guess_until_locked,
    halfway,
)
from tests.clinic.sign_in.test_password_links import link, set_password
from tests.factories import NOW
from tests.staff import code_of, signed_in

pytestmark = pytest.mark.django_db


def test_five_wrong_passwords_lock_the_account_and_one_mail_says_so(
    paul: User, clock: time_machine.Traveller
) -> None:
    assert guess_until_locked()["Retry-After"] == "900"
    assert give_password(Client()).status_code == 429  # the right one too
    assert [mail.to_email for mail in OutboxMessage.objects.all()] == ["paul@example.org"]
    clock.shift(timedelta(minutes=15))
    assert give_password(Client()).status_code == 302

    guess_until_locked()
    assert OutboxMessage.objects.count() == 1  # one a day


def test_five_wrong_codes_lock_the_second_step(paul: User) -> None:
    client = halfway()
    answers = [confirm(client, "000000") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert answers[-1]["Retry-After"] == "900"
    assert confirm(halfway(), code_of(paul)).status_code == 429
    mail = OutboxMessage.objects.get()
    assert mail.kind == "account_locked_codes"
    for body in (mail.text, mail.html):
        assert "Somebody who knows your password tried wrong codes" in body
        assert reverse("admin:password_change") in body
        assert reverse("password-reset") not in body


def test_a_new_password_lifts_the_lock_as_the_mail_says(paul: User) -> None:
    guess_until_locked()
    mail = OutboxMessage.objects.get()
    assert "A new password lifts the lock at once." in mail.text
    assert set_password(link()).status_code == 302
    assert give_password(Client(), "another long one 7").status_code == 302


def test_a_recovery_code_works_once_and_its_use_is_told(paul: User) -> None:
    code = new_recovery_codes(user=paul, now=NOW)[3]
    assert confirm(halfway(), code).status_code == 302
    mail = OutboxMessage.objects.get(kind="account_changed")
    assert "A recovery code was used to sign in: 9 codes left." in mail.text
    again = confirm(halfway(), code)
    assert "This recovery code was used before. Take another." in again.content.decode()
    assert OutboxMessage.objects.count() == 1
    assert "9 unused codes left" in signed_in(paul).get(reverse("account")).content.decode()


def test_who_signs_out_reads_our_words_and_a_way_back(paul: User) -> None:
    page = signed_in(paul).post(reverse("admin:logout")).content.decode()
    assert "You are signed out on this device." in page
    assert "quality time" not in page
    assert f'href="{reverse("admin:login")}"' in page


def test_a_right_password_counts_for_nothing(paul: User, settings: Any) -> None:
    settings.SIGN_IN_TRIES_BY_ADDRESS = 5
    for _ in range(8):
        assert confirm(halfway(), code_of(paul)).status_code == 302


def test_one_address_can_not_try_every_account(paul: User, settings: Any) -> None:
    settings.SIGN_IN_TRIES_BY_ADDRESS = 5
    answers = [give_password(Client(), email=f"p{n}@example.org") for n in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert give_password(Client(), REMOTE_ADDR="10.0.0.9").status_code == 302


def test_without_the_cache_tries_are_counted_all_the_same(paul: User, settings: Any) -> None:
    backend = settings.CACHES["default"]["BACKEND"]
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}}
    guess_until_locked()
    codes = [Device().post("auth/code", {"email": "x@example.org"}) for _ in range(11)]
    assert [code.status_code for code in codes] == [202] * 10 + [429]
    assert codes[-1]["Retry-After"] == "3600"


def test_who_is_locked_out_by_wrong_passkeys_is_told(paul: User) -> None:
    client = halfway()
    answers = [client.post(reverse("second-factor"), {"passkey": "{}"}).status_code for _ in range(5)]
    assert answers == [200] * 4 + [429]
    mail = OutboxMessage.objects.get()
    assert (mail.kind, mail.to_email) == ("account_locked_codes", "paul@example.org")


def test_a_tally_names_nobody(paul: User) -> None:
    give_password(Client(), "guess")
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in Tally.objects.values_list("key", flat=True))


def test_guesses_of_the_old_password_are_counted_as_at_the_door(
    paul: User, clock: time_machine.Traveller
) -> None:
    client = signed_in(paul)
    answers = [change_password(client, "guess") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert answers[-1]["Retry-After"] == "900"
    assert change_password(client, PASSWORD).status_code == 429
    assert give_password(Client()).status_code == 429
    assert OutboxMessage.objects.get().kind == "account_locked"
    clock.shift(timedelta(minutes=15))
    assert change_password(client, PASSWORD).status_code == 302


def test_guesses_of_the_old_password_count_for_the_address(paul: User, settings: Any) -> None:
    settings.SIGN_IN_TRIES_BY_ADDRESS = 5
    client = signed_in(paul)
    assert [change_password(client, "guess").status_code for _ in range(4)] == [200] * 4
    assert give_password(Client(), email="p@example.org").status_code == 200
    assert give_password(Client(), email="q@example.org").status_code == 429


def test_one_network_is_one_address_for_staff_and_patients(paul: User, settings: Any) -> None:
    settings.SIGN_IN_TRIES_BY_ADDRESS = 5
    answers = [
        give_password(Client(), email=f"p{n}@example.org", REMOTE_ADDR=f"2001:db8::{n}") for n in range(6)
    ]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert give_password(Client(), REMOTE_ADDR="2001:db8:0:1::1").status_code == 302
    codes = [
        Device().post("auth/code", {"email": f"p{n}@example.org"}, REMOTE_ADDR=f"2001:db8::{n}").status_code
        for n in range(31)
    ]
    assert codes == [202] * 30 + [429]
