"""Secrets that protect nothing: each is refused at the start, with one line that names the variable.

The line never holds the value: it ends up in logs.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

SECRETS = (
    *("SECRET_KEY", "SECRET_KEY_FALLBACKS", "ENCRYPTION_KEYS", "SMTP_PASSWORD"),
    *("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SWEEP_URL", "DATABASE_ADMIN_URL", "REDIS_URL"),
)
USUAL_PASSWORDS = {"password", "postgres", "postgresql", "changeme", "change-me", "secret", "clinic", "admin"}
PUBLISHED = (
    *("django-insecure-", "collectstatic-reads-the-settings", "only-for-the-checks-of-make-lint"),
    *("b25seS1mb3ItdGhlLWNoZWNrcy1vZi1tYWtlLWxpbnQ", "b25seS1mb3ItY29sbGVjdGluZy1zdGF0aWMtZmlsZXM"),
)
"""Beginnings of keys that anybody can read in this repository, or that Django writes for a first try."""

MOUNTED = "/run/secrets/"
"""Docker's own mount: readable by all in a container that has one user."""


def refuse_weak_key(name: str, key: str) -> None:
    """A signing key must be long, and no pattern."""
    if len(key) < 50:
        raise ImproperlyConfigured(f"{name}: expected at least 50 random characters.")
    if len(set(key)) < 16 or key in (key + key)[1:-1]:
        raise ImproperlyConfigured(f"{name}: it repeats itself; expected random characters.")


def refuse_broken_keys(name: str, keys: Sequence[str]) -> None:
    """Keys for Fernet: 32 bytes each, no two alike."""
    if not keys:
        raise ImproperlyConfigured(f"{name} is not set (see .env.example).")
    for number, key in enumerate(keys, start=1):
        if _decoded(key) is None:
            raise ImproperlyConfigured(
                f"{name}: key {number} is no Fernet key; expected 32 bytes in url-safe base64."
            )
    if len(set(keys)) < len(keys):
        raise ImproperlyConfigured(f"{name}: the same key stands there twice.")


def refuse_guessable_keys(name: str, keys: Sequence[str]) -> None:
    """Of 32 random bytes hardly ever fewer than 25 differ."""
    for number, key in enumerate(keys, start=1):
        if len(set(_decoded(key) or b"")) < 10:
            raise ImproperlyConfigured(f"{name}: key {number} is not random.")


def refuse_open_database(name: str, database: dict[str, Any]) -> None:
    """A socket has its own guard; over the network a password is all there is."""
    if database["HOST"].startswith("/"):
        return
    password = database["PASSWORD"]
    if not password:
        raise ImproperlyConfigured(f"{name}: a database over the network needs a password.")
    if password.lower() in USUAL_PASSWORDS | {database["USER"].lower(), database["NAME"].lower()}:
        raise ImproperlyConfigured(f"{name}: the password is a usual one.")
    if len(password) < 12:
        raise ImproperlyConfigured(f"{name}: the password is too short; expected at least 12 characters.")


def refuse_readable_password(*, security: str, user: str, password: str) -> None:
    """A mail server's password must not cross the network as it is."""
    if password and security == "none":
        raise ImproperlyConfigured("SMTP_SECURITY: none would show SMTP_PASSWORD to the network.")
    if user and not password:
        raise ImproperlyConfigured("SMTP_PASSWORD is not set, but SMTP_USER is.")


def open_files(**_: Any) -> list[CheckMessage]:
    """System check: a secret's file must be nobody else's to read."""
    found: list[CheckMessage] = []
    for name in SECRETS:
        file = os.environ.get(f"{name}_FILE", "")
        if file and not file.startswith(MOUNTED) and _is_readable_by_all(Path(file)):
            message = f"{name}_FILE: everybody on this machine can read it."
            found.append(Error(message, hint="chmod 0400, owned by the service's user.", id="clinic.E005"))
    return found


def published_keys(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """System check before a start with a database: a key from this repository is no secret.

    Not where the settings are loaded: the build of the image and ``make lint`` use such keys, for nothing.
    """
    given = {"SECRET_KEY": [settings.SECRET_KEY], "ENCRYPTION_KEYS": settings.ENCRYPTION_KEYS}
    return [
        Error(f"{name}: this key is published; make one of your own.", id="clinic.E006")
        for name, keys in given.items()
        if databases and any(key.startswith(PUBLISHED) for key in keys)
    ]


def _decoded(key: str) -> bytes | None:
    try:
        decoded = base64.urlsafe_b64decode(key)
    except (binascii.Error, ValueError):
        return None
    return decoded if len(decoded) == 32 else None


def _is_readable_by_all(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IROTH)
