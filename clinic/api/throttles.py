"""Rate limits of endpoints without a token, and of tools with one, counted in PostgreSQL
(``clinic.accounts.limits``).

They slow guessing down; what makes guessing hopeless is five tries a code.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from clinic.accounts.limits import Limit, LimitedError, count_try
from clinic.network import counted_address

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class AuthThrottle(BaseThrottle, ABC):
    """So many tries a window for each endpoint and ident; DRF answers 429 with Retry-After."""

    most = 30
    window = HOUR
    seconds: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        who = self.who(request)
        if who is None:
            return True
        limit = Limit(self.scope(view), self.most, self.window)
        try:
            count_try(limit, who, now=timezone.now())
        except LimitedError as error:
            self.seconds = error.seconds
            return False
        return True

    def wait(self) -> float | None:
        return self.seconds

    @abstractmethod
    def who(self, request: Request) -> str | None:
        """Whose tries are counted; None: this one is not."""

    def scope(self, view: Any) -> str:
        """What is counted together."""
        return f"{type(self).__name__} {type(view).__name__}"


class AddressThrottle(AuthThrottle):
    """By the client's network address."""

    def who(self, request: Request) -> str | None:
        return counted_address(request)


class PatientThrottle(AuthThrottle):
    """By the patient, whichever device asks."""

    most = 10

    def who(self, request: Request) -> str | None:
        return str(request.auth.patient_id)


class TokenThrottle(AuthThrottle):
    """By the token of a member of staff, whatever it asks for: a tool that runs wild stops nobody's work."""

    most = 600
    window = MINUTE

    def who(self, request: Request) -> str | None:
        return str(request.auth.pk)

    def scope(self, view: Any) -> str:
        return type(self).__name__


class EmailThrottle(AuthThrottle):
    """By the e-mail in the body, whoever sends it."""

    most = 10

    def who(self, request: Request) -> str | None:
        email = request.data.get("email") if isinstance(request.data, Mapping) else None
        if not isinstance(email, str):
            return None
        return email.strip().lower().encode("utf-8", "replace").decode()
