"""Tries to get in, and to do what one may not, as lines of the log: what, on which account, from where.

An account is named by its id; where only an address was typed, by a keyed hash of it: the same address gives
the same hash, and nobody can tell which from the log.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from uuid import UUID

from django.utils.crypto import salted_hmac

from clinic.audit import origin

logger = logging.getLogger("clinic.security")


class Event(StrEnum):
    """What happened; ``LIMITED`` is one more try of somebody who has to wait."""

    SIGNED_IN = "signed in"
    WRONG_PASSWORD = "wrong password"  # noqa: S105 - a name of ours
    WRONG_CODE = "wrong code"
    WRONG_PASSKEY = "wrong passkey"
    WRONG_LINK = "wrong link"
    WRONG_TOKEN = "wrong token"  # noqa: S105
    LOCKED = "locked"
    LIMITED = "limited"
    REFUSED = "refused"


def log(event: Event, account: str = "") -> None:
    """``account`` is from ``of_user`` or ``of_address``; without, who the request has shown to be."""
    here = origin.current()
    level = logging.INFO if event is Event.SIGNED_IN else logging.WARNING
    about = {"event": event.value, "account": account or _shown(here.who)}
    logger.log(level, event.value, extra={**about, "address": here.address, "route": here.route})


def of_user(pk: int) -> str:
    return f"user:{pk}"


def of_address(typed: str) -> str:
    """Of an e-mail, or whatever else was typed for one."""
    digest = salted_hmac("clinic.security_events", typed.strip().lower(), algorithm="sha256")
    return f"hash:{digest.hexdigest()[:32]}"


def of_patient(pk: UUID) -> str:
    """Their id would tie the log to the record, also once that is erased."""
    return of_address(f"patient:{pk}")


def _shown(who: str) -> str:
    """As the audit trail names them, a patient's id hashed."""
    return who if who.startswith("user:") else of_address(who) if who.startswith("patient:") else ""
