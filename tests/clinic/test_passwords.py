"""Passwords of staff: which are refused, which are taken, and that they are taken as typed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic.accounts.passwords import WORDS
from clinic.models import User
from clinic.roles import Role
from tests.factories import make_clinic, make_user
from tests.staff import signed_in

pytestmark = pytest.mark.django_db

OLD = "a long enough one"


@pytest.fixture
def paul() -> User:
    return make_user("paul.peterson@example.org", Role.PHYSIO, make_clinic(), password=OLD)


def change(client: Client, new: str, old: str = OLD) -> Any:
    body = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post(reverse("admin:password_change"), body)


def signs_in(password: str) -> bool:
    body = {"username": "paul.peterson@example.org", "password": password}
    return bool(Client().post(reverse("admin:login"), body).status_code == 302)


@pytest.mark.parametrize(
    "password",
    [
        "seven77",
        "sunshine",
        "iloveyou1",
        "paul.peterson",
        "Knee-Clinic-2026",
        *(f"{word}1234567" for word in WORDS),
    ],
)
def test_short_common_and_obvious_passwords_are_refused(paul: User, password: str) -> None:
    answer = change(signed_in(paul), password)
    assert answer.context["form"].errors["new_password2"]
    assert signs_in(OLD)


def test_it_is_said_which_words_count_for_nothing(paul: User) -> None:
    answer = change(signed_in(paul), "Knee-Clinic-2026")
    said = "Words such as knee, clinic or physio don't count towards the 8 characters."
    assert answer.context["form"].errors["new_password2"] == [said]


def test_any_composition_and_length_is_taken_and_only_as_typed(paul: User) -> None:
    client, old = signed_in(paul), OLD
    for new in ("qzvxkwjf", "  Gr\u00fcn \u96ea spaces around  ", "q7" * 64):
        assert change(client, new, old).status_code == 302, new
        old = new
        assert signs_in(new)
        for other in (new.swapcase(), new[:-1], new.strip() if new != new.strip() else new + " "):
            assert not signs_in(other)


def test_fields_hide_what_is_typed_and_let_managers_fill_and_paste(paul: User) -> None:
    pages = {reverse("admin:login"): Client(), reverse("admin:password_change"): signed_in(paul)}
    for page, client in pages.items():
        html = client.get(page).content.decode()
        assert 'type="password"' in html
        assert 'autocomplete="current-password"' in html
        assert "onpaste" not in html


def test_signing_in_and_out_changes_the_session_and_clears_the_browser(paul: User) -> None:
    client = signed_in(paul)
    before = client.session.session_key
    assert f'action="{reverse("admin:logout")}"' in client.get("/admin/").content.decode()
    out = client.post(reverse("admin:logout"))
    assert out["Clear-Site-Data"] == '"cookies", "storage"'
    assert "Clear-Site-Data" not in client.get("/admin/").headers
    client.post(reverse("admin:login"), {"username": paul.email, "password": OLD})
    assert client.session.session_key not in (None, before)
