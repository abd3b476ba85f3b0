"""The parts of a secret's safety that only a start can see: its file, and whether it is published."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from clinic import weak_secrets

PROJECT = Path(__file__).resolve().parents[2]


def complaints(tag: str, databases: list[str] | None = None) -> list[str]:
    """What ``manage.py check`` says of secrets."""
    return [error.msg for error in checks.run_checks(tags=[tag], databases=databases) if error.id in ours]


ours = {"clinic.E005", "clinic.E006"}


KEY = "b25seS1mb3ItdGhlLWNoZWNrcy1vZi1tYWtlLWxpbnQ="
NOT_RANDOM = "A" * 43 + "="


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("q8vN3xW7tY2mK5rL9pD4sF6hJ1gB0zX8cV3nM7aQ2wE5rT9yU", "expected at least 50 random characters"),
        ("ab" * 30, "it repeats itself"),
        ("0123456789abcdefghijklmnop" * 2, "it repeats itself"),
    ],
)
def test_a_weak_signing_key_is_refused(key: str, line: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^SECRET_KEY: {line}") as refused:
        weak_secrets.refuse_weak_key("SECRET_KEY", key)
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ([], " is not set"),
        (["unused"], ": key 1 is no Fernet key"),
        ([KEY, KEY[:-4]], ": key 2 is no Fernet key"),
        ([KEY, f"\u00e9{KEY[1:]}"], ": key 2 is no Fernet key"),
        ([KEY, KEY], ": the same key stands there twice"),
        ([KEY, NOT_RANDOM], ": key 2 is not random"),
    ],
)
def test_an_encryption_key_that_protects_nothing_is_refused(keys: list[str], line: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^ENCRYPTION_KEYS{line}"):
        refuse_keys(keys)
    refuse_keys([KEY])


def refuse_keys(keys: list[str]) -> None:
    weak_secrets.refuse_broken_keys("ENCRYPTION_KEYS", keys)
    weak_secrets.refuse_guessable_keys("ENCRYPTION_KEYS", keys)


@pytest.mark.parametrize(
    ("password", "line"),
    [
        ("", "a database over the network needs a password"),
        ("postgres", "the password is a usual one"),
        ("PASSWORD", "the password is a usual one"),
        ("app", "the password is a usual one"),
        ("elevenchars", "the password is too short"),
    ],
)
def test_an_open_database_is_refused_over_the_network_only(password: str, line: str) -> None:
    database = {"HOST": "db.example", "USER": "app", "NAME": "records", "PASSWORD": password}
    with pytest.raises(ImproperlyConfigured, match=f"^DATABASE_URL: {line}"):
        weak_secrets.refuse_open_database("DATABASE_URL", database)
    weak_secrets.refuse_open_database("DATABASE_URL", database | {"HOST": "/run/postgres"})
    weak_secrets.refuse_open_database("DATABASE_URL", database | {"PASSWORD": "a-long-one-of-its-own"})


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o666])
def test_a_secret_in_a_file_that_all_can_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    file = tmp_path / "smtp_password"
    file.write_text("guess me")
    monkeypatch.setenv("SMTP_PASSWORD_FILE", str(file))
    file.chmod(mode)
    assert complaints("security") == ["SMTP_PASSWORD_FILE: everybody on this machine can read it."]
    file.chmod(0o640)
    assert complaints("security") == []


def test_every_secret_that_may_be_a_file_is_looked_at() -> None:
    mounted = (PROJECT / "docker-compose.yml").read_text()
    named = {
        line.split("_FILE:")[0].strip() for line in mounted.splitlines() if "_FILE: /run/secrets/" in line
    }
    assert named - {"POSTGRES_PASSWORD"} <= set(weak_secrets.SECRETS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "django-insecure-q8vN3xW7tY2mK5rL9pD4sF6hJ1gB0zX8cV3nM7"),
        ("SECRET_KEY", "only-for-the-checks-of-make-lint-Zq8vN3xW7tY2mK5rL9pD4sF6"),
        ("ENCRYPTION_KEYS", ["b25seS1mb3ItdGhlLWNoZWNrcy1vZi1tYWtlLWxpbnQ="]),
    ],
)
def test_no_server_starts_with_a_key_from_this_repository(
    name: str, value: object, settings: object, db: None
) -> None:
    assert complaints("database", ["default"]) == []
    setattr(settings, name, value)
    assert complaints("database", ["default"]) == [f"{name}: this key is published; make one of your own."]


def test_every_key_of_the_repository_counts_as_published() -> None:
    for file in ("Makefile", "Dockerfile"):
        for name in ("SECRET_KEY=", "ENCRYPTION_KEYS="):
            value = (PROJECT / file).read_text().split(name, 1)[1].split()[0]
            assert value.startswith(weak_secrets.PUBLISHED), f"{name} in {file}"
