"""Reading settings from the environment: the value itself, or the file that ``NAME_FILE`` points to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    """The value of a setting; without a default it is required."""
    if file := os.environ.get(f"{name}_FILE"):
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {file} can't be read: {error.strerror}.") from None
    value = os.environ.get(name, "").strip() or default
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set (see .env.example).")
    return value


def is_given(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def missing_addresses() -> set[str]:
    """Which addresses the bundled servers stand in for: those of the database go together."""
    database = {"DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SWEEP_URL"}
    missing = set() if is_given("DATABASE_URL") else database
    return missing if is_given("REDIS_URL") else missing | {"REDIS_URL"}


def flag(name: str) -> bool:
    value = text(name, "0").lower()
    if value not in {"0", "1", "true", "false"}:
        raise ImproperlyConfigured(f"{name}: expected 0 or 1, got {value!r}.")
    return value in {"1", "true"}


def number(name: str, default: int, *, low: int = 0, high: int = 10**9) -> int:
    value = text(name, str(default))
    if not value.isdecimal() or not low <= int(value) <= high:
        raise ImproperlyConfigured(f"{name}: expected a whole number {low}-{high}, got {value!r}.")
    return int(value)


def words(name: str, default: str) -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def database(name: str) -> dict[str, Any]:
    """A Django database from ``postgres://user:password@host:port/name?host=/socket/folder&sslmode=...``."""
    parts = urlsplit(text(name))
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name}: expected postgres://user:password@host:port/name.")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "clinic.row_security",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": {"connect_timeout": 5, **options},
    }


def broker_url(redis_url: str) -> str:
    """Celery's address of database 0 of a Redis given as ``redis://host:port`` or ``unix:///path``."""
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        return f"redis+socket://{quote(parts.path)}?virtual_host=0"
    return urlunsplit(parts._replace(path="/0"))


def cache_url(redis_url: str) -> str:
    """The cache's address: database 1 of the same Redis."""
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        return f"unix://{quote(parts.path)}?db=1"
    return urlunsplit(parts._replace(path="/1"))
