"""Passkeys as a second factor (WebAuthn), over python-fido2. The challenge waits in the session."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    UserVerificationRequirement,
)

from clinic.accounts.factors import factors_of
from clinic.accounts.models import Factor
from clinic.models import User

Kind = Factor.Kind


class PasskeyError(ValueError):
    """The browser's answer is not the one that was asked for. One message for all."""

    def __init__(self) -> None:
        super().__init__("The passkey was not accepted. Try again.")


@dataclass(frozen=True, slots=True)
class Asked:
    """``options`` go to the browser, ``state`` stays in the session."""

    options: dict[str, Any]
    state: dict[str, Any]


def ask_to_register(*, user: User, origin: str) -> Asked:
    entity = PublicKeyCredentialUserEntity(
        id=str(user.pk).encode(), name=user.email, display_name=user.get_full_name()
    )
    options, state = _server(origin).register_begin(
        entity, _credentials(user), user_verification=UserVerificationRequirement.PREFERRED
    )
    return Asked(dict(options), dict(state))


@transaction.atomic
def register(
    *, user: User, origin: str, state: Mapping[str, Any], answer: str, label: str, now: datetime
) -> Factor:
    """Keep the public key of a new passkey.

    Raises:
        PasskeyError: the answer is not that of the challenge, or the passkey is known already.
    """
    try:
        data = _server(origin).register_complete(state, json.loads(answer)).credential_data
    except Exception:  # whatever is wrong with it: the browser may send anything
        raise PasskeyError from None
    try:
        with transaction.atomic():
            return factors_of(user).create(
                user=user,
                kind=Kind.PASSKEY,
                label=label or "Passkey",
                secret=bytes(data or b""),
                created_at=now,
            )
    except IntegrityError:
        raise PasskeyError from None


def ask_to_confirm(*, user: User, origin: str) -> Asked | None:
    """None where the user has no passkey."""
    known = _credentials(user)
    if not known:
        return None
    options, state = _server(origin).authenticate_begin(
        known, user_verification=UserVerificationRequirement.PREFERRED
    )
    return Asked(dict(options), dict(state))


def confirm(*, user: User, origin: str, state: Mapping[str, Any], answer: str, now: datetime) -> bool:
    """Whether one of the user's passkeys signed the challenge."""
    try:
        used = _server(origin).authenticate_complete(state, _credentials(user), json.loads(answer))
    except Exception:  # as above
        return False
    factors_of(user).filter(kind=Kind.PASSKEY, secret=bytes(used)).update(last_used_at=now)
    return True


def _credentials(user: User) -> list[AttestedCredentialData]:
    return [
        AttestedCredentialData(bytes(factor.secret)) for factor in factors_of(user).filter(kind=Kind.PASSKEY)
    ]


def _server(origin: str) -> Fido2Server:
    """For the address that the request came to, which is one of ALLOWED_HOSTS."""
    party = PublicKeyCredentialRpEntity(id=urlsplit(origin).hostname or "", name=settings.SITE_NAME)
    return Fido2Server(party, verify_origin=lambda claimed: claimed == origin)
