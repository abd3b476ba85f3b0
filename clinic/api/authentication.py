"""``Authorization: Token staff_...``: a member's tool, in one clinic."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from clinic import security_events
from clinic.absences import covered_by
from clinic.accounts.limits import Limit, LimitedError, count_try
from clinic.accounts.tokens import open_with
from clinic.models import StaffToken, User
from clinic.network import counted_address
from clinic.security_events import Event


class StaffTokenAuthentication(TokenAuthentication):
    """The member and their token; from then on the request works in the token's clinic only.

    A token that is unknown, expired, revoked, or of a member who has left, has another role or another
    password: one answer, so that nothing is learnt from it. Wrong ones are counted by network address.
    """

    def authenticate(self, request: Request) -> tuple[User, StaffToken] | None:
        try:
            opened: tuple[User, StaffToken] | None = super().authenticate(request)
        except AuthenticationFailed:
            _count_wrong(request)
            raise
        return opened

    def authenticate_credentials(self, token: bytes) -> tuple[User, StaffToken]:
        now = timezone.now()
        opened = open_with(token.decode("utf-8", "replace"), now=now)
        if opened is None:
            raise AuthenticationFailed("This token is not valid. Make a new one under Sign-in and security.")
        user, _ = opened
        user.stands_in = partial(covered_by, user, now)
        return opened


def _count_wrong(request: Request) -> None:
    security_events.log(Event.WRONG_TOKEN)
    limit = Limit("staff token", settings.SIGN_IN_TRIES_BY_ADDRESS, timedelta(hours=1))
    try:
        count_try(limit, counted_address(request), now=timezone.now())
    except LimitedError as error:
        raise Throttled(error.seconds) from None


class StaffTokenScheme(OpenApiAuthenticationExtension):
    """How the schema describes it."""

    target_class = StaffTokenAuthentication
    name = "staffToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token staff_...`, as made in the admin under *Sign-in and security*.",
        }
