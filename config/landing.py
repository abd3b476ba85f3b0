"""Where a patient's link from an e-mail ends when no app took it: what to do with it, and nothing else.

One page for every address, known or not, so that it tells nobody which invitations or check-ins exist.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

HEADERS = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@csrf_exempt  # nothing to forge, and any other method is told 405 rather than 403
@require_safe
def open_in_app(request: HttpRequest, check_in: str = "") -> HttpResponse:
    """The same for every ``check_in``, which is not looked up. Reads no session and sets no cookie."""
    return HttpResponse(render_to_string("landing.html"), headers=HEADERS)
