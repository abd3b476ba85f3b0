"""Unsafe settings are refused where real patients' data may be, each with one line that names it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.warm_shell import SERVE, WarmShell

PROJECT = Path(__file__).resolve().parents[2]
KEY = "b25seS1mb3ItdGhlLWNoZWNrcy1vZi1tYWtlLWxpbnQ="
PRODUCTION = {
    "DATABASE_URL": "postgres://app:a-long-one-of-your-own@db.invalid/clinic",
    "REDIS_URL": "redis://valkey.invalid",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ENCRYPTION_KEYS": KEY,
    "SITE_URL": "https://clinic.example",
    "ALLOWED_HOSTS": "clinic.example",
    "SMTP_HOST": "smtp.invalid",
    "DEFAULT_FROM_EMAIL": "clinic@clinic.example",
}
CODE = (
    "import config.settings as s; "
    "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS, "
    "s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.DATABASES['default']['USER'])"
)


def with_password(password: str) -> dict[str, str]:
    return {"DATABASE_URL": f"postgres://app:{password}@db.invalid/clinic"}


LIBRARIES = (
    "import celery.app.task, cryptography.fernet, django.core.management, django.db.models, psycopg, redis"
)


@cache
def libraries() -> WarmShell:
    """A process with what the settings load of others and nothing of ours, neither module nor variable."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return WarmShell(project=PROJECT, environment=kept, command=("-c", f"{LIBRARIES}; {SERVE}"))


@pytest.fixture(scope="module", autouse=True)
def _end() -> Iterator[None]:
    yield
    libraries().close()
    libraries.cache_clear()


def load(environment: dict[str, str], *, code: str = CODE) -> subprocess.CompletedProcess[str]:
    """The settings module in a process of its own: a fork of that one."""
    return libraries().run(f"import os; os.environ |= {environment!r}; {code}")


def test_production_settings_are_accepted_and_strict() -> None:
    loaded = load(PRODUCTION)
    assert loaded.stdout == "True True True 31536000 __Host-sessionid __Host-csrftoken app\n", loaded.stderr


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY: expected at least 50"),
        ({"ENCRYPTION_KEYS": ""}, "ENCRYPTION_KEYS is not set"),
        ({"SECRET_KEY_FALLBACKS": "short"}, "SECRET_KEY_FALLBACKS: expected at least 50"),
        ({"ENCRYPTION_KEYS": f"{KEY},\u00e9{KEY}"}, "ENCRYPTION_KEYS: key 2 is no Fernet key"),
        ({"ENCRYPTION_KEYS": "A" * 43 + "="}, "ENCRYPTION_KEYS: key 1 is not random"),
        (with_password(""), "DATABASE_URL: a database over the network needs a password"),
        ({"SMTP_PASSWORD": "x", "SMTP_SECURITY": "none"}, "SMTP_SECURITY: none would show SMTP_PASSWORD"),
        ({"SMTP_USER": "clinic"}, "SMTP_PASSWORD is not set, but SMTP_USER is"),
        ({"SITE_URL": ""}, "SITE_URL is not set"),
        ({"SITE_URL": "http://clinic.example"}, "SITE_URL: expected an https:// address"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS: name the hosts"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS: name the hosts"),
        ({"DEBUG": "1"}, "DEBUG is refused"),
        ({"SMTP_HOST": ""}, "SMTP_HOST is not set"),
        ({"SMTP_SECURITY": "perhaps"}, "SMTP_SECURITY: expected none, starttls or tls"),
        ({"DEFAULT_FROM_EMAIL": ""}, "DEFAULT_FROM_EMAIL is not set"),
        ({"DATABASE_ROLE": "sweep"}, "DATABASE_SWEEP_URL is not set"),
        ({"DATABASE_ROLE": "boss"}, "DATABASE_ROLE: expected owner, app or sweep"),
    ],
)
def test_an_unsafe_or_missing_setting_is_refused(change: dict[str, str], line: str) -> None:
    loaded = load(PRODUCTION | change)
    assert loaded.returncode != 0
    assert f"ImproperlyConfigured: {line}" in loaded.stderr


def test_a_demo_generates_its_secrets_once(tmp_path: Path) -> None:
    environment = {
        "DEMO": "1",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": PRODUCTION["DATABASE_URL"],
        "REDIS_URL": PRODUCTION["REDIS_URL"],
    }
    code = "import config.settings as s; print(s.SECRET_KEY, s.ENCRYPTION_KEYS)"
    first, second = load(environment, code=code), load(environment, code=code)
    assert first.stdout == second.stdout
    assert len(first.stdout) > 100, first.stderr


@pytest.mark.parametrize(("role", "user"), [("owner", "boss"), ("app", "app"), ("sweep", "broom")])
def test_the_role_of_the_process_says_which_address_it_uses(role: str, user: str) -> None:
    addresses = {
        "DATABASE_OWNER_URL": "postgres://boss:a-long-one-of-your-own@db.invalid/clinic",
        "DATABASE_SWEEP_URL": "postgres://broom:a-long-one-of-your-own@db.invalid/clinic",
    }
    assert load(PRODUCTION | addresses | {"DATABASE_ROLE": role}).stdout.endswith(f" {user}\n")


def test_forwarded_addresses_and_schemes_are_believed_behind_a_proxy_only() -> None:
    code = (
        "import config.settings as s;"
        "print(s.TRUSTED_PROXY_COUNT, getattr(s, 'SECURE_PROXY_SSL_HEADER', None))"
    )
    assert load(PRODUCTION, code=code).stdout == "0 None\n"
    behind_one = load(PRODUCTION | {"TRUSTED_PROXY_COUNT": "1"}, code=code)
    assert behind_one.stdout == "1 ('HTTP_X_FORWARDED_PROTO', 'https')\n"


def test_passwords_are_hashed_with_todays_parameters() -> None:
    code = (
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings';"
        "from django.contrib.auth.hashers import get_hasher as h;"
        "print(h().algorithm, h().iterations >= 600_000)"
    )
    loaded = load(PRODUCTION, code=code)
    assert loaded.stdout == "pbkdf2_sha256 True\n", loaded.stderr
