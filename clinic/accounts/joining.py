"""How somebody comes to work for a clinic. A password is known to its person alone: whoever adds them types
none, and a link to choose it goes to their mailbox.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse

from clinic import outbox
from clinic.accounts.factors import factors_of
from clinic.emails import accounts as emails
from clinic.models import Clinic, Membership, User
from clinic.row_security import Tenant, acting_for

LIFE = timedelta(days=emails.WAY_IN_DAYS)


class _LongerToken(PasswordResetTokenGenerator):
    """Taken where a forgotten password's link is, and dated ahead, so that it lives longer."""

    def _now(self) -> datetime:
        now: datetime = super()._now()
        return now + LIFE - timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)


def login_of_staff(email: str, *, name: str = "") -> User:
    """The login of this e-mail, made if there is none. It comes without a password, and one with which nobody
    works any more starts anew: whose its password and second factors were is not known.

    Whoever asks does not learn which it was: each costs the same statements.

    Raises:
        ValidationError: the e-mail or the name is not valid.
    """
    user = User.objects.join(email, name=name, is_staff=True)
    works = bool(user.clinic_ids)
    del user.clinic_ids  # cached, and about to change
    in_use = works or user.is_operator
    unset = user.password if in_use else make_password(None)
    anew = 0 if in_use else user.pk
    with acting_for(Tenant(user=user.pk)):
        User.objects.filter(pk=anew).update(password=unset)
        factors_of(user).filter(user_id=anew).delete()
    user.password = unset
    return user


def send_way_in(*, membership: Membership, by: User | None, now: datetime) -> None:
    """E-mail who was added: which clinic, by whom, and where they sign in or choose a password first."""
    user, clinic = membership.user, membership.clinic
    email = emails.staff_added(membership=membership, by=by)
    outbox.put(
        clinic=clinic,
        kind="staff_added",
        dedupe_key=f"staff_added:{membership.pk}",
        to_email=user.email,
        subject=email.subject,
        text=email.text,
        html=email.html,
        secret=_way_in(user, clinic).removeprefix("/"),
        now=now,
    )


def _way_in(user: User, clinic: Clinic) -> str:
    """The end of the link, which the outbox masks: the clinic does not learn who has a password already. What
    the page says to whom stands behind the # too, where no server's log finds it.
    """
    if user.has_usable_password():
        return reverse("admin:login")
    told = urlencode({"for": user.email, "at": clinic.name}, quote_via=quote)
    return f"{reverse('password-reset-new')}#{user.pk}.{_LongerToken().make_token(user)}&{told}"
