"""JSON bodies of a bounded size and depth. Numbers stay exact: pain has one decimal, not fifty-three bits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, DecimalException
from typing import IO, Any

from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from clinic.api.problems import TooLarge

MAX_BYTES = 64 * 1024
MAX_DEPTH = 10

TWICE = object()
"""In place of two values under one name: the last one must not win silently."""


class StrictJSONParser(BaseParser):
    """Refuses bodies over ``MAX_BYTES`` (413) and what is not JSON (400).

    NaN, Infinity and numbers beyond all bounds pass as Decimals, so that their field can be named; so does
    TWICE for the value of a name that is there twice.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise TooLarge(f"The body is over {MAX_BYTES // 1024} KB.")
        try:
            data = json.loads(
                body.decode(),
                parse_float=_number,
                parse_int=_number,
                parse_constant=Decimal,
                object_pairs_hook=_members,
            )
        except (ValueError, RecursionError) as error:
            raise ParseError(f"Not valid JSON: {error}") from None
        if _depth(data) > MAX_DEPTH:
            raise ParseError(f"Nested deeper than {MAX_DEPTH} levels.")
        return data


def accept_chunks(request: HttpRequest) -> None:
    """Let a body be read that came in chunks, without a length: Django takes it for an empty one.

    Only where the server marks the end of the body; the parser still reads no more than its cap, and later.
    """
    meta = request.META
    if meta.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked" and meta.get("wsgi.input_terminated"):
        meta["CONTENT_LENGTH"] = str(MAX_BYTES + 1)
        request._stream = LimitedStream(meta["wsgi.input"], MAX_BYTES + 1)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        members[name] = TWICE if name in members else value
    return members


def _number(text: str) -> int | Decimal:
    """Exact; NaN where no computer would hold it."""
    try:
        return Decimal(text) if set(text) & set(".eE") else int(text)
    except (ValueError, DecimalException):
        return Decimal("NaN")


def _depth(data: Any) -> int:
    """Levels of nesting, counted without recursion."""
    depth, level = 0, [data]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return depth
