"""A letter as PDF: one A4 page, nothing fetched from anywhere, the same bytes each time it is drawn."""

from __future__ import annotations

import hashlib
from typing import Any

from django.template.loader import render_to_string
from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from programs.rules.letters import Letter, TooLong, to_json

PICTURE = "letter:picture"
SIZES = (10, 9.5, 9, 8.5, 8)
"""Type sizes in points, the usual one first: a long letter is set smaller before it is refused."""


def pdf(letter: Letter) -> bytes:
    """Raises TooLong where it does not fit one page."""
    for size in SIZES:
        document = _page(letter, size).render(pdf_tags=True)
        if len(document.pages) == 1:
            seal = hashlib.sha256(to_json(letter).encode()).digest()[:16]
            made: bytes = document.write_pdf(pdf_identifier=seal, pdf_tags=True)
            return made
    raise TooLong


class OnlyThePicture(URLFetcher):  # type: ignore[misc]  # without types
    """Answers for the letter's own picture; whatever else is asked for stops the letter."""

    def __init__(self, picture: str) -> None:
        super().__init__(allowed_protocols=[], allow_redirects=False)
        self.picture = picture

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        if url != PICTURE:
            raise FatalURLFetchingError(f"A letter fetches nothing: {url[:100]}")
        return URLFetcherResponse(url, self.picture, {"Content-Type": "image/svg+xml"})


def _page(letter: Letter, size: float) -> HTML:
    context = {"letter": letter, "size": str(size), "picture": PICTURE if letter.picture else ""}
    return HTML(
        string=render_to_string("programs/letter.html", context),
        url_fetcher=OnlyThePicture(letter.picture),
        base_url=None,
    )
