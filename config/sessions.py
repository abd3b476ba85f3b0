"""Under the admin a session ends by itself, and its user is told why and comes back to the same page."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from clinic import row_security
from clinic.accounts import sessions
from clinic.accounts.break_glass import opened_by
from clinic.admin.entry import to_login
from clinic.models import User

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class StaffSession:
    """Lets through who is nobody, and who showed a second factor and was here a moment ago.

    Of an operator it also says which records they have opened; stands before ``StaffOfClinic``.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(reverse("admin:index")):
            return self.get_response(request)
        claimed, now = SESSION_KEY in request.session, timezone.now()
        user = request.user
        why = "ended" if claimed else ""
        if isinstance(user, User):
            why = sessions.why_over(request, now=now)
        if why:
            logout(request)
            return to_login(request, why=why, next_url=_page_of(request))
        if isinstance(user, User) and user.is_operator:
            with row_security.acting_for(row_security.Tenant(platform=True)):
                user.glass = opened_by(user, now=now)
        return self.get_response(request)

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        """On every page while records are open."""
        glass = getattr(request.user, "glass", None)
        if glass is not None and request.path.startswith(reverse("admin:index")):
            banner = render_to_string("admin/clinic/glass.html", {"glass": glass}, request=request)
            messages.warning(request, banner)
        return response


def _page_of(request: HttpRequest) -> str:
    """Where to come back to: what was sent is lost, the page it was sent from is not."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    came_from = urlsplit(request.headers.get("Referer", ""))
    return came_from.path if came_from.netloc == request.get_host() else reverse("admin:index")
