"""Log lines tell what happened and where, and nothing of what anybody wrote."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, OperationalError, connection
from django.test import Client, RequestFactory

from clinic.logs import JsonFormatter

CANARY = "Canary-Kowalska"


def line_of(
    logger: str = "programs.x", message: str = "it failed", *args: Any, **extra: Any
) -> dict[str, Any]:
    error = extra.pop("error", None)
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logging.getLogger(logger).makeRecord(
        logger, logging.ERROR, __file__, 1, message, args, exc_info, extra=extra
    )
    text = JsonFormatter().format(record)
    assert CANARY not in text
    assert "\n" not in text
    line: dict[str, Any] = json.loads(text)
    return line


def raised(fail: Callable[[], object]) -> BaseException:
    try:
        fail()
    except Exception:
        error = sys.exception()
        assert error
        return error
    raise AssertionError("nothing was raised")


def fail_twice() -> None:
    try:
        raise KeyError(CANARY)
    except KeyError as error:
        raise ValueError(f"no such patient: {CANARY}") from error


def test_an_exception_is_its_type_and_place_with_its_causes() -> None:
    first, second = line_of(error=raised(fail_twice))["exception"]
    assert re.search(r"^builtins.ValueError at \S*test_logs.py:\d+ fail_twice < ", first)
    assert second.startswith("builtins.KeyError at ")


@pytest.mark.django_db
def test_a_refused_row_is_named_by_its_rule() -> None:
    def insert() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMPORARY TABLE t (name text CONSTRAINT short_name CHECK (length(name) < 5))"
            )
            cursor.execute("INSERT INTO t VALUES (%s)", [CANARY])

    error = raised(insert)
    assert isinstance(error, IntegrityError)
    assert CANARY in str(error)
    assert any("(short_name)" in said for said in line_of(error=error)["exception"])


def test_lines_are_stamped_in_utc_wherever_the_machine_stands(monkeypatch: Any) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        noon = datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()  # a time with a zone would set that as well
        with time_machine.travel(noon, tick=False):
            assert line_of()["at"] == "2026-07-01T12:00:00.000+00:00"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_failed_connection_says_why() -> None:
    (said,) = line_of(error=OperationalError("connection refused"))["exception"]
    assert said.startswith("django.db.utils.OperationalError: connection refused")


def test_a_request_is_named_by_its_route() -> None:
    request = RequestFactory().get(f"/invitation/{CANARY}", {"q": CANARY})
    line = line_of(
        "django.request", "Internal Server Error: %s", request.path, request=request, status_code=500
    )
    assert line["message"] == "500 GET unknown address"


def test_what_celery_and_gunicorn_quote_is_left_out() -> None:
    failed = {"name": "programs.tasks.x", "exc": CANARY, "traceback": CANARY, "args": "()"}
    assert line_of("celery.app.trace", "Task %(name)s: %(exc)s", failed)["message"] == (
        "task programs.tasks.x failed"
    )
    quoted = f"Invalid request from ip=10.0.0.1: Invalid HTTP request line: 'GET /{CANARY}'"
    assert line_of("gunicorn.error", quoted)["message"] == "Invalid request from ip=10.0.0.1"
    error = RuntimeError(CANARY)
    line = line_of("gunicorn.error", "Error handling request %s %s", "GET", f"/{CANARY}", error=error)
    assert line["message"] == "Error handling request"


@pytest.mark.django_db
def test_each_request_has_one_line_with_the_id_that_its_answer_and_problem_have(caplog: Any) -> None:
    with caplog.at_level(logging.INFO, "config.requests"):
        answer = Client().get(f"/api/v1/me/answers/{CANARY}")
        Client().get("/health/live")
    (record,) = [record for record in caplog.records if record.name == "config.requests"]
    assert (record.method, record.route, record.status) == ("GET", "api/v1/me/answers/<str:client_id>", 401)
    assert answer.json()["request_id"] == answer["X-Request-ID"]
    assert CANARY not in JsonFormatter().format(record)
