"""Since when the oldest due row of each sweep waits: a service that answers may still do nothing.

Rows that failed and wait, or are given up, don't count here: they are on the admin's list. Only a red flag
that was not escalated in time is late whatever the reason.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Min, Q, QuerySet
from django.db.models.functions import Greatest

from clinic import attempts
from clinic.audit.models import AuditEntry
from clinic.models import Clinic, Membership, OutboxMessage
from clinic.row_security import Tenant, acting_for
from programs.models import CheckInRequest, Program
from programs.services import checkins, digests, red_flags, reviews, watches

OVER_EVERYWHERE = timedelta(hours=36)
"""So long after its midnight in UTC, a date is over in every zone."""


def oldest_due(*, now: datetime) -> dict[str, datetime]:
    """By the sweep's name; one that has nothing to do is left out."""
    with acting_for(Tenant(platform=True)):
        clinics = tuple(Clinic.objects.filter(is_active=True).values_list("pk", flat=True))
    with acting_for(Tenant(clinics, platform=True)):
        found = {
            "send_outbox": _oldest_mail(now),
            "seal_audit": AuditEntry.objects.filter(position=None).aggregate(oldest=Min("at"))["oldest"],
            **{
                sweep: _oldest(sweep, rows, column, now) for sweep, (rows, column) in rows_of_sweeps().items()
            },
        }
    found[reviews.SWEEP] = _over_everywhere(found[reviews.SWEEP])
    return {sweep: since for sweep, since in found.items() if since is not None and since <= now}


def rows_of_sweeps() -> dict[str, tuple[QuerySet[Any], str]]:
    """The rows that each sweep looks through, and when one is due."""
    requests = CheckInRequest.objects.open()
    return {
        checkins.ASKING: (checkins.askable(), "next_check_in_at"),
        watches.ASKING: (watches.askable(), "next_ask_at"),
        checkins.REMINDING: (requests, "remind_at"),
        "mark_missed": (requests, "missed_at"),
        reviews.SWEEP: (Program.objects.awake(), "next_review_on"),
        digests.SWEEP: (Membership.objects.clinicians().filter(clinic__is_active=True), "next_digest_at"),
        red_flags.ESCALATION: (red_flags.unseen(), "escalate_at"),
    }


def _oldest(sweep: str, rows: QuerySet[Any], column: str, now: datetime) -> Any:
    due = rows if sweep == red_flags.ESCALATION else attempts.to_try(sweep, rows, now)
    return due.aggregate(oldest=Min(column))["oldest"]


def _oldest_mail(now: datetime) -> datetime | None:
    """One that is being sent is due again when its lease ends."""
    unsent = OutboxMessage.objects.filter(Q(state="pending") | Q(state="sending"), next_attempt_at__lte=now)
    due_at = Greatest("next_attempt_at", "leased_until")
    oldest: datetime | None = unsent.aggregate(oldest=Min(due_at))["oldest"]
    return oldest


def _over_everywhere(day: date | None) -> datetime | None:
    """A review is due on a date, of the patient: late once that date is over."""
    return datetime.combine(day, time(0), tzinfo=UTC) + OVER_EVERYWHERE if day else None
