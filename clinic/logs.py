"""Log lines as JSON, with the request they belong to and without what patients and staff wrote.

An exception shows its type and where it happened. Its message may quote a row ("Failing row contains ..."),
a body or an address, so only messages of failed connections are kept. A request is named by its route.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from clinic.secrets import SecretLostError

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request under way; also in the answer's ``X-Request-ID`` and in each problem."""

TELLING = (
    *(ImproperlyConfigured, OperationalError, InterfaceError, RedisConnectionError, ConnectionError),
    SecretLostError,
)
"""What fails before any row is at hand, or says nothing of it."""

FIELDS = ("event", "account", "address", "method", "route", "status", "milliseconds")
PROBES = "/health/"
CELERY_FAILURE = {"exc", "traceback"}
GUNICORN_QUOTES = "Invalid request from ip="


class QuietProbes(logging.Filter):
    """A probe that is told "not yet" asks again in a moment: its answer says why, a log line nothing more."""

    def filter(self, record: logging.LogRecord) -> bool:
        told = getattr(record, "status_code", 0) == HTTPStatus.SERVICE_UNAVAILABLE
        return not (told and record.request.path_info.startswith(PROBES))  # type: ignore[attr-defined]


class JsonFormatter(logging.Formatter):
    """One line a record."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message(record),
            "request_id": request_id.get(),
            **{name: getattr(record, name, None) for name in FIELDS},
        }
        if record.exc_info and record.exc_info[1]:
            line["exception"] = list(described(record.exc_info[1]))
        return json.dumps({name: value for name, value in line.items() if value not in (None, "")})


def message(record: logging.LogRecord) -> str:
    """The record's text, without the parts that other people's libraries quote into it."""
    if request := getattr(record, "request", None):  # Django's, with the path or the host as it was sent
        return f"{getattr(record, 'status_code', '')} {request.method} {route(request)}".strip()
    if isinstance(record.args, Mapping) and set(record.args) >= CELERY_FAILURE:
        return f"task {record.args.get('name')} failed"
    if record.name == "gunicorn.error" and record.exc_info and record.args:
        return str(record.msg).replace("%s", "").strip()
    text = record.getMessage()
    if text.startswith(GUNICORN_QUOTES):
        return text.partition(": ")[0]
    return text


def route(request: Any) -> str:
    """The pattern of the address: without ids, tokens and what somebody searched for."""
    match = getattr(request, "resolver_match", None)
    return str(match.route) if match else "unknown address"


def described(error: BaseException) -> Iterator[str]:
    """The exception and its causes, the outermost first: type, place, and what is safe of the message."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield f"{_named(found)} at {' < '.join(_frames(found.__traceback__))}"
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _named(error: BaseException) -> str:
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(error, TELLING):
        return f"{name}: {error}"
    # Of a database error: which rule was broken, not by which value.
    about = getattr(error, "diag", None)
    rule = about and (about.constraint_name or about.table_name)
    return f"{name} ({rule})" if rule else name


def _frames(trace: TracebackType | None) -> Iterator[str]:
    """The innermost first."""
    for frame in reversed(traceback.extract_tb(trace)):
        yield f"{frame.filename.rpartition('/site-packages/')[2]}:{frame.lineno} {frame.name}"


def configuration() -> dict[str, Any]:
    """For ``logging.config.dictConfig``, in Django, Celery and gunicorn alike: one handler, to stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "filters": {"quiet_probes": {"()": QuietProbes}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "clinic.security": {"level": "INFO"},
            "config.requests": {"level": "INFO"},
            "django": {"handlers": [], "level": "INFO"},
            # Below an error the request's own line has the status.
            "django.request": {"level": "ERROR", "filters": ["quiet_probes"]},
            "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
            "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
        },
    }
