"""The outbox: an e-mail is a row, written in the transaction of its cause, and sent from here only.

A sweep claims one message at a time (lease and commit), sends it outside any transaction, and marks it sent
only while its lease holds. No message is lost; a crash in mid-send costs one extra copy at most, under the
same Message-ID.
"""

from __future__ import annotations

import base64
import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from email.message import EmailMessage as MimeMessage
from email.utils import formataddr, parseaddr
from smtplib import SMTPRecipientsRefused
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Case, Q, When
from django.utils.html import escape

from clinic import secrets
from clinic.models import Clinic, OutboxMessage, User
from clinic.roles import Capability, require
from clinic.row_security import Tenant, acting_for, current
from clinic.sealed import ERASED

logger = logging.getLogger(__name__)

State = OutboxMessage.State

PLACEHOLDER = "__SECRET__"
"""Stands in a body for the code or token, which goes in when the message is sent. Safe in HTML and URLs."""

MASK = "\u2022" * 6
MAX_ATTEMPTS = 8
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))
"""Waits after the first, second ... failed attempt: about a day until the last."""

SPECIALS = re.compile(r'[()<>@,:;"\\\[\]]|=\?')
"""What means something in a sender's name, quoted or not: Python folds a name that is not ASCII without its
quotes ("Praxis Müller, Köln" would be two senders), and decodes what looks encoded."""

URGENT = ("red_flag", "escalation", "login_code", "break_glass", "password_reset")
"""Kinds that do not queue behind a thousand check-ins."""

OnBounce = Callable[[OutboxMessage, datetime], None]


class SendAgainError(ValueError):
    """The message is not one to be sent again; nothing was changed."""


class MailServerError(Exception):
    """The mail server can't be reached or turns us away; every message waits, none is charged with it."""


class Preview(NamedTuple):
    """A message as the admin may show it; images are data in the HTML."""

    subject: str
    text: str
    html: str


def put(
    *,
    clinic: Clinic | None,
    kind: str,
    dedupe_key: str,
    to_email: str,
    subject: str,
    text: str,
    html: str = "",
    images: Mapping[str, bytes] | None = None,
    patient_key: UUID | None = None,
    secret: str = "",
    now: datetime,
) -> None:
    """Store an e-mail to be sent; call it in the transaction of its cause.

    A message that already has the ``dedupe_key`` stays as it is. ``images`` are PNG bytes by
    content-id (``cid:<content-id>`` in the HTML). ``secret`` replaces ``PLACEHOLDER`` when it is
    sent; until then it is encrypted, afterwards erased.
    """
    message = OutboxMessage(
        clinic=clinic,
        kind=kind,
        dedupe_key=dedupe_key,
        patient_key=patient_key,
        to_email=to_email,
        # A line break in a clinic's name must not cost the message, nor one that is encoded.
        subject=" ".join(subject.replace("=?", "= ?").split())[:200],
        text=text,
        html=html,
        images={cid: base64.b64encode(png).decode() for cid, png in (images or {}).items()},
        secret=secrets.encrypt(secret) if secret else None,
        next_attempt_at=now,
    )
    OutboxMessage.objects.bulk_create([message], ignore_conflicts=True)


@transaction.atomic
def send_again(*, message: OutboxMessage, by: User, now: datetime) -> OutboxMessage:
    """Put a given-up e-mail back in the queue, as if it were new; the address may have been mended.

    Raises:
        Denied: ``by`` is not an owner of its clinic.
        SendAgainError: it is not given up, or its text, code or personal link is erased.
    """
    require(by, Capability.MANAGE_CLINIC, message.clinic_id or 0)
    locked: OutboxMessage = (
        OutboxMessage.objects.select_for_update(of=("self",), no_key=True)
        .select_related("clinic")
        .get(pk=message.pk)
    )
    if refusal := why_not_again(locked):
        raise SendAgainError(refusal)
    locked.state, locked.bounced, locked.attempts = State.PENDING, False, 0
    locked.next_attempt_at, locked.last_error = now, ""
    locked.save(update_fields=["state", "bounced", "attempts", "next_attempt_at", "last_error"])
    return locked


