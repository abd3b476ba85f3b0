"""Settings from the environment: values, files, addresses; what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from clinic import environment as env


def test_a_secret_may_be_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv("THING", "from the environment")
    assert env.text("THING") == "from the environment"
    monkeypatch.setenv("THING_FILE", str(tmp_path / "secret"))
    assert env.text("THING") == "from the file"
    assert env.is_given("THING")


def test_a_missing_secret_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING_FILE", "/nowhere/secret")
    with pytest.raises(ImproperlyConfigured, match=r"^THING_FILE: /nowhere/secret can't be read"):
        env.text("THING")


def test_a_required_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", " ")
    with pytest.raises(ImproperlyConfigured, match="THING is not set"):
        env.text("THING")


@pytest.mark.parametrize("value", ["-1", "70000", "1.5", "http"])
def test_a_number_out_of_range_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PORT", value)
    with pytest.raises(ImproperlyConfigured, match=f"PORT: expected a whole number 1-65535, got '{value}'"):
        env.number("PORT", 8000, low=1, high=65535)


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_a_flag(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv("DEMO", value)
    assert env.flag("DEMO") is expected


def test_a_flag_that_is_neither_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="DEMO: expected 0 or 1"):
        env.flag("DEMO")


def test_a_database_address_over_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://app:p%40ss@db.example:5433/clinic?sslmode=verify-full")
    assert env.database("DATABASE_URL") == {
        "ENGINE": "clinic.row_security",
        "NAME": "clinic",
        "USER": "app",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "5433",
        "OPTIONS": {"connect_timeout": 5, "sslmode": "verify-full"},
    }


def test_a_database_address_on_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://app:x@/clinic?host=/run/postgres")
    assert env.database("DATABASE_URL")["HOST"] == "/run/postgres"


@pytest.mark.parametrize("url", ["mysql://a:b@c/d", "postgres://a:b@c/", "clinic"])
def test_another_kind_of_database_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL: expected postgres://"):
        env.database("DATABASE_URL")


@pytest.mark.parametrize(
    ("url", "broker", "cache"),
    [
        ("unix:///run/v.sock", "redis+socket:///run/v.sock?virtual_host=0", "unix:///run/v.sock?db=1"),
        ("redis://:pw@cache:6379", "redis://:pw@cache:6379/0", "redis://:pw@cache:6379/1"),
        ("rediss://cache:6380/5", "rediss://cache:6380/0", "rediss://cache:6380/1"),
    ],
)
def test_queue_and_cache_are_two_databases_of_one_redis(url: str, broker: str, cache: str) -> None:
    assert env.broker_url(url) == broker
    assert env.cache_url(url) == cache
