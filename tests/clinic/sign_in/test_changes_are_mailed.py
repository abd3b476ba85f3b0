"""What changes a way in is mailed to the account."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from clinic.accounts.factors import add_totp, new_totp_secret
from clinic.models import Clinic, OutboxMessage, User
from tests.clinic.sign_in.door import PASSWORD, change_password
from tests.clinic.sign_in.test_password_links import link
from tests.factories import NOW
from tests.staff import signed_in

pytestmark = pytest.mark.django_db


def test_a_changed_password_is_mailed_to_the_account(paul: User) -> None:
    assert change_password(signed_in(paul), PASSWORD).status_code == 302

    mail = OutboxMessage.objects.get()
    assert (mail.kind, mail.to_email) == ("account_changed", "paul@example.org")
    assert "Your password was changed." in mail.text


def test_a_changed_factor_is_mailed_with_its_name_its_time_and_address_and_what_to_do(paul: User) -> None:
    Clinic.objects.update(timezone="Asia/Tokyo")
    secret = new_totp_secret()
    factor = add_totp(user=paul, secret=secret, label="<Attic> tablet", step=0, now=NOW)
    signed_in(paul).post(reverse("account-remove", args=[factor.pk]), REMOTE_ADDR="203.0.113.7")

    mail = OutboxMessage.objects.get()
    for body, name in ((mail.text, "<Attic> tablet"), (mail.html, "&lt;Attic&gt; tablet")):
        assert f"A second factor was removed: {name}." in body
        assert "Monday 2 March 2026, 18:00 (JST)" in body
        assert "203.0.113.7" in body
        assert "then remove what you don't know under" in body.lower()
        assert "/admin/account/" in body
        assert "make new recovery codes" in body


def test_a_reset_from_elsewhere_is_mailed_with_its_address(paul: User) -> None:
    body = {"secret": link(), "password": "another long one 7"}
    Client().post(reverse("password-reset-new"), body, REMOTE_ADDR="198.51.100.9")
    mail = OutboxMessage.objects.get(kind="account_changed")
    assert "Your password was set anew." in mail.text
    assert "From the address 198.51.100.9" in mail.text
