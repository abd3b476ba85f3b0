"""Messages name patients: they lie in the session's row, encrypted, until they are shown."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib import messages
from django.contrib.messages.storage import default_storage
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse

pytestmark = pytest.mark.django_db

TEXT = "Quillfeather is invited."


def request_of(session: SessionStore) -> Any:
    request: Any = HttpRequest()
    request.session = session
    request._messages = default_storage(request)  # as the middleware does
    return request


@pytest.fixture
def session() -> SessionStore:
    """Of someone whom the next page is to tell something."""
    session = SessionStore()
    request = request_of(session)
    messages.success(request, TEXT)
    request._messages.update(HttpResponse())
    session.save()
    return session


def told(session: SessionStore) -> list[str]:
    request = request_of(SessionStore(session.session_key))
    found = [str(message) for message in messages.get_messages(request)]
    request._messages.update(HttpResponse())
    request.session.save()
    return found


def stored() -> dict[str, Any]:
    found: dict[str, Any] = Session.objects.get().get_decoded()
    return found


def test_no_session_holds_a_name_and_the_next_page_tells_it_once(session: SessionStore) -> None:
    assert "_messages" in stored()
    assert "Quillfeather" not in str(stored())
    assert told(session) == [TEXT]
    assert "_messages" not in stored()
    assert told(session) == []


def test_a_message_that_no_key_opens_any_more_is_not_told(session: SessionStore, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert told(session) == []
