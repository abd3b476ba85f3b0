"""What a stranger can't tell apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic.models import OutboxMessage, User
from tests.api import Device, log_in
from tests.clinic.sign_in.door import ask_for_link, give_password
from tests.factories import make_patient

pytestmark = pytest.mark.django_db


def seen_of(ask: Callable[[str], Any], email: str, monkeypatch: Any) -> tuple[Any, ...]:
    """Status, headers, cookies and body; statements and hashings."""
    hashed: list[str] = []
    encode = hashers.MD5PasswordHasher.encode
    with (
        monkeypatch.context() as patch,
        CaptureQueriesContext(
            connection,
        ) as queries,
    ):
        patch.setattr(
            hashers.MD5PasswordHasher, "encode", lambda *a, **k: (hashed.append("x"), encode(*a, **k))[1]
        )
        answer = ask(email)
    body = re.sub(rb'csrfmiddlewaretoken" value="\w+"', b"", answer.content).replace(email.encode(), b"")
    headers = {
        name: value
        for name, value in answer.items()
        if name not in ("Date", "Content-Length", "X-Request-ID")
    }
    cookies = {name: dict(morsel) | {"value": len(morsel.value)} for name, morsel in answer.cookies.items()}
    statements = [query["sql"].replace("ROLLBACK TO", "RELEASE") for query in queries]
    shapes = [re.sub(r"'[^']*'|\d+|\"s\d+_x\d+\"", "?", statement)[:60] for statement in statements]
    return answer.status_code, headers, cookies, body, len(hashed), shapes


def ask_for_code(email: str) -> Any:
    return Device().post("auth/code", {"email": email})


QUESTIONS: dict[str, Callable[[str], Any]] = {
    "password": lambda email: give_password(Client(), "guess", email),
    "reset": ask_for_link,
    "code": ask_for_code,
}


@pytest.mark.parametrize("question", list(QUESTIONS))
def test_an_unknown_e_mail_answers_and_costs_as_a_known_one(
    paul: User, monkeypatch: Any, question: str
) -> None:
    patient = make_patient(email="paula@example.org")
    log_in(patient)
    known = {"code": "paula@example.org"}.get(question, "paul@example.org")
    ask = QUESTIONS[question]
    ask("warm@example.org")

    first = seen_of(ask, known, monkeypatch)
    assert seen_of(ask, "nobody@example.org", monkeypatch) == first
    assert not OutboxMessage.objects.filter(to_email__startswith="nobody").exists()
    assert first[4] == (1 if question == "password" else 0)
    assert seen_of(ask, known, monkeypatch)[5] == first[5]
    if question == "password":
        User.objects.update(is_active=False)
        assert seen_of(ask, known, monkeypatch) == first


def test_a_locked_stranger_looks_like_a_locked_member(paul: User, monkeypatch: Any) -> None:
    ask = QUESTIONS["password"]
    answers = [
        [seen_of(ask, email, monkeypatch) for _ in range(6)]
        for email in ("paul@example.org", "nobody@example.org")
    ]
    assert answers[0] == answers[1]
    assert [mail.to_email for mail in OutboxMessage.objects.all()] == ["paul@example.org"]
