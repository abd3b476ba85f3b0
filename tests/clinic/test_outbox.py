"""The outbox, against real SMTP servers: none lost, one copy, one bad message stops no other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import parseaddr
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from cryptography.fernet import Fernet
from django.db import connection, transaction
from PIL import Image

from clinic import outbox
from clinic.models import OutboxMessage
from clinic.outbox import BACKOFF, MASK, MAX_ATTEMPTS, PLACEHOLDER, MailServerError
from tests.factories import NOW, make_clinic

pytestmark = pytest.mark.django_db

State = OutboxMessage.State
LEASE = timedelta(minutes=2)
LATER = NOW + timedelta(minutes=3)


def put(**fields: Any) -> OutboxMessage:
    values = {
        "clinic": None,
        "kind": "check_in",
        "dedupe_key": str(uuid4()),
        "to_email": "robin@example.org",
        "subject": "Hello",
        "text": "A text.\n",
        "html": "<p>Some <b>HTML</b>.</p>",
        "now": NOW,
        **fields,
    }
    outbox.put(**values)
    return OutboxMessage.objects.get(dedupe_key=values["dedupe_key"])


def png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (3, 2), "red").save(file, "PNG")
    return file.getvalue()


def tree(part: Any) -> Any:
    """The MIME structure, as nested lists."""
    kind = part.get_content_type()
    return [kind, [tree(child) for child in part.iter_parts()]] if part.is_multipart() else kind


class MoodyServer:
    """Answers as it is told: per recipient, or to all; can hang on the first mail."""

    def __init__(self) -> None:
        self.rcpt: dict[str, str] = {}
        self.received: list[str] = []
        self.message_ids: list[str] = []
        self.hangs_once = False
        self.reached, self.released = threading.Event(), threading.Event()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.rcpt:
            return self.rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        hangs, self.hangs_once = self.hangs_once, False
        self.reached.set()
        while hangs and not self.released.is_set():
            await asyncio.sleep(0.01)
        self.received += envelope.rcpt_tos
        head = envelope.content.decode().splitlines()
        self.message_ids += [line for line in head if line.lower().startswith("message-id")]
        return "250 Kept"


@pytest.fixture
def server(settings: Any, free_port: Callable[[], int]) -> Iterator[MoodyServer]:
    moody = MoodyServer()
    controller = Controller(moody, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.MAILERS = mailers_on(controller.port)
    yield moody
    controller.stop()


def mailers_on(port: int) -> dict[str, Any]:
    return {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": port, "timeout": 5},
        }
    }


def send(now: datetime = NOW, **options: Any) -> dict[str, int]:
    """What happened, without the zeros."""
    return {name: number for name, number in outbox.send_due(now=now, **options).items() if number}


class TestPut:
    def test_the_same_key_again_returns_the_stored_message_untouched(self) -> None:
        first = put(dedupe_key="digest:1", subject="First")
        again = put(dedupe_key="digest:1", subject="Second")

        assert again.pk == first.pk
        assert OutboxMessage.objects.get().subject == "First"

    def test_a_cause_that_is_rolled_back_leaves_no_message(self) -> None:
        with transaction.atomic():
            put()
            transaction.set_rollback(True)

        assert not OutboxMessage.objects.exists()

    def test_a_subject_is_one_line_that_fits(self) -> None:
        message = put(subject="Your invitation\r\nBcc: all@example.org from " + "x" * 300)

        assert "\n" not in message.subject
        assert "\r" not in message.subject
        assert len(message.subject) == 200


class TestWhatIsSent:
    def test_a_clinics_name_that_can_not_be_printed_costs_no_mail(self, smtp_sink: Any) -> None:
        put(clinic=make_clinic(name='é a\x1bb"\\ Clinic'))
        assert send() == {"sent": 1}
        assert parseaddr(str(smtp_sink.messages[0]["From"]))[0] == "é a b Clinic"

    def test_text_and_html_under_the_clinics_name_with_an_id_from_the_row(
        self, smtp_sink: Any, settings: Any
    ) -> None:
        settings.SITE_URL, settings.DEFAULT_FROM_EMAIL = (
            "https://clinic.example.org",
            "Service <s@example.org>",
        )
        message = put(clinic=make_clinic(name="Kniepraktijk Zoë, Utrecht"), subject="Grüße")

        assert send() == {"sent": 1}
        [mail] = smtp_sink.messages
        assert tree(mail) == ["multipart/alternative", ["text/plain", "text/html"]]
        assert mail["Subject"] == "Grüße"
        assert mail["To"] == "robin@example.org"
        assert mail["From"].addresses[0].addr_spec == "s@example.org"
        assert mail["From"].addresses[0].display_name == "Kniepraktijk Zoë Utrecht"
        assert mail["Message-ID"] == f"<{message.pk}@clinic.example.org>"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail.get_body(("plain",)).get_content().strip() == "A text."
        message.refresh_from_db()
        assert (message.state, message.sent_at is not None, message.lease) == (State.SENT, True, None)

    def test_images_lie_inside_the_html_part_under_their_content_ids(self, smtp_sink: Any) -> None:
        put(
            html='<img src="cid:trend-1"><img src="cid:trend-2">', images={"trend-1": png(), "trend-2": png()}
        )

        assert send() == {"sent": 1}
        [mail] = smtp_sink.messages
        assert tree(mail) == [
            "multipart/alternative",
            ["text/plain", ["multipart/related", ["text/html", "image/png", "image/png"]]],
        ]
        related = list(mail.iter_parts())[1]
        _, first, second = related.iter_parts()
        assert (first["Content-ID"], second["Content-ID"]) == ("<trend-1>", "<trend-2>")
        assert first.get_content() == png()
        assert first.get_content_disposition() == "inline"

    def test_a_message_without_html_is_plain_text(self, smtp_sink: Any) -> None:
        put(html="")

        send()
        assert tree(smtp_sink.messages[0]) == "text/plain"

    def test_only_what_is_due_is_sent_and_nothing_twice(self, smtp_sink: Any) -> None:
        put(to_email="now@example.org")
        put(to_email="later@example.org", now=NOW + timedelta(minutes=1))

        assert send() == {"sent": 1}
        assert send() == {}
        assert [mail["To"] for mail in smtp_sink.messages] == ["now@example.org"]
        assert send(NOW + timedelta(minutes=1)) == {"sent": 1}

    def test_a_red_flag_does_not_queue_behind_check_ins_and_a_sweep_ends_at_its_batch(
        self, smtp_sink: Any
    ) -> None:
        for number in range(3):
            put(to_email=f"patient{number}@example.org")
        put(kind="red_flag", to_email="physio@example.org")

        assert send(batch=2) == {"sent": 2}
        assert [mail["To"] for mail in smtp_sink.messages] == ["physio@example.org", "patient0@example.org"]


class TestSecrets:
    text = f"Your code: {PLACEHOLDER}\n"
    html = f'<a href="https://app.example.org/#token={PLACEHOLDER}">{PLACEHOLDER}</a>'

    def test_the_secret_is_unreadable_in_the_row_readable_in_the_mail_and_erased_once_sent(
        self, smtp_sink: Any
    ) -> None:
        message = put(text=self.text, html=self.html, secret="K7-x<3")
        with connection.cursor() as cursor:
            cursor.execute("SELECT clinic_outboxmessage::text, secret FROM clinic_outboxmessage")
            row, secret = cursor.fetchone()
        assert "K7-x<3" not in row
        assert b"K7-x<3" not in bytes(secret)

        assert send() == {"sent": 1}
        [mail] = smtp_sink.messages
        assert "Your code: K7-x<3" in mail.get_body(("plain",)).get_content()
        assert "#token=K7-x&lt;3" in mail.get_body(("html",)).get_content()
        message.refresh_from_db()
        assert message.secret is None
        assert "K7-x" not in message.text + message.html

    def test_preview_masks_it_before_and_after(self, smtp_sink: Any) -> None:
        message = put(text=self.text, html=self.html, secret="K7-x")
        before = outbox.masked_preview(message)
        send()
        message.refresh_from_db()

        assert before == outbox.masked_preview(message)
        assert before.text == f"Your code: {MASK}\n"
        assert before.html.count(MASK) == 2
        assert MASK == "••••••"

    def test_preview_shows_images_as_data(self) -> None:
        preview = outbox.masked_preview(put(html='<img src="cid:trend">', images={"trend": png()}))

        assert preview.html.startswith('<img src="data:image/png;base64,iVBOR')

    def test_the_secret_of_a_message_that_is_given_up_is_erased(self, server: MoodyServer) -> None:
        server.rcpt["robin@example.org"] = "550 5.1.1 No such user"
        message = put(text=self.text, secret="K7-x")

        assert send() == {"dead": 1, "bounced": 1}
        message.refresh_from_db()
        assert message.secret is None

    def test_keys_can_be_rotated(self, smtp_sink: Any, settings: Any) -> None:
        put(text=self.text, secret="K7-x")
        settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]

        assert send() == {"sent": 1}
        assert "K7-x" in smtp_sink.messages[0].get_body(("plain",)).get_content()

    def test_with_a_lost_key_nothing_goes_out_and_the_error_is_shown(
        self, smtp_sink: Any, settings: Any
    ) -> None:
        message = put(text=self.text, secret="K7-x")
        settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

        assert send() == {"retry": 1}
        message.refresh_from_db(fields=["last_error"])  # the text can't be read
        assert smtp_sink.messages == []
        assert "ENCRYPTION_KEYS" in message.last_error


class TestRefusals:
    def test_an_address_refused_for_good_bounces_and_the_others_get_theirs(self, server: MoodyServer) -> None:
        server.rcpt["gone@example.org"] = "550 5.1.1 No such user"
        put(to_email="one@example.org")
        gone = put(to_email="gone@example.org", patient_key=uuid4())
        put(to_email="two@example.org")
        told: list[tuple[Any, datetime]] = []

        counts = send(on_bounce=lambda message, now: told.append((message.patient_key, now)))

        assert counts == {"sent": 2, "dead": 1, "bounced": 1}
        assert server.received == ["one@example.org", "two@example.org"]
        assert [key for key, _ in told] == [gone.patient_key]
        gone.refresh_from_db()
        assert (gone.state, gone.bounced, gone.attempts) == (State.DEAD, True, 1)
        assert "No such user" in gone.last_error
        assert send(NOW + timedelta(days=9)) == {}

    @pytest.mark.parametrize(
        "answer", ["450 Try again later", "550 5.7.1 Relaying denied", "530 Authentication required"]
    )
    def test_what_says_nothing_about_the_address_comes_again_and_does_not_bounce(
        self, server: MoodyServer, answer: str
    ) -> None:
        server.rcpt["robin@example.org"] = answer
        message = put()

        assert send() == {"retry": 1}
        message.refresh_from_db()
        assert (message.state, message.bounced, message.attempts) == (State.PENDING, False, 1)
        server.rcpt.clear()
        assert send(message.next_attempt_at) == {"sent": 1}
        assert server.received == ["robin@example.org"]

    def test_retries_wait_longer_each_time_and_end(self, server: MoodyServer) -> None:
        server.rcpt["robin@example.org"] = "451 Mailbox busy"
        message = put()
        now, waits = NOW, []
        for _ in range(MAX_ATTEMPTS - 1):
            assert send(now) == {"retry": 1}
            message.refresh_from_db()
            waits.append(message.next_attempt_at - now)
            assert send(message.next_attempt_at - timedelta(seconds=2)) == {}
            now = message.next_attempt_at

        assert send(now) == {"dead": 1}
        message.refresh_from_db()
        assert (message.state, message.bounced, message.attempts) == (State.DEAD, False, MAX_ATTEMPTS)
        assert [round(wait / timedelta(minutes=1)) for wait in waits] == [
            round(wait / timedelta(minutes=1)) for wait in BACKOFF
        ]
        assert sorted(waits) == waits

    def test_a_server_that_is_down_charges_no_message(
        self, settings: Any, free_port: Callable[[], int]
    ) -> None:
        settings.MAILERS = mailers_on(free_port())
        message = put()
        for _ in range(MAX_ATTEMPTS + 1):
            with pytest.raises(MailServerError, match="refused"):
                outbox.send_due(now=NOW)

        message.refresh_from_db()
        assert (message.state, message.attempts, message.lease) == (State.PENDING, 0, None)
        assert "refused" in message.last_error

    @pytest.mark.parametrize(
        "fields",
        [
            {"subject": "Hello\nBcc: everybody@example.org"},
            {"to_email": "robin@example.org\nBcc: everybody@example.org"},
            {"to_email": "röbin@example.org"},
            {"images": {"trend": "no base64 !"}},
            {"images": {"trend\nX-Evil: 1": ""}},
            {"secret": b"never encrypted"},
        ],
        ids=["subject", "address", "address not ASCII", "image", "content-id", "secret"],
    )
    def test_a_poisoned_row_stops_no_other(self, smtp_sink: Any, fields: dict[str, Any]) -> None:
        poisoned = put()
        OutboxMessage.objects.filter(pk=poisoned.pk).update(**fields)
        put(to_email="well@example.org")

        assert send() == {"retry": 1, "sent": 1}
        assert [mail["To"] for mail in smtp_sink.messages] == ["well@example.org"]
        poisoned.refresh_from_db()
        assert poisoned.last_error


class TestCrashes:
    def test_what_a_killed_worker_held_goes_out_when_the_lease_ends(self, smtp_sink: Any) -> None:
        message = put()
        abandon(message, attempts=1)

        assert send(NOW + LEASE - timedelta(seconds=2)) == {}
        assert send(NOW + LEASE) == {"sent": 1}
        assert len(smtp_sink.messages) == 1

    def test_a_message_that_kills_every_worker_is_given_up(self, smtp_sink: Any) -> None:
        message = put()
        abandon(message, attempts=MAX_ATTEMPTS)

        assert send(LATER) == {"dead": 1}
        message.refresh_from_db()
        assert message.state == State.DEAD
        assert smtp_sink.messages == []


@pytest.mark.django_db(transaction=True)
class TestRivals:
    def test_while_it_is_sent_the_claim_is_committed_and_no_transaction_is_open(
        self, server: MoodyServer
    ) -> None:
        server.hangs_once = True
        message = put()
        with sending_in_background() as results:
            assert server.reached.wait(5)
            message.refresh_from_db()
            assert (message.state, message.attempts) == (State.SENDING, 1)
            assert message.leased_until is not None
            assert NOW + LEASE <= message.leased_until < NOW + LEASE + timedelta(seconds=10)
            assert idle_in_transaction() == 0
            server.released.set()

        assert results == [{"sent": 1}]

    def test_a_lease_that_ran_out_goes_to_another_and_the_slow_one_marks_nothing(
        self, server: MoodyServer
    ) -> None:
        server.hangs_once = True
        message = put()
        with sending_in_background() as results:
            assert server.reached.wait(5)
            assert send(NOW + timedelta(minutes=1)) == {}
            assert send(LATER) == {"sent": 1}
            message.refresh_from_db()
            sent_at = message.sent_at
            server.released.set()

        assert results == [{"overtaken": 1}]
        message.refresh_from_db()
        assert (message.state, message.sent_at) == (State.SENT, sent_at)
        assert len(server.message_ids) == 2
        assert len(set(server.message_ids)) == 1

    def test_a_message_that_another_holds_keeps_no_other_waiting(self, smtp_sink: Any) -> None:
        held = put()
        put(to_email="free@example.org")
        with transaction.atomic():
            OutboxMessage.objects.select_for_update().get(pk=held.pk)
            with sending_in_background() as results:
                pass
            assert results == [{"sent": 1}]

        assert [mail["To"] for mail in smtp_sink.messages] == ["free@example.org"]

    def test_two_senders_at_once_send_each_message_once(self, smtp_sink: Any) -> None:
        addresses = {f"patient{number}@example.org" for number in range(12)}
        for address in addresses:
            put(to_email=address)
        with sending_in_background() as first, sending_in_background() as second:
            pass

        assert first[0]["sent"] + second[0]["sent"] == 12
        assert sorted(mail["To"] for mail in smtp_sink.messages) == sorted(addresses)


@contextmanager
def sending_in_background() -> Iterator[list[dict[str, int]]]:
    results: list[dict[str, int]] = []

    def work() -> None:
        try:
            results.append(send(lease=LEASE))
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield results
    finally:
        thread.join(20)


def idle_in_transaction() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
        )
        return int(cursor.fetchone()[0])


def abandon(message: OutboxMessage, *, attempts: int) -> None:
    """As a worker leaves it that was killed in mid-send."""
    OutboxMessage.objects.filter(pk=message.pk).update(
        state=State.SENDING, lease=uuid4(), leased_until=NOW + LEASE, attempts=attempts
    )
