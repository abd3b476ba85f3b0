"""Second factors: authenticator apps (TOTP, RFC 6238) and recovery codes. Passkeys: ``passkeys``."""

from __future__ import annotations

import base64
import hashlib
import secrets as random
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from clinic import secrets
from clinic.accounts.models import Factor
from clinic.models import User

Kind = Factor.Kind

STEP_SECONDS = 30
DIGITS = 6
DRIFT = (0, -1, 1)
"""Steps around the present one that are accepted: a phone's clock is seldom right."""

RECOVERY_CODES = 10
RECOVERY_BYTES = 16
"""128 random bits: no hash of them is guessed, so that a plain one will do."""


class LastFactorError(ValueError):
    """Without it the account could not sign in any more."""

    def __init__(self) -> None:
        super().__init__("This is your only way to confirm a sign-in: add another one first.")


def factors_of(user: User) -> QuerySet[Factor]:
    """The database shows them only where it works for this user."""
    return Factor.objects.filter(user=user)


def is_enrolled(user: User) -> bool:
    """Recovery codes alone are no second factor: they are for the day the factor is lost."""
    return factors_of(user).exclude(kind=Kind.RECOVERY).exists()


def new_totp_secret() -> str:
    return base64.b32encode(random.token_bytes(20)).decode()


def totp_address(user: User, secret: str) -> str:
    """What the QR code says to the app."""
    return _totp(secret).get_provisioning_uri(user.email, settings.SITE_NAME)


def totp_code(secret: str, *, now: datetime) -> str:
    return _totp(secret).generate(int(now.timestamp())).decode()


def matching_step(secret: str, code: str, *, now: datetime) -> int | None:
    """The time step that the code belongs to, if it is one of about now."""
    present = int(now.timestamp()) // STEP_SECONDS
    totp = _totp(secret)
    return next(
        (
            present + drift
            for drift in DRIFT
            if random.compare_digest(
                totp.generate((present + drift) * STEP_SECONDS), code.encode("utf-8", "replace")
            )
        ),
        None,
    )


@transaction.atomic
def add_totp(
    *, user: User, secret: str, label: str, step: int, for_demo: bool = False, now: datetime
) -> Factor:
    """Keep the secret of an app that has shown a right code, that of ``step``: it is used up."""
    return factors_of(user).create(
        user=user,
        kind=Kind.TOTP,
        label=label or "Authenticator app",
        secret=secrets.encrypt(secret),
        last_step=step,
        for_demo=for_demo,
        created_at=now,
    )


@transaction.atomic
def new_recovery_codes(*, user: User, now: datetime) -> list[str]:
    """Ten codes that work once each, shown now and never again; those before are void."""
    found = factors_of(user)
    found.filter(kind=Kind.RECOVERY).delete()
    codes = [_new_recovery_code() for _ in range(RECOVERY_CODES)]
    Factor.objects.bulk_create(
        Factor(user=user, kind=Kind.RECOVERY, secret=_hash(code), created_at=now) for code in codes
    )
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in codes]


def _new_recovery_code() -> str:
    """26 letters and digits, without the signs that fill up the last group of base32."""
    return base64.b32encode(random.token_bytes(RECOVERY_BYTES)).decode().rstrip("=").lower()


def use_code(*, user: User, code: str, now: datetime) -> bool:
    """Whether it is a code of one of the user's apps; used up with this."""
    typed = _typed(code)
    apps = factors_of(user).filter(kind=Kind.TOTP) if len(typed) == DIGITS else ()
    return any(_use_totp(factor, typed, now) for factor in apps)


def use_recovery_code(*, user: User, code: str, now: datetime) -> bool:
    """Whether it is an unused recovery code; used up with this. Its hash stays, to call it used."""
    unused = factors_of(user).filter(kind=Kind.RECOVERY, secret=_hash(_typed(code)), last_used_at=None)
    return bool(unused.update(last_used_at=now))


def is_used_recovery_code(*, user: User, code: str) -> bool:
    used = factors_of(user).filter(kind=Kind.RECOVERY, last_used_at__isnull=False)
    return used.filter(secret=_hash(_typed(code))).exists()


def recovery_codes_left(*, user: User) -> int:
    return factors_of(user).filter(kind=Kind.RECOVERY, last_used_at=None).count()


def _typed(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


@transaction.atomic
def remove_factor(*, user: User, pk: int) -> str:
    """Remove an app or a passkey; its name.

    Raises:
        Factor.DoesNotExist: the user has none of this id.
        LastFactorError: it is the only one.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    strong = list(factors_of(user).exclude(kind=Kind.RECOVERY))
    factor = next((factor for factor in strong if factor.pk == pk), None)
    if factor is None:
        raise Factor.DoesNotExist
    if len(strong) == 1:
        raise LastFactorError
    factor.delete()
    return str(factor)


@transaction.atomic
def forget_factors(*, user: User) -> int:
    """For someone who lost everything and was recognised by other means: they enrol anew."""
    deleted, _ = factors_of(user).delete()
    return deleted


def _use_totp(factor: Factor, code: str, now: datetime) -> bool:
    """Each code works once: the row takes a later step only."""
    step = matching_step(secrets.decrypt(factor.secret), code, now=now)
    if step is None:
        return False
    later = Factor.objects.filter(pk=factor.pk, last_step__lt=step)
    return bool(later.update(last_step=step, last_used_at=now))


def _totp(secret: str) -> TOTP:
    """With the parameters that every app knows; SHA-1 is no weakness in an HMAC."""
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "replace")).digest()
