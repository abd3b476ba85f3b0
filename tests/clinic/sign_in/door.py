"""The two steps of the way in, as a browser takes them."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

PASSWORD = "a long enough one"


INDEX = "/admin/"


def give_password(
    client: Client, password: str = PASSWORD, email: str = "paul@example.org", **kw: Any
) -> Any:
    return client.post(reverse("admin:login"), {"username": email, "password": password}, **kw)


def halfway(password: str = PASSWORD) -> Client:
    client = Client()
    assert give_password(client, password).status_code == 302
    return client


def confirm(client: Client, code: str) -> Any:
    return client.post(reverse("second-factor"), {"code": code})


def guess_until_locked() -> Any:
    answers = [give_password(Client(), "guess") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert "Too many tries. Wait 15 min" in answers[-1].content.decode()
    return answers[-1]


def ask_for_link(email: str) -> Any:
    return Client().post(reverse("password-reset"), {"email": email})


def change_password(client: Client, old: str, new: str = "another long one 7") -> Any:
    body = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post(reverse("admin:password_change"), body)
