"""Who works, and from where: told to the database with the tenant (``clinic.row_security``)."""

from __future__ import annotations

import json
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace

WHY_MOST = 500
"""Characters that the trail has room for."""


@dataclass(frozen=True, slots=True)
class Origin:
    """``who`` is ``user:12``, ``patient:<uuid>``, ``task:<name>``, ``command:<name>`` or ``anonymous``.

    Where nobody told, the database notes its own role: ``role:<name>``.
    """

    who: str = ""
    address: str = ""
    route: str = ""
    why: str = ""

    def told(self) -> str:
        """As the database reads it."""
        return json.dumps(asdict(self)) if self.who else ""


UNKNOWN = Origin()
_current: ContextVar[Origin] = ContextVar("origin", default=UNKNOWN)

current = _current.get
assume = _current.set
forget = _current.reset


def identify(who: str, why: str = "") -> None:
    """The request has shown who it is, and why it asks."""
    assume(replace(current(), who=who, why=why[:WHY_MOST]))
