"""When a session ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from clinic.models import Membership, User
from clinic.roles import Role
from tests.clinic.sign_in.door import INDEX, PASSWORD, confirm
from tests.factories import make_clinic
from tests.staff import code_of, signed_in

pytestmark = pytest.mark.django_db


ENDED = {
    "disabled": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "left": lambda user: Membership.objects.filter(user=user).update(is_active=False),
    "other role": lambda user: Membership.objects.filter(user=user).update(role=Role.ASSISTANT),
    "other clinic": lambda user: Membership.objects.filter(user=user).update(clinic=make_clinic()),
    "clinic closed": lambda user: type(user.memberships.get().clinic).objects.update(is_active=False),
    "no staff any more": lambda user: User.objects.filter(pk=user.pk).update(is_staff=False),
}


@pytest.mark.parametrize("how", list(ENDED))
def test_who_is_disabled_or_moved_is_out_at_the_next_request(paul: User, how: str) -> None:
    client = signed_in(paul)
    assert client.get(INDEX).status_code == 200
    ENDED[how](paul)

    assert client.get(INDEX).url == "/admin/login/?why=ended&next=%2Fadmin%2F"


def test_signing_out_everywhere_leaves_this_session_alone(paul: User) -> None:
    here, there = signed_in(paul), signed_in(paul)
    assert here.post(reverse("account-sign-out")).status_code == 302

    assert here.get(INDEX).status_code == 200
    assert "why=ended" in there.get(INDEX).url


def test_a_changed_password_ends_the_other_sessions(paul: User) -> None:
    here, there = signed_in(paul), signed_in(paul)
    new = {
        "old_password": PASSWORD,
        "new_password1": "another long one 7",
        "new_password2": "another long one 7",
    }
    assert here.post(reverse("admin:password_change"), new).status_code == 302

    assert here.get(INDEX).status_code == 200
    assert "why=ended" in there.get(INDEX).url


def test_a_session_ends_after_half_an_hour_without_use_and_says_so(
    paul: User, clock: time_machine.Traveller
) -> None:
    client = signed_in(paul)
    for _ in range(3):
        clock.shift(timedelta(minutes=29))
        assert client.get(INDEX).status_code == 200
    clock.shift(timedelta(minutes=30))
    page = reverse("admin:patients_patient_changelist") + "?q=x"

    out = client.get(page)
    assert "why=idle" in out.url
    login = client.get(out.url)
    assert "nothing was done for 30 minutes" in login.content.decode()
    body = {"username": "paul@example.org", "password": PASSWORD, "next": page}
    client.post(reverse("admin:login"), body)
    assert confirm(client, code_of(paul)).url == page


def test_a_session_ends_after_twelve_hours_of_use(paul: User, clock: time_machine.Traveller) -> None:
    client = signed_in(paul)
    answers = []
    for _ in range(29):
        clock.shift(timedelta(minutes=25))
        answers.append(client.get(reverse("admin:clinic_membership_me")))
    assert all("member=" in answer.url for answer in answers[:28])
    assert "why=age" in answers[28].url


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_way_on_stays_within_the_service(paul: User, target: str) -> None:
    client = Client()
    client.post(
        reverse("admin:login"), {"username": "paul@example.org", "password": PASSWORD, "next": target}
    )
    assert confirm(client, code_of(paul)).url == INDEX


def test_a_session_that_went_past_the_second_factor_is_none(paul: User) -> None:
    client = Client()
    client.force_login(paul)
    assert "why=ended" in client.get(INDEX).url
