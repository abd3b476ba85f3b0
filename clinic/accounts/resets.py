"""A forgotten password: a link by e-mail, good for an hour and once. The second factor stays what it was."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction

from clinic import security_events
from clinic.accounts.changes import tell_of_change
from clinic.accounts.limits import Limit, count_try, forget_tries
from clinic.accounts.notices import notify
from clinic.accounts.sign_in import by_account, by_address, staff_with
from clinic.emails import accounts as emails
from clinic.models import User
from clinic.row_security import Tenant, acting_for
from clinic.security_events import Event

BY_EMAIL = Limit("password reset", 5, timedelta(hours=1))


class ResetError(ValueError):
    """The link is unknown, used or too old. One message for all."""

    def __init__(self) -> None:
        super().__init__("This link is not valid any more. Ask for a new one.")


def ask_for_reset(*, email: str, address: str, now: datetime) -> None:
    """E-mail a link to the member of staff with this address. For anybody else the same is done, and undone.

    Raises:
        LimitedError: asked for too often, for this address or from it.
    """
    count_try(by_address(), address, now=now)
    count_try(BY_EMAIL, email.strip().lower(), now=now)
    user = staff_with(email)
    known = user or User(pk=0, email=email)
    secret = f"{known.pk}.{default_token_generator.make_token(known)}"
    notify(user, "password_reset", emails.password_reset(), secret=secret, now=now)


@transaction.atomic
def reset_password(*, secret: str, password: str, address: str, now: datetime) -> User:
    """Set a new password; every session of the user ends, and a lock with it.

    Raises:
        ResetError: the secret is not that of a link that was sent in the last hour.
        ValidationError: the password is too weak.
        LimitedError: too many tries from this address.
    """
    count_try(by_address(), address, now=now)
    user = _whose(secret)
    validate_password(password, user)
    before = user.password
    user.set_password(password)
    with acting_for(Tenant(user=user.pk)):  # of two at once one wins
        if not User.objects.filter(pk=user.pk, password=before).update(password=user.password):
            raise ResetError
    forget_tries(by_account(), user.email)
    tell_of_change(user, "Your password was set anew.", address=address, now=now)
    return user


def _whose(secret: str) -> User:
    """The password's hash is part of the token, so that it works once."""
    pk, _, token = secret.partition(".")
    number = int(pk) if pk.isascii() and pk.isdecimal() and len(pk) < 19 else 0
    user = User.objects.of_session(number)
    valid = user and user.is_active and user.is_staff and default_token_generator.check_token(user, token)
    if user is None or not valid:
        security_events.log(Event.WRONG_LINK, security_events.of_user(user.pk) if user else "")
        raise ResetError
    return user
