"""Tokens with which a member's own tools use the API of one clinic, as the member would."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from knox.crypto import hash_token

from clinic import row_security
from clinic.accounts.changes import tell_of_change
from clinic.accounts.models import StaffToken
from clinic.errors import FieldError
from clinic.models import Membership, User

PREFIX = "staff_"
"""So that a scanner of source code finds one that was left there."""

LONGEST_DAYS = 90
MOST = 20
"""Tokens of one member; who needs more has forgotten some."""

SEEN_SECONDS = 60
"""How exactly the last use is known: not each request writes it."""


class TokenError(FieldError):
    """The token can't be made like that."""


@transaction.atomic
def make_token(
    *, membership: Membership, name: str, writes: bool, days: int, address: str, now: datetime
) -> tuple[StaffToken, str]:
    """A new token and its text, which is kept nowhere. Its owner is told by e-mail.

    Raises:
        TokenError: no name or one in use, too long a life, or too many tokens.
    """
    user, name = membership.user, name.strip()
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    known = tokens_of(user, now=now)
    if not 1 <= days <= LONGEST_DAYS:
        raise TokenError("days", f"From 1 to {LONGEST_DAYS} days.")
    if not name or any(token.name == name for token in known):
        raise TokenError("name", "Give it a name that none of your tokens has.")
    if len(known) >= MOST:
        raise TokenError("name", f"You have {MOST} tokens: revoke one first.")
    text = PREFIX + secrets.token_urlsafe(32)
    token = StaffToken.objects.create(
        clinic=membership.clinic,
        user=user,
        name=name,
        digest=hash_token(text),
        tied=_tie(user, membership.clinic_id),
        writes=writes,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    what = f"A token for the API of {membership.clinic.name} was made, to {_may(token)}: {name}."
    tell_of_change(user, what, address=address, now=now)
    return token, text


def tokens_of(user: User, *, now: datetime) -> list[StaffToken]:
    """Those that open something now, the latest first."""
    found = StaffToken.objects.filter(user=user, expires_at__gt=now).select_related("clinic")
    return [token for token in found if token.tied == _tie(user, token.clinic_id)]


@transaction.atomic
def revoke_token(*, user: User, pk: int) -> str:
    """End one of the user's tokens at once; its name.

    Raises:
        StaffToken.DoesNotExist: the user has none of this id.
    """
    token = StaffToken.objects.get(user=user, pk=pk)
    token.delete()
    return str(token)


def end_tokens(*, membership: Membership) -> None:
    """The member's role or place has changed: none of their tokens of this clinic comes back to life."""
    StaffToken.objects.filter(clinic=membership.clinic_id, user=membership.user_id).delete()


def open_with(text: str, *, now: datetime) -> tuple[User, StaffToken] | None:
    """Whose token this is, if it opens something now; asked before a clinic is known. From then on the
    request works in this clinic and no other, whatever else its user may do.
    """
    query = "SELECT * FROM staff_token_by_digest(%s, %s)"
    token = next(iter(StaffToken.objects.raw(query, [hash_token(text), now])), None)
    user = User.objects.of_session(token.user_id) if token else None
    if token is None or user is None or token.tied != _tie(user, token.clinic_id):
        return None
    user.clinic_ids = [token.clinic_id]
    row_security.enter(
        row_security.Tenant((token.clinic_id,), user=user.pk), f"user:{user.pk}", f"API token: {token}"
    )
    memberships = Membership.objects.filter(clinic=token.clinic_id).select_related("clinic__policy")
    user.active_memberships = [memberships.get(user=user.pk)]
    token.clinic, token.user = user.active_memberships[0].clinic, user
    _note_use(token, now)
    return user, token


def _note_use(token: StaffToken, now: datetime) -> None:
    if token.last_used_at is None or now - token.last_used_at >= timedelta(seconds=SEEN_SECONDS):
        StaffToken.objects.filter(pk=token.pk).update(last_used_at=now)


def _tie(user: User, clinic_id: int) -> str:
    """What a token is tied to: the password, the standing, and the role in the one clinic, by whatever way
    they change. A plain hash will do: of a password it holds the hash only, which stands beside it.
    """
    here: Sequence[str] = [role for role in user.roles if role.startswith(f"{clinic_id}:")]
    tied = (user.pk, user.password, user.is_active and user.is_staff, list(here))
    return hashlib.sha256(repr(tied).encode()).hexdigest()


def _may(token: StaffToken) -> str:
    return "read and write" if token.writes else "read only"
