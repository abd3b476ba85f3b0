"""An owner has a given-up e-mail sent again: once, and never one that was sent."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from clinic import outbox
from clinic.models import AuditEntry, OutboxMessage, User
from clinic.outbox import PLACEHOLDER, SendAgainError
from clinic.roles import Denied, Role
from tests.conftest import Sink
from tests.factories import NOW, make_clinic, make_user
from tests.staff import signed_in

pytestmark = pytest.mark.django_db

State = OutboxMessage.State


@pytest.fixture
def owner() -> User:
    return make_user(role=Role.OWNER, clinic=make_clinic())


def given_up(owner: User, **fields: Any) -> OutboxMessage:
    clinic = owner.memberships.get().clinic
    values: dict[str, Any] = {"to_email": "piet@example.org", "subject": "Hello", "text": "A text.", **fields}
    made: OutboxMessage = OutboxMessage.objects.create(
        clinic=clinic,
        kind="red_flag",
        dedupe_key=str(uuid4()),
        attempts=8,
        next_attempt_at=NOW,
        **{"state": State.DEAD, "bounced": True, "last_error": "550 no such user", **values},
    )
    return made


def again(message: OutboxMessage) -> str:
    return reverse("admin:clinic_outboxmessage_again", args=[message.pk])


def test_it_goes_out_once_on_record_and_a_sent_one_is_not_sent_twice(owner: User, smtp_sink: Sink) -> None:
    message, client = given_up(owner), signed_in(owner)
    page = client.get(reverse("admin:clinic_outboxmessage_change", args=[message.pk])).content.decode()
    assert "Send again to piet@example.org" in page

    assert client.post(again(message)).status_code == 302
    message.refresh_from_db()
    assert (message.state, message.bounced, message.attempts) == (State.PENDING, False, 0)
    assert "is not given up" in client.post(again(message), follow=True).content.decode()
    for _ in range(2):
        outbox.send_due(now=message.next_attempt_at)
        client.post(again(message))
    assert len(smtp_sink.to("piet@example.org")) == 1
    changes = AuditEntry.objects.filter(table_name="clinic_outboxmessage", row_id=str(message.pk))
    assert changes.filter(route="admin:clinic_outboxmessage_again").count() == 1
    page = client.get(reverse("admin:clinic_outboxmessage_change", args=[message.pk])).content.decode()
    assert "Send again" not in page


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"state": State.SENT, "sent_at": NOW, "bounced": False}, "not given up"),
        ({"state": State.PENDING, "bounced": False}, "not given up"),
        ({"text": f"https://example.org/#{PLACEHOLDER}"}, "personal link is erased"),
        ({"text": ""}, "text is erased"),
    ],
)
def test_what_was_sent_waits_or_lost_its_code_stays_as_it_is(owner: User, fields: Any, why: str) -> None:
    message = given_up(owner, **fields)
    before = OutboxMessage.objects.values().get()
    with pytest.raises(SendAgainError, match=why):
        outbox.send_again(message=message, by=owner, now=NOW)
    assert OutboxMessage.objects.values().get() == before


def test_it_is_the_owners_to_do(owner: User) -> None:
    message = given_up(owner)
    clinic = owner.memberships.get().clinic
    for other in (make_user(clinic=clinic), make_user(role=Role.OWNER, clinic=make_clinic())):
        with pytest.raises(Denied):
            outbox.send_again(message=message, by=other, now=NOW)
    assert OutboxMessage.objects.get().state == State.DEAD
