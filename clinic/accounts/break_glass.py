"""Break-glass: an operator, who sees no patient, reads one clinic's records for an hour, and says why.

The clinic's owners are told at once. The database lets the operator read and nothing else.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from clinic import outbox
from clinic.accounts.models import BreakGlass
from clinic.emails import accounts as emails
from clinic.errors import FieldError
from clinic.models import Clinic, Membership, User
from clinic.roles import Denied
from clinic.row_security import Tenant, acting_for

DURATION = timedelta(hours=1)
REASON_LEAST = 10


class BreakGlassError(FieldError):
    """The records cannot be opened like that."""


@transaction.atomic
def open_records(*, clinic: Clinic, by: User, reason: str, now: datetime) -> BreakGlass:
    """Let the operator read the clinic's records from now on, and tell its owners.

    Raises:
        Denied: ``by`` is no operator.
        BreakGlassError: no reason that somebody could judge, or the clinic has no owner to be told.
    """
    if not (by.is_operator and by.is_active):
        raise Denied("Only an operator opens records by break-glass.")
    reason = " ".join(reason.split())
    if len(reason) < REASON_LEAST:
        raise BreakGlassError("reason", f"Say why, in {REASON_LEAST} characters or more: the owner reads it.")
    with acting_for(Tenant(platform=True)):
        close_records(by=by, now=now)
        opened = BreakGlass.objects.create(
            clinic=clinic, operator=by, reason=reason, started_at=now, ends_at=now + DURATION
        )
    with acting_for(Tenant((clinic.pk,), platform=True)):
        _tell_owners(opened, now)
    return opened


def close_records(*, by: User, now: datetime) -> int:
    """End it before its time; how many were open."""
    return BreakGlass.objects.filter(operator=by).open_at(now).update(ends_at=now)


def opened_by(operator: User, *, now: datetime) -> BreakGlass | None:
    """What the operator may read now; asked as the platform."""
    found = BreakGlass.objects.filter(operator=operator, clinic__is_active=True).open_at(now)
    opened: BreakGlass | None = found.select_related("clinic__policy").first()
    return opened


def _tell_owners(opened: BreakGlass, now: datetime) -> None:
    owners = list(Membership.objects.owners().filter(clinic=opened.clinic).select_related("user"))
    if not owners:
        raise BreakGlassError("reason", "This clinic has no owner who could be told.")
    email = emails.break_glass(opened=opened)
    for owner in owners:
        outbox.put(
            clinic=opened.clinic,
            kind="break_glass",
            dedupe_key=f"break_glass:{opened.pk}:{owner.user_id}",
            to_email=owner.user.email,
            subject=email.subject,
            text=email.text,
            html=email.html,
            now=now,
        )
