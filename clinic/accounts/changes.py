"""A change of how an account signs in is told to its address: it may not have been its user."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from clinic.accounts.notices import notify
from clinic.emails import accounts as emails
from clinic.models import Clinic, User
from clinic.row_security import Tenant, acting_for


def tell_of_change(user: User, what: str, *, address: str, now: datetime) -> None:
    """What, when and from where; no ``address`` where a command of the service did it."""
    email = emails.changed(what, at=now.astimezone(_zone_of(user)), address=address)
    notify(user, "account_changed", email, now=now)


def _zone_of(user: User) -> ZoneInfo:
    """Of the clinic where they work; who runs the service works for none."""
    with acting_for(Tenant(platform=True)):
        clinic = Clinic.objects.filter(pk__in=user.clinic_ids).order_by("pk").first()
    return ZoneInfo(clinic.timezone if clinic else "UTC")
