"""E-mails about staff accounts. They name no patient, and no link signs anybody in."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from clinic.accounts.models import BreakGlass
from clinic.emails.render import Email, render
from clinic.models import Membership, User
from clinic.outbox import PLACEHOLDER

RESET_MINUTES = settings.PASSWORD_RESET_TIMEOUT // 60
WAY_IN_DAYS = 3


def password_reset() -> Email:
    """Put it with what stands for the user as the outbox's ``secret``; behind the # it reaches no log."""
    link = f"{settings.SITE_URL}/admin/password-reset/new/#{PLACEHOLDER}"
    context = {"link": link, "minutes": RESET_MINUTES}
    return render("password_reset", subject="Choose a new password", clinic=None, context=context)


def staff_added(*, membership: Membership, by: User | None) -> Email:
    """Alike for who has a password and who chooses one first: the clinic reads this mail too. The outbox's
    ``secret`` is the path to the one or the other.
    """
    clinic = membership.clinic
    context = {
        "by": by and by.get_full_name(),
        "role": membership.get_role_display().lower(),
        "email": membership.user.email,
        "link": f"{settings.SITE_URL}/{PLACEHOLDER}",
        "later": f"{settings.SITE_URL}/admin/password-reset/",
        "days": WAY_IN_DAYS,
    }
    subject = f"{clinic.name} has added you to its staff"
    return render("staff_added", subject=subject, clinic=clinic, context=context)


def locked_codes() -> Email:
    """Whoever tried codes knew the password."""
    context = {
        "minutes": settings.SIGN_IN_LOCK_MINUTES,
        "link": f"{settings.SITE_URL}/admin/password_change/",
    }
    return render(
        "account_locked_codes",
        subject="Somebody who knows your password tried wrong codes",
        clinic=None,
        context=context,
    )


def locked() -> Email:
    context = {"minutes": settings.SIGN_IN_LOCK_MINUTES, "link": f"{settings.SITE_URL}/admin/password-reset/"}
    return render(
        "account_locked", subject="Your account is locked for a while", clinic=None, context=context
    )


def changed(what: str, *, at: datetime, address: str) -> Email:
    """``at`` is on the reader's clock; ``address`` is where it was done, empty for one of our commands."""
    context = {
        "what": what,
        "at": at,
        "zone": at.tzname(),
        "address": address,
        "link": f"{settings.SITE_URL}/admin/password-reset/",
        "account": f"{settings.SITE_URL}/admin/account/",
    }
    return render(
        "account_changed", subject="The sign-in of your account was changed", clinic=None, context=context
    )


def break_glass(*, opened: BreakGlass) -> Email:
    zone = ZoneInfo(opened.clinic.timezone)
    context = {
        "operator": opened.operator.get_full_name(),
        "reason": opened.reason,
        "since": opened.started_at.astimezone(zone),
        "until": opened.ends_at.astimezone(zone),
        "link": f"{settings.SITE_URL}/admin/clinic/breakglass/",
    }
    subject = "An operator has opened your clinic's records"
    return render("break_glass", subject=subject, clinic=opened.clinic, context=context)
