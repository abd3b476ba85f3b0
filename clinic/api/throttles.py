"""Rate limits of the endpoints that need no token, counted in the cache.

They slow guessing down; what makes guessing hopeless (five tries a code) is counted in the database.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import Any

from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

logger = logging.getLogger(__name__)


class AuthThrottle(SimpleRateThrottle):
    """A rate for each endpoint and ident; lets everything pass while the cache is away."""

    rate = "30/hour"

    def allow_request(self, request: Request, view: Any) -> bool:
        try:
            return bool(super().allow_request(request, view))
        except RedisError:
            logger.warning("Rate limits are off: the cache does not answer.")
            return True

    def counter(self, view: Any, ident: str) -> str:
        digest = hashlib.sha256(ident.encode()).hexdigest()
        return self.cache_format % {"scope": type(self).__name__, "ident": f"{type(view).__name__}_{digest}"}


class AddressThrottle(AuthThrottle):
    """By the client's network address."""

    def get_cache_key(self, request: Request, view: Any) -> str:
        return self.counter(view, str(self.get_ident(request)))


class PatientThrottle(AuthThrottle):
    """By the patient, whichever device asks."""

    rate = "10/hour"

    def get_cache_key(self, request: Request, view: Any) -> str:
        return self.counter(view, str(getattr(request.auth, "patient_id", "")))


class EmailThrottle(AuthThrottle):
    """By the e-mail in the body, whoever sends it."""

    rate = "10/hour"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        email = request.data.get("email") if isinstance(request.data, Mapping) else None
        if not isinstance(email, str):
            return None
        return self.counter(view, email.strip().lower().encode("utf-8", "replace").decode())
