"""Errors as RFC 9457 ``application/problem+json``.

Beside the members of the standard, ``errors`` lists each thing at fault: ``field`` (a path such as
``exercises.0.dose``; absent where no field is to blame), ``detail`` and a stable ``code``.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.http.request import UnreadablePostError
from rest_framework import exceptions, serializers, status
from rest_framework.response import Response
from rest_framework.settings import api_settings

from clinic.logs import request_id

CONTENT_TYPE = "application/problem+json"
LONGEST_ECHO = 300


class TooLarge(exceptions.APIException):
    """The body is larger than any honest one."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "too_large"


class Conflict(exceptions.APIException):
    """The stored row stands; what was sent differs."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class VersionMissing(exceptions.APIException):
    """An edit has to say which version it is of."""

    status_code = status.HTTP_428_PRECONDITION_REQUIRED
    default_detail = "Send If-Match with the ETag that you read: nobody's change gets lost."
    default_code = "if_match_required"


class VersionStale(exceptions.APIException):
    """Somebody else was faster; ``etag`` is the present version."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = "It was changed since you read it. Read it again, then repeat your change."
    default_code = "stale"

    def __init__(self, etag: str) -> None:
        super().__init__()
        self.etag = etag


class ErrorSerializer(serializers.Serializer[Any]):
    """One thing at fault."""

    field = serializers.CharField(required=False, help_text="Path of the field at fault.")
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable, for programs.")


class ProblemSerializer(serializers.Serializer[Any]):
    """A problem as RFC 9457 has it; ``errors`` names each field at fault."""

    type = serializers.CharField(default="about:blank")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    request_id = serializers.CharField(help_text="Names this request in our logs; no data of the request.")
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """The problem for an exception that a view raised; None (a server error) for one that is a bug."""
    known = _as_api_exception(exception)
    if known is None:
        return None
    response = problem(known.status_code, list(_errors(known.detail)), headers=_headers(known))
    response.exception = True
    return response


def problem(code: int, errors: list[dict[str, str]], headers: dict[str, str] | None = None) -> Response:
    """A response that says what is wrong, the first error in ``detail``."""
    return Response(problem_body(code, errors), status=code, headers=headers, content_type=CONTENT_TYPE)


def problem_body(code: int, errors: list[dict[str, str]]) -> dict[str, Any]:
    """The problem's members, for a response that no view makes too."""
    first = errors[0]
    detail = f"{first['field']}: {first['detail']}" if "field" in first else first["detail"]
    return {
        "type": "about:blank",
        "title": HTTPStatus(code).phrase,
        "status": code,
        "detail": detail,
        "request_id": request_id.get(),
        "errors": errors,
    }


def _as_api_exception(exception: Exception) -> exceptions.APIException | None:
    if isinstance(exception, exceptions.APIException):
        return exception
    if isinstance(exception, Http404):
        return exceptions.NotFound()
    if isinstance(exception, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(exception, RequestDataTooBig):
        return TooLarge()
    if isinstance(exception, UnreadablePostError):
        return exceptions.ParseError("The body broke off.")
    return None


def _headers(exception: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(exception, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if etag := getattr(exception, "etag", None):
        headers["ETag"] = etag
    if (wait := getattr(exception, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait))
    return headers


def _errors(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Flat, in order: DRF nests the errors as the input is nested."""
    if isinstance(detail, dict):
        for key, below in detail.items():
            general = key == api_settings.NON_FIELD_ERRORS_KEY
            yield from _errors(below, path if general else _join(path, key))
    elif isinstance(detail, list):
        for index, item in enumerate(detail):
            nested = isinstance(item, dict | list)
            yield from _errors(item, _join(path, index) if nested else path)
    else:
        where = {"field": path} if path else {}
        yield {**where, "detail": printable(detail), "code": detail.code or "invalid"}


def _join(path: str, key: object) -> str:
    step = printable(key)
    return f"{path}.{step}" if path else step


def printable(text: object) -> str:
    """What a client sent, safe to send back: no lone surrogates (they can't be encoded), not endless."""
    return str(text)[:LONGEST_ECHO].encode("utf-8", "backslashreplace").decode()
