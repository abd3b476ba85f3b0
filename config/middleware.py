"""Each request is one transaction, told for whom it works; and what differs under the admin."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from time import monotonic
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.middleware.csp import ContentSecurityPolicyMiddleware
from django.template.loader import render_to_string
from django.urls import Resolver404, ResolverMatch, resolve, reverse
from django.utils import timezone

from clinic import logs, row_security, security_events
from clinic.absences import covered_by
from clinic.api.problems import CONTENT_TYPE, problem_body
from clinic.audit import seen
from clinic.models import User
from clinic.network import client_address
from clinic.row_security import NOBODY, Origin
from clinic.secrets import SecretLostError
from clinic.security_events import Event
from programs.library import DRAWN
from programs.services.letters import TypesetterMissing

logger = logging.getLogger(__name__)
requests = logging.getLogger("config.requests")

GetResponse = Callable[[HttpRequest], HttpResponseBase]

API = "/api/"
KEPT_NOWHERE = (API, "/admin/")
DRAWINGS = f"{settings.STATIC_URL}{DRAWN}/"
WITHOUT_DATABASE = ("/health/", "/invitation", "/check-ins/")
"""Probes, and the page behind a patient's link: they answer whatever else is down."""

SHOWING = (HTTPStatus.OK, HTTPStatus.CREATED)

RETRY_AFTER_SECONDS = 30
LOST = (
    "The service can't open what it has stored encrypted. Nothing was stored or changed. "
    "Whoever runs it finds the reason in its log."
)
OVERTAKEN = (
    "Another change was made at the same moment. Nothing of this one was stored. Try again in half a minute."
)
NO_TYPESETTER = (
    "Letters can't be set as PDF on this server: the library Pango is missing. Nothing was stored. "
    "Whoever runs it finds the packages in apt.txt."
)
UNAVAILABLE = (
    "The service can't reach its database. What was sent may not have been stored. "
    "Try again in half a minute."
)


class RequestLog:
    """The outermost: gives each request an id, and its one log line. Probes leave none."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started, token = monotonic(), logs.request_id.set(str(uuid4()))
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = logs.request_id.get()
            if not request.path_info.startswith(logs.PROBES):
                requests.info("request", extra=_facts(request, response, monotonic() - started))
        finally:
            logs.request_id.reset(token)
        return response


def _facts(request: HttpRequest, response: HttpResponseBase, seconds: float) -> dict[str, object]:
    return {
        "method": request.method,
        "route": logs.route(request),
        "status": response.status_code,
        "milliseconds": round(seconds * 1000),
    }


class SecurityHeaders:
    """On every answer, static files included; what is about somebody is kept in no cache.

    Django's SecurityMiddleware adds HSTS, nosniff, Referrer-Policy and Cross-Origin-Opener-Policy.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in settings.SECURITY_HEADERS.items():
            response[name] = value
        if request.path_info.startswith(KEPT_NOWHERE):
            response["Cache-Control"] = "no-store"
        if request.path_info.startswith(DRAWINGS):
            response["Cross-Origin-Resource-Policy"] = "cross-origin"  # the patients' app may live elsewhere
        if request.path_info == reverse("admin:logout") and request.method == "POST":
            response["Clear-Site-Data"] = '"cookies", "storage"'
        return response