def why_not_again(message: OutboxMessage) -> str:
    """Why the message can't be sent again; empty if it can."""
    if message.state != State.DEAD:
        return "This e-mail is not given up: it is sent once."
    if message.text in ("", ERASED):
        return "Its text is erased."
    if PLACEHOLDER in message.text:
        return "Its code or personal link is erased: have a new one made instead."
    return ""


def masked_preview(message: OutboxMessage) -> Preview:
    """What was or will be sent, with the code or token masked."""
    html = message.html
    for cid, png in message.images.items():
        html = html.replace(f"cid:{cid}", f"data:image/png;base64,{png}")
    return Preview(message.subject, message.text.replace(PLACEHOLDER, MASK), html.replace(PLACEHOLDER, MASK))


def send_due(
    *,
    now: datetime,
    batch: int = 50,
    lease: timedelta = timedelta(minutes=2),
    on_bounce: OnBounce | None = None,
) -> dict[str, int]:
    """Send what is due, at most ``batch`` messages, for at most the length of a lease.

    Returns counts: ``sent``, ``retry`` (failed, comes again), ``dead`` (given up, bounced ones included),
    ``bounced`` (address refused for good), ``overtaken`` (the lease ran out in mid-send: one copy too many).
    ``on_bounce(message, now)`` runs in the transaction that gives a bounced message up.

    Raises:
        MailServerError: no connection or no login; what was claimed is given back.
    """
    sender, counts, started = _Sender(), Counter[str](), monotonic()
    try:
        for _ in range(batch):
            elapsed = timedelta(seconds=monotonic() - started)
            message = _claim(now + elapsed, lease) if elapsed < lease else None
            if message is None:
                break
            counts.update(_deliver(message, sender, now + elapsed, on_bounce))
    finally:
        sender.close()
    return {name: counts[name] for name in ("sent", "retry", "dead", "bounced", "overtaken")}


def _claim(now: datetime, lease: timedelta) -> OutboxMessage | None:
    """Take the message that has been due longest; committed before it is sent.

    One under way is due again when its lease has run out: whoever held it died or hangs.
    """
    free = Q(state=State.PENDING) | Q(state=State.SENDING, leased_until__lte=now)
    with transaction.atomic():
        message: OutboxMessage | None = (
            OutboxMessage.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
            .select_related("clinic")
            .filter(free, next_attempt_at__lte=now)
            .order_by(Case(When(kind__in=URGENT, then=0), default=1), "next_attempt_at", "pk")
            .first()
        )
        if message is not None:
            message.state, message.lease, message.leased_until = State.SENDING, uuid4(), now + lease
            message.attempts += 1
            message.save(update_fields=["state", "lease", "leased_until", "attempts"])
    return message


def _deliver(message: OutboxMessage, sender: _Sender, now: datetime, on_bounce: OnBounce | None) -> list[str]:
    """Send one claimed message and write down what came of it; returns the counts to raise."""
    if message.attempts > MAX_ATTEMPTS:
        # Each attempt ended without a word: the worker died on it. It must not kill them for ever.
        return _give_up(message, "every attempt ended without an answer", now)
    try:
        sender.send(message)
    except MailServerError as error:
        _release(message, str(error))
        raise
    except _BouncedError as error:
        return _give_up(message, str(error), now, on_bounce=on_bounce, bounced=True)
    except Exception as error:
        # Whatever it is (a server's mood, a line break in a header, a lost key), it is this message's alone.
        # The server's answer may name the recipient: it stays in the row, out of the log.
        logger.warning("outbox %s: attempt %s failed: %s", message.pk, message.attempts, type(error).__name__)
        return _retry(message, _reason(error), now)
    if _finish(message, state=State.SENT, sent_at=now, secret=None, last_error=""):
        return ["sent"]
    return ["overtaken"]


def _retry(message: OutboxMessage, reason: str, now: datetime) -> list[str]:
    if message.attempts >= MAX_ATTEMPTS:
        return _give_up(message, reason, now)
    later = now + BACKOFF[message.attempts - 1]
    held = _finish(message, state=State.PENDING, next_attempt_at=later, last_error=reason)
    return ["retry"] if held else ["overtaken"]


