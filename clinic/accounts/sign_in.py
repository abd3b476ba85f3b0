"""Who is it? First the password, then a second factor; each try counted, and nothing told to a stranger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth import authenticate

from clinic import security_events
from clinic.accounts import factors, passkeys
from clinic.accounts.changes import tell_of_change
from clinic.accounts.limits import Limit, LimitedError, count_try, forget_tries, take_back
from clinic.accounts.notices import notify
from clinic.emails import accounts as emails
from clinic.emails.render import Email
from clinic.models import User
from clinic.security_events import Event


class WrongCredentialsError(ValueError):
    """One message, whether the address is unknown, the password wrong or the account closed."""

    def __init__(self) -> None:
        super().__init__("E-mail and password don't match an account of a member of staff.")


class WrongCodeError(ValueError):
    def __init__(self) -> None:
        super().__init__("This code is wrong, or it was used before. Type the one that the app shows now.")


class UsedCodeError(WrongCodeError):
    def __init__(self) -> None:
        ValueError.__init__(self, "This recovery code was used before. Take another.")


def by_account() -> Limit:
    return Limit("account", settings.SIGN_IN_TRIES, timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES))


def by_address() -> Limit:
    return Limit("address", settings.SIGN_IN_TRIES_BY_ADDRESS, timedelta(hours=1))


def by_second_factor() -> Limit:
    return Limit("second factor", settings.SIGN_IN_TRIES, timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES))


def check_password(*, email: str, password: str, address: str, now: datetime) -> User:
    """The member of staff whose e-mail and password these are.

    A stranger's e-mail costs the same statements and the same hashing, and locks after as many tries.

    Raises:
        WrongCredentialsError: they are nobody's.
        LimitedError: too many tries for this e-mail, or from this address.
    """
    email = email.strip().lower()
    count_try(by_address(), address, now=now)
    is_last = count_try(by_account(), email, now=now)
    user = authenticate(None, username=email, password=password)
    if isinstance(user, User) and may_enter(user):
        forget_tries(by_account(), email)
        take_back(by_address(), address)
        return user
    account = security_events.of_address(email)
    security_events.log(Event.WRONG_PASSWORD, account)
    if is_last:
        _lock(email, account, now, "account_locked", emails.locked())
    raise WrongCredentialsError


def check_own_password(*, user: User, password: str, address: str, now: datetime) -> None:
    """Whether who is signed in knows the password; counted with the tries at the door.

    Raises:
        WrongCredentialsError, LimitedError: as ``check_password``.
    """
    if check_password(email=user.email, password=password, address=address, now=now) != user:
        raise WrongCredentialsError


def check_code(*, user: User, code: str, address: str, now: datetime) -> None:
    """Use up a code of an app, or a recovery code.

    Raises:
        WrongCodeError: it is none.
        LimitedError: too many tries for this account, or from this address.
    """
    is_last = _count_second(user, address, now)
    if factors.use_code(user=user, code=code, now=now):
        _forgive_second(user, address)
        return
    if factors.use_recovery_code(user=user, code=code, now=now):
        _forgive_second(user, address)
        left = factors.recovery_codes_left(user=user)
        what = f"A recovery code was used to sign in: {left} code{'' if left == 1 else 's'} left."
        tell_of_change(user, what, address=address, now=now)
        return
    account = security_events.of_user(user.pk)
    security_events.log(Event.WRONG_CODE, account)
    if is_last:
        _lock(user.email, account, now, "account_locked_codes", emails.locked_codes())
    raise UsedCodeError if factors.is_used_recovery_code(user=user, code=code) else WrongCodeError


def check_passkey(
    *, user: User, origin: str, state: Mapping[str, Any], answer: str, address: str, now: datetime
) -> None:
    """Raises PasskeyError or LimitedError, as ``check_code``."""
    is_last = _count_second(user, address, now)
    if passkeys.confirm(user=user, origin=origin, state=state, answer=answer, now=now):
        _forgive_second(user, address)
        return
    account = security_events.of_user(user.pk)
    security_events.log(Event.WRONG_PASSKEY, account)
    if is_last:
        _lock(user.email, account, now, "account_locked_codes", emails.locked_codes())
    raise passkeys.PasskeyError


def may_enter(user: User) -> bool:
    """Whether there is anything for the user in the admin: a clinic they work for, or the platform."""
    return user.is_active and user.is_staff and (user.is_operator or bool(user.clinic_ids))


def staff_with(email: str) -> User | None:
    """Who would read mail about a member's account at this address."""
    user = User.objects.by_email(email)
    reads = user is not None and user.is_active and user.is_staff
    return user if reads else None


def _count_second(user: User, address: str, now: datetime) -> bool:
    count_try(by_address(), address, now=now)
    return count_try(by_second_factor(), str(user.pk), now=now)


def _forgive_second(user: User, address: str) -> None:
    forget_tries(by_second_factor(), str(user.pk))
    take_back(by_address(), address)


def _lock(email: str, account: str, now: datetime, kind: str, mail: Email) -> NoReturn:
    """Say so at once, and by mail once a day: whoever guesses must not fill a mailbox."""
    security_events.log(Event.LOCKED, account)
    notify(staff_with(email), kind, mail, once=f"{now:%Y-%m-%d}", now=now)
    raise LimitedError(settings.SIGN_IN_LOCK_MINUTES * 60)