class ApiOverTlsOnly:
    """Refused, not redirected: an app that forgot the s would go on sending its token for all to read."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SECURE_SSL_REDIRECT and request.path_info.startswith(API) and not request.is_secure():
            body = problem_body(HTTPStatus.FORBIDDEN, [{"detail": "Use https.", "code": "insecure"}])
            return JsonResponse(body, status=HTTPStatus.FORBIDDEN, content_type=CONTENT_TYPE)
        return self.get_response(request)


class ContentSecurityPolicy(ContentSecurityPolicyMiddleware):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path.startswith(reverse("admin:index")) and not hasattr(response, "_csp_config"):
            response._csp_config = settings.ADMIN_CSP
        return super().process_response(request, response)


class PagesAndForms:
    """That is all the admin is. Django would take any other method for a GET of the page."""

    METHODS = ("GET", "HEAD", "POST")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(reverse("admin:index")) and request.method not in self.METHODS:
            return HttpResponseNotAllowed(self.METHODS)
        return self.get_response(request)


class TenantTransaction:
    """The whole request in one transaction: committed before it is answered, undone if it failed.

    It works for nobody until the session or the token shows whose it is. Without the database the answer is
    503, never a success. An answer that shows a patient's data leaves an entry in the audit trail, or fails.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(WITHOUT_DATABASE):
            return self.get_response(request)
        route = _found(request)
        origin = Origin("anonymous", client_address(request), route.view_name if route else "")
        try:
            with row_security.acting_for(NOBODY, origin), seen.watching() as shown, transaction.atomic():
                response = self.get_response(request)
                _record_reading(response, shown, route)
                if response.status_code == HTTPStatus.FORBIDDEN:
                    security_events.log(Event.REFUSED)
                if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    transaction.set_rollback(True)
                    if _was_lost():  # to a middleware below, which answered 500
                        response = _unavailable(request)
        except (OperationalError, InterfaceError):
            logger.exception("the database could not be used")
            return _unavailable(request)
        except IntegrityError:  # at the commit: what a row refers to was deleted meanwhile, as by an erasure
            logger.exception("the request could not be committed")
            return _unavailable(request, OVERTAKEN)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """What a view could not do: without the database, the key of what it shows, or the typesetter."""
        if isinstance(exception, SecretLostError):
            logger.error("ENCRYPTION_KEYS lacks a key that is in use", exc_info=exception)
            return _unavailable(request, LOST)
        if isinstance(exception, TypesetterMissing):
            logger.error("no letter can be made: Pango is not installed", exc_info=exception)
            return _unavailable(request, NO_TYPESETTER)
        if not isinstance(exception, (OperationalError, InterfaceError)):
            return None
        logger.error("the database could not be used", exc_info=exception)
        return _unavailable(request)


def _was_lost() -> bool:
    return connection.connection is None or bool(connection.connection.closed)


def _unavailable(request: HttpRequest, detail: str = UNAVAILABLE) -> HttpResponseBase:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS), "Cache-Control": "no-store"}
    if request.path_info.startswith(API):
        body = problem_body(HTTPStatus.SERVICE_UNAVAILABLE, [{"detail": detail, "code": "unavailable"}])
        return JsonResponse(body, status=503, headers=headers, content_type=CONTENT_TYPE)
    return HttpResponse(render_to_string("503.html", {"detail": detail}), status=503, headers=headers)


def _found(request: HttpRequest) -> ResolverMatch | None:
    try:
        return resolve(request.path_info)
    except Resolver404:
        return None


def _record_reading(response: HttpResponseBase, shown: seen.Seen, route: ResolverMatch | None) -> None:
    """What was loaded for an answer that shows nothing of it (a redirect, a refusal) was not read."""
    if shown and route and response.status_code in SHOWING:
        exported = "attachment" in response.headers.get("Content-Disposition", "")
        place = " ".join(str(value) for value in route.kwargs.values())[:100]
        seen.record(shown, exported=exported, place=place)


class StaffOfClinic:
    """Under the admin: the clinics the user works for, and times on their clock; stored in UTC."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(reverse("admin:index")) or not isinstance(request.user, User):
            return self.get_response(request)
        glass = request.user.glass
        why = f"Break-glass {glass.pk}: {glass.reason}" if glass else ""
        row_security.enter(request.user.tenant, f"user:{request.user.pk}", why)
        request.user.stands_in = partial(covered_by, request.user, timezone.now())
        memberships = request.user.active_memberships
        with timezone.override(ZoneInfo(memberships[0].clinic.timezone) if memberships else None):
            return self.get_response(request)
