"""What differs under the admin: the content security policy Unfold needs, and the clinic's own time."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csp import ContentSecurityPolicyMiddleware
from django.urls import reverse
from django.utils import timezone

from clinic.models import User


class ContentSecurityPolicy(ContentSecurityPolicyMiddleware):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path.startswith(reverse("admin:index")) and not hasattr(response, "_csp_config"):
            response._csp_config = settings.ADMIN_CSP
        return super().process_response(request, response)


class ClinicTimeZone:
    """Staff read times on their clinic's clock; everything is stored in UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(reverse("admin:index")) or not isinstance(request.user, User):
            return self.get_response(request)
        memberships = request.user.active_memberships
        with timezone.override(ZoneInfo(memberships[0].clinic.timezone) if memberships else None):
            return self.get_response(request)
