"""The command palette's search, which takes the page number from the address as it comes."""

from __future__ import annotations

from django.contrib import admin
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse


def search(request: HttpRequest) -> HttpResponse:
    """Unfold's own search; a page that is no number, or that there is not, is not found."""
    page = request.GET.get("page", "1")
    if not (page.isascii() and page.isdecimal() and len(page) < 10):
        raise Http404
    try:
        return admin.site.search(request)  # type: ignore[attr-defined]
    except InvalidPage:
        raise Http404 from None