@transaction.atomic
def _give_up(
    message: OutboxMessage,
    reason: str,
    now: datetime,
    *,
    on_bounce: OnBounce | None = None,
    bounced: bool = False,
) -> list[str]:
    if not _finish(message, state=State.DEAD, secret=None, bounced=bounced, last_error=reason):
        return ["overtaken"]
    logger.error("outbox %s (%s) given up at attempt %s", message.pk, message.kind, message.attempts)
    if bounced and on_bounce:
        on_bounce(message, now)
    return ["dead", "bounced"] if bounced else ["dead"]


def _release(message: OutboxMessage, reason: str) -> None:
    """Back in the queue as if it had not been claimed."""
    _finish(message, state=State.PENDING, attempts=message.attempts - 1, last_error=reason)


def _finish(message: OutboxMessage, **values: Any) -> bool:
    """Write the outcome if the lease still is ours; false if another worker has taken over."""
    if "last_error" in values:
        values["last_error"] = values["last_error"][:500]
    changed = OutboxMessage.objects.filter(pk=message.pk, lease=message.lease).update(
        lease=None, leased_until=None, **values
    )
    return bool(changed)


class _BouncedError(Exception):
    """The server refused the recipient for good."""


class _Sender:
    """The connection of one sweep: opened when first needed, anew after a failure."""

    def __init__(self) -> None:
        self.mailer: BaseEmailBackend | None = None

    def send(self, message: OutboxMessage) -> None:
        email = _compose(message)
        if self.mailer is None:
            self.mailer = _connect()
        try:
            self.mailer.send_messages([email])
        except SMTPRecipientsRefused as error:
            self.close()
            _raise_bounce(error)
            raise
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        if self.mailer is not None:
            with suppress(OSError):
                self.mailer.close()
            self.mailer = None


def _connect() -> BaseEmailBackend:
    mailer = mailers.default
    try:
        mailer.open()
    except OSError as error:
        raise MailServerError(f"The mail server can't be used: {_reason(error)}") from error
    return mailer


def _raise_bounce(error: SMTPRecipientsRefused) -> None:
    """Raise _BouncedError if the address itself was refused for good.

    5.7.x and 530 refuse *us* (relaying, authentication, policy): that says nothing about the address.
    """
    for code, answer in error.recipients.values():
        text = answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
        if 500 <= code < 600 and code != 530 and not text.startswith("5.7."):
            raise _BouncedError(f"{code} {text}") from error


class _Email(EmailMultiAlternatives):
    """An alternative of text and HTML, where the HTML part holds its own images (multipart/related)."""

    def __init__(self, images: Mapping[str, str], **fields: Any) -> None:
        super().__init__(**fields)
        self.images = images

    def message(self, **options: Any) -> MimeMessage:
        message: MimeMessage = super().message(**options)
        html = message.get_body(("html",))
        if html is not None:
            for cid, png in self.images.items():
                html.add_related(
                    base64.b64decode(png, validate=True), "image", "png", cid=f"<{cid}>", disposition="inline"
                )
        return message


def _open(message: OutboxMessage) -> tuple[str, str]:
    """Text and HTML. The carrier sees no patient's key: it opens each message as whoever it is about."""
    about = Tenant((message.clinic_id,), patient=message.patient_key) if message.clinic_id else current()
    with acting_for(about):
        text, html = message.text, message.html
    if text == ERASED:
        raise secrets.SecretLostError(
            "No key opens this e-mail: a patient erased, or ENCRYPTION_KEYS lost one."
        )
    return text, html


def _compose(message: OutboxMessage) -> _Email:
    text, html = _open(message)
    secret = secrets.decrypt(message.secret) if message.secret else PLACEHOLDER
    domain = urlsplit(settings.SITE_URL).hostname
    email = _Email(
        images=message.images,
        subject=message.subject,
        body=text.replace(PLACEHOLDER, secret),
        from_email=_sender_name(message.clinic),
        to=[message.to_email],
        headers={"Message-ID": f"<{message.pk}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    if html:
        email.attach_alternative(html.replace(PLACEHOLDER, escape(secret)), "text/html")
    return email


def _sender_name(clinic: Clinic | None) -> str:
    """The service's address under the clinic's name, which patients know."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    shown = SPECIALS.sub(" ", clinic.name) if clinic else name
    # What can't be printed, an escape say, makes an address that is refused on the way out.
    shown = "".join(character if character.isprintable() else " " for character in shown)
    return formataddr((" ".join(shown.split()), address))


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
