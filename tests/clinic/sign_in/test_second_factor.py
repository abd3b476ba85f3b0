"""Between password and code nothing is open; a code works once; the only factor stays."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import hashers
from django.test import Client
from django.urls import reverse

from clinic import secrets
from clinic.accounts.factors import new_recovery_codes, totp_code
from clinic.models import Factor, OutboxMessage, User
from clinic.row_security import Tenant, acting_for
from tests.clinic.sign_in.door import INDEX, confirm, give_password, halfway
from tests.enforced import enforced
from tests.factories import NOW, make_clinic, make_user
from tests.staff import code_of, give_app, signed_in

pytestmark = pytest.mark.django_db


def test_between_password_and_code_nothing_is_open(paul: User) -> None:
    client = halfway()

    for address in (INDEX, reverse("account"), reverse("admin:patients_patient_changelist")):
        assert client.get(address).url.startswith(reverse("admin:login"))
    assert client.get("/api/v1/me").status_code == 401


def test_who_has_no_second_factor_enrols_before_anything_else(paul: User) -> None:
    Factor.objects.all().delete()
    client = Client()
    assert give_password(client).url == reverse("enrol")

    assert client.get(INDEX).status_code == 302
    assert client.post(reverse("enrol"), {"code": "000000"}).status_code == 200
    assert client.get(INDEX).status_code == 302
    assert not Factor.objects.exists()


def test_who_has_one_can_not_enrol_another_on_a_password_alone(paul: User) -> None:
    client = halfway()

    assert client.post(reverse("enrol"), {"code": "000000"}).url == reverse("second-factor")
    assert Factor.objects.count() == 1


class Stronger(hashers.PBKDF2PasswordHasher):
    """What the next release hashes with."""

    iterations = 2


def test_a_password_hashed_by_an_earlier_release_opens_and_is_hashed_anew(paul: User, settings: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.Stronger", *settings.PASSWORD_HASHERS]

    assert give_password(Client(), "guess").status_code == 200
    client = halfway()
    paul.refresh_from_db()
    assert paul.password.startswith("pbkdf2_sha256$2$")
    assert confirm(client, code_of(paul)).status_code == 302
    assert client.get(INDEX).status_code == 200


def test_a_code_works_once(paul: User) -> None:
    code = code_of(paul)
    assert confirm(halfway(), code).status_code == 302
    assert confirm(halfway(), code).status_code == 200


def test_a_recovery_code_works_once(paul: User) -> None:
    code = new_recovery_codes(user=paul, now=NOW)[0].upper()
    assert confirm(halfway(), code).status_code == 302
    assert confirm(halfway(), code).status_code == 200


def test_a_recovery_code_has_128_random_bits_and_can_be_typed(paul: User) -> None:
    codes = new_recovery_codes(user=paul, now=NOW)
    assert all(re.fullmatch(r"([a-z2-7]{4}-){6}[a-z2-7]{2}", code) for code in codes)  # 26 of 5 bits each
    assert len({code[:4] for code in codes}) > 1


def test_the_password_is_good_for_ten_minutes(paul: User, clock: time_machine.Traveller) -> None:
    client = halfway()
    clock.shift(timedelta(minutes=10, seconds=1))

    assert "why=slow" in confirm(client, code_of(paul)).url


def test_secrets_are_not_readable_in_the_database(paul: User) -> None:
    codes = new_recovery_codes(user=paul, now=NOW)
    stored = b"".join(bytes(factor.secret) for factor in Factor.objects.all())

    assert secrets.decrypt(Factor.objects.get(kind="totp").secret).encode() not in stored
    assert not any(code.replace("-", "").encode() in stored for code in codes)


def test_factors_are_seen_by_their_user_alone(paul: User) -> None:
    others = (Tenant(), Tenant(tuple(paul.clinic_ids), user=paul.pk + 1), Tenant(platform=True))
    for tenant, seen in [*((other, 0) for other in others), (Tenant(user=paul.pk), 1)]:
        with enforced(), acting_for(tenant):
            assert Factor.objects.count() == seen
            if not seen:
                assert Factor.objects.update(label="x") == 0


def test_what_takes_a_way_in_away_asks_first(paul: User) -> None:
    page = signed_in(paul).get(reverse("account")).content.decode()
    for action in (reverse("account-remove", args=[Factor.objects.get().pk]), reverse("account-recovery")):
        before = page[: page.index(f'action="{action}"')]
        assert before.count("<details") == before.count("</details") + 1


def test_an_app_keeps_the_name_it_was_given(paul: User) -> None:
    client = signed_in(paul)
    secret = client.get(reverse("account-add")).context["secret"].replace(" ", "")
    body = {"code": totp_code(secret, now=NOW), "label": "Attic tablet"}
    assert client.post(reverse("account-add"), body).status_code == 302
    assert "Attic tablet" in client.get(reverse("account")).content.decode()
    assert "A second factor was added: Attic tablet." in OutboxMessage.objects.get().text


def test_the_only_factor_stays(paul: User) -> None:
    client = signed_in(paul)
    factor = Factor.objects.get()
    client.post(reverse("account-remove", args=[factor.pk]))
    assert Factor.objects.filter(pk=factor.pk).exists()
    other = make_user("o@example.org", clinic=make_clinic())
    give_app(other)
    answer = client.post(reverse("account-remove", args=[Factor.objects.get(user=other).pk]))
    assert (answer.status_code, Factor.objects.filter(user=other).count()) == (404, 1)


def test_changing_factors_asks_for_a_fresh_sign_in(paul: User, clock: time_machine.Traveller) -> None:
    client = signed_in(paul)
    assert client.get(reverse("account")).status_code == 200
    clock.shift(timedelta(minutes=16))

    refused = client.post(reverse("account-recovery"))
    assert "why=confirm" in refused.url
    assert not Factor.objects.filter(kind="recovery").exists()
