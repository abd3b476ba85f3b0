"""Who is made a member of staff gets the way in by e-mail; a password of before opens nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse

from clinic import secrets
from clinic.models import Clinic, Factor, Membership, OutboxMessage, User
from clinic.outbox import MASK, masked_preview
from clinic.roles import Role
from tests.factories import NOW, make_clinic, make_user
from tests.staff import give_app, signed_in

pytestmark = pytest.mark.django_db

BOB = "bob@example.org"
CHOSEN, OLD = "a password of his own", "a password of before"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def here() -> Clinic:
    return make_clinic(name="Here & Now")


def add_bob(clinic: Clinic) -> str:
    """As the clinic's owner; the link that Bob gets."""
    owner = Membership.objects.owners().filter(clinic=clinic).first()
    user = owner.user if owner else make_user(role=Role.OWNER, clinic=clinic, name="Olga")
    body = {"email": BOB, "name": "Bob", "role": "physio", "password": "typed by an owner"}
    assert signed_in(user).post(reverse("admin:clinic_membership_add"), body).status_code == 302
    mail = OutboxMessage.objects.get(kind="staff_added", clinic=clinic)
    assert mail.to_email == BOB
    return f"/{secrets.decrypt(mail.secret)}"


def sign_in(password: str) -> Any:
    return Client().post(reverse("admin:login"), {"username": BOB, "password": password})


def choose(link: str, password: str = CHOSEN) -> Any:
    page, _, behind = link.partition("#")
    return Client().post(page, {"secret": behind.partition("&")[0], "password": password})


def test_the_link_leads_to_a_password_and_to_a_second_factor(here: Clinic) -> None:
    link = add_bob(here)

    assert sign_in("typed by an owner").status_code == 200
    assert "why=reset" in choose(link).url
    assert sign_in(CHOSEN).url == reverse("enrol")
    assert choose(link, "another one of his").status_code == 200
    assert sign_in("another one of his").status_code == 200


def test_a_used_link_says_where_a_new_one_is_and_the_password_is_followed_by_the_e_mail(here: Clinic) -> None:
    link, client = add_bob(here), Client()
    page, _, behind = link.partition("#")
    body = {"secret": behind.partition("&")[0], "password": CHOSEN}

    to_login = client.post(page, body)
    assert f'value="{BOB}"' in client.get(to_login.url).content.decode()
    assert BOB not in to_login.url
    used = client.post(page, body).content.decode()
    assert f'<a class="kc-link" href="{reverse("password-reset")}">Ask for a new link</a>' in used


def test_the_link_lives_for_three_days(here: Clinic, clock: time_machine.Traveller) -> None:
    link = add_bob(here)

    clock.shift(timedelta(days=3, seconds=1))
    assert choose(link).status_code == 200
    assert sign_in(CHOSEN).status_code == 200
    clock.shift(timedelta(seconds=-2))
    assert "why=reset" in choose(link).url


def test_who_let_the_link_grow_old_asks_for_a_new_one(here: Clinic, clock: time_machine.Traveller) -> None:
    add_bob(here)
    clock.shift(timedelta(days=4))

    Client().post(reverse("password-reset"), {"email": BOB})
    secret = secrets.decrypt(OutboxMessage.objects.get(kind="password_reset").secret)
    assert "why=reset" in choose(f"{reverse('password-reset-new')}#{secret}").url


def test_whoever_added_him_before_has_no_way_into_the_next_clinic(here: Clinic) -> None:
    add_bob(make_clinic(name="Mallory's"))

    link = add_bob(here)
    assert sign_in("typed by an owner").status_code == 200
    assert "why=reset" in choose(link).url
    assert sorted(User.objects.get(email=BOB).memberships.values_list("is_active", flat=True)) == [True, True]


def test_a_login_with_which_nobody_works_any_more_starts_anew(here: Clinic) -> None:
    bob = make_user(BOB, clinic=make_clinic(), password=OLD)
    give_app(bob)
    bob.memberships.update(is_active=False)

    link = add_bob(here)
    assert sign_in(OLD).status_code == 200
    assert not Factor.objects.exists()
    assert "why=reset" in choose(link).url
    assert sign_in(CHOSEN).url == reverse("enrol")


def test_a_login_in_use_stays_as_it_is_and_he_is_told(here: Clinic) -> None:
    bob = make_user(BOB, clinic=make_clinic(), password=OLD)
    give_app(bob)

    assert add_bob(here) == reverse("admin:login")
    assert sign_in(OLD).url == reverse("second-factor")
    assert bob.memberships.filter(clinic=here).exists()


def test_the_e_mail_is_alike_for_who_has_a_password_and_tells_no_link(here: Clinic) -> None:
    add_bob(here)
    new = masked_preview(OutboxMessage.objects.get())
    OutboxMessage.objects.all().delete()
    User.objects.filter(email=BOB).update(email="gone@example.org")
    make_user(BOB, clinic=make_clinic(), password=OLD)
    add_bob(here)

    assert masked_preview(OutboxMessage.objects.get()) == new
    assert new.subject == "Here & Now has added you to its staff"
    for said in (new.text, new.html.replace("&amp;", "&")):
        assert "Welcome to Here & Now" in said
        assert "Olga has added you to its staff as physio." in said
        assert BOB in said
        assert f"{settings.SITE_URL}/{MASK}" in said
        assert "for 3 days" in said
