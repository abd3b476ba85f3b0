"""What an endpoint raises becomes one flat problem; a bug stays a server error."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from rest_framework import exceptions

from clinic.api.problems import Conflict, TooLarge, exception_handler

NAMED = {"exercises": [{}, {"dose": ["Not there."]}], "non_field_errors": ["Nothing at all."]}


@pytest.mark.parametrize(
    ("raised", "status", "detail"),
    [
        (Http404("No Patient matches the query."), 404, "Not found."),
        (PermissionDenied("secret"), 403, "You do not have permission to perform this action."),
        (RequestDataTooBig("x"), 413, "The body is too large."),
        (TooLarge(), 413, "The body is too large."),
        (Conflict({"client_id": "Used before."}), 409, "client_id: Used before."),
        (exceptions.Throttled(wait=61.2), 429, "Request was throttled. Expected available in 62 seconds."),
        (exceptions.ValidationError(NAMED), 400, "exercises.1.dose: Not there."),
    ],
)
def test_each_becomes_a_problem(raised: Exception, status: int, detail: str) -> None:
    response = exception_handler(raised, {})
    assert response is not None
    assert response.content_type == "application/problem+json"
    assert (response.status_code, response.data["status"], response.data["detail"]) == (
        status,
        status,
        detail,
    )


def test_nested_errors_are_listed_flat_with_their_paths() -> None:
    response = exception_handler(exceptions.ValidationError(NAMED), {})
    assert response is not None
    listed: list[dict[str, Any]] = response.data["errors"]
    assert listed == [
        {"field": "exercises.1.dose", "detail": "Not there.", "code": "invalid"},
        {"detail": "Nothing at all.", "code": "invalid"},
    ]


def test_the_wait_is_a_header_in_whole_seconds() -> None:
    response = exception_handler(exceptions.Throttled(wait=61.2), {})
    assert response is not None
    assert response["Retry-After"] == "62"


def test_a_bug_is_not_dressed_up_as_a_problem() -> None:
    assert exception_handler(KeyError("x"), {}) is None


def test_what_a_client_sent_is_echoed_short_and_printable() -> None:
    response = exception_handler(exceptions.ValidationError({"\ud800" + "x" * 999: ["y" * 999]}), {})
    assert response is not None
    response.data["detail"].encode()
    assert len(response.data["detail"]) < 650
