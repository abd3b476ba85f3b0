"""How the document describes an operation of the staff's API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from programs.api.base import problems

IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The `ETag` that you read. Without it 428; 412 if it was changed since.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="An `ETag` you have: 304 if it still holds.",
)
RETRY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=(
        "Up to 64 characters that you make once for this row, such as a UUID. Sent again within two days, "
        "it creates no twin: 200 and the row. With another body: 409."
    ),
)
NOT_CHANGED = {304: OpenApiResponse(description="It is as you have it.")}
INPUT = (400, 413, 415)


def listed(
    name: str, summary: str, answer: Any, query: Any, *codes: int, **more: Any
) -> Callable[[Any], Any]:
    """A page of rows, filtered by the query."""
    return _operation(name, summary, {200: answer}, (400, *codes), parameters=[query], **more)


def read(name: str, summary: str, answer: Any, **more: Any) -> Callable[[Any], Any]:
    """One row, with its version."""
    answers = {200: answer, **NOT_CHANGED}
    return _operation(name, summary, answers, (404,), parameters=[IF_NONE_MATCH], **more)


def told(
    name: str,
    summary: str,
    answer: Any,
    *codes: int,
    query: Any = None,
    kind: str = "application/json",
    **more: Any,
) -> Callable[[Any], Any]:
    """Something computed, without a version."""
    parameters = [query] if query else []
    codes = (*codes, 400) if query else codes
    return _operation(name, summary, {(200, kind): answer}, codes, parameters=parameters, **more)


def created(
    name: str, summary: str, body: Any, answer: Any, *codes: int, **more: Any
) -> Callable[[Any], Any]:
    """A new row; the same key again answers with the row."""
    answers = {201: answer, 200: answer}
    return _operation(
        name, summary, answers, (*INPUT, 409, *codes), request=body, parameters=[RETRY_KEY], **more
    )


def edited(name: str, summary: str, body: Any, answer: Any, *codes: int, **more: Any) -> Callable[[Any], Any]:
    """An edit of the version that was read."""
    every = (*INPUT, 404, 409, 412, 428, *codes)
    return _operation(name, summary, {200: answer}, every, request=body, parameters=[IF_MATCH], **more)


def acted(
    name: str,
    summary: str,
    body: Any,
    answer: Any,
    *codes: int,
    code: int = 200,
    kind: str = "application/json",
    **more: Any,
) -> Callable[[Any], Any]:
    """Something that is done."""
    return _operation(name, summary, {(code, kind): answer}, (*INPUT, 409, *codes), request=body, **more)


def _operation(
    name: str, summary: str, answers: dict[Any, Any], codes: tuple[int, ...], **more: Any
) -> Callable[[Any], Any]:
    """``name`` is tag and operation, such as ``patients.list``; the tag is the resource."""
    tag = name.partition(".")[0]
    every = sorted({401, 403, 429, *codes})
    return extend_schema(
        operation_id=name.replace(".", "_"),
        tags=[tag],
        summary=summary,
        responses={**answers, **problems(*every)},
        **more,
    )
