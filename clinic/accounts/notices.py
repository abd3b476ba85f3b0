"""E-mails about a staff account, through the outbox."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from clinic import outbox
from clinic.emails.render import Email
from clinic.models import User
from clinic.row_security import Tenant, acting_for

NOBODY = "nobody@invalid.example"


def notify(
    user: User | None, kind: str, email: Email, *, now: datetime, once: str = "", secret: str = ""
) -> None:
    """Write to the user. For nobody the same is done, and undone: the time it takes tells no stranger who
    works here. Of several with the same ``once`` only the first goes out.
    """
    with acting_for(Tenant(platform=True)), transaction.atomic():
        before = transaction.savepoint_create()
        outbox.put(
            clinic=None,
            kind=kind,
            dedupe_key=f"{kind}:{user.pk if user else 0}:{once or now.isoformat()}",
            to_email=user.email if user else NOBODY,
            subject=email.subject,
            text=email.text,
            html=email.html,
            secret=secret,
            now=now,
        )
        settle = transaction.savepoint_commit if user else transaction.savepoint_rollback
        settle(before)
