"""A session from the right password to its end. Until the second factor is shown it belongs to nobody: no
page and no API knows the user.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import login, update_session_auth_hash
from django.db.models import F
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from clinic import row_security, security_events
from clinic.models import User
from clinic.security_events import Event

BACKEND = "clinic.backends.LoginBackend"
PENDING, ENTERED = "sign_in", "entered"
PENDING_MINUTES = 10
FRESH_MINUTES = 15
SEEN_SECONDS = 60
"""How exactly a session's last use is known: not each request writes it."""


def begin(request: HttpRequest, *, user: User, next_url: str, now: datetime) -> None:
    """The password was right. What was in the browser's session before is gone."""
    row_security.enter(row_security.Tenant(user=user.pk))
    request.session.flush()
    request.session[PENDING] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "at": now.timestamp(),
        "next": next_url,
    }


def pending(request: HttpRequest) -> dict[str, Any]:
    """What the pages between password and second factor keep: the way on, and challenges."""
    request.session.modified = True
    found: dict[str, Any] = request.session.setdefault(PENDING, {})
    return found


def pending_user(request: HttpRequest, *, now: datetime) -> User | None:
    """Whose password was right a moment ago, unless anything about them changed since."""
    state = request.session.get(PENDING) or {}
    if "user" not in state or now.timestamp() - state["at"] > PENDING_MINUTES * 60:
        return None
    user = User.objects.of_session(state["user"])
    if not (user and user.is_active and constant_time_compare(user.get_session_auth_hash(), state["hash"])):
        return None
    row_security.enter(row_security.Tenant(user=user.pk))
    return user


def enter(request: HttpRequest, *, user: User, by: str, now: datetime) -> str:
    """The second factor was right: from here on the session is the user's. Where they wanted to go."""
    next_url = str(pending(request).get("next", ""))
    del request.session[PENDING]
    login(request, user, backend=BACKEND)  # under a new key
    with row_security.acting_for(user.tenant):
        user.memberships.filter(arrived_at=None).update(arrived_at=now)
    security_events.log(Event.SIGNED_IN, security_events.of_user(user.pk))
    request.session[ENTERED] = {"at": now.timestamp(), "seen": now.timestamp(), "by": by}
    return next_url


def why_over(request: HttpRequest, *, now: datetime) -> str:
    """Why the session of a signed-in user has ended, or nothing. Notes that it is in use."""
    entered = request.session.get(ENTERED)
    if not entered:
        return "ended"  # signed in past the second factor
    if now.timestamp() - entered["at"] >= settings.STAFF_SESSION_HOURS * 3600:
        return "age"
    idle = now.timestamp() - entered["seen"]
    if idle >= settings.STAFF_IDLE_MINUTES * 60:
        return "idle"
    if idle >= SEEN_SECONDS:
        request.session[ENTERED] = {**entered, "seen": now.timestamp()}
    return ""


def is_fresh(request: HttpRequest, *, now: datetime) -> bool:
    """Whether the user has shown who they are just now, as changing a factor asks for."""
    entered = request.session.get(ENTERED) or {"at": 0.0}
    return bool(now - datetime.fromtimestamp(entered["at"], now.tzinfo) < timedelta(minutes=FRESH_MINUTES))


def end_others(request: HttpRequest, *, user: User) -> None:
    """Sign out everywhere else, at the next request of each; this session goes on under a new key."""
    User.objects.filter(pk=user.pk).update(session_round=F("session_round") + 1)
    user.refresh_from_db(fields=["session_round"])
    update_session_auth_hash(request, user)
