"""Probes tell a living process from one that can serve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from clinic.probe import beat_ticks


@pytest.mark.django_db
def test_ready_when_database_and_cache_answer(client: Client) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "database": "ok", "cache": "ok"},
    )


@pytest.mark.django_db
def test_not_ready_without_the_cache_but_alive(client: Client, settings: Any) -> None:
    backend = settings.CACHES["default"] | {"LOCATION": "unix:///nowhere.sock"}
    settings.CACHES = {"default": backend}
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["cache"], answer.json()["database"]) == (
        503,
        "unreachable",
        "ok",
    )
    assert client.get("/health/live").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_the_database(client: Client) -> None:
    usual = connection.settings_dict["HOST"]
    connection.close()
    try:
        connection.settings_dict["HOST"] = "/nowhere"
        assert client.get("/health/ready").json()["database"] == "unreachable"
    finally:
        connection.close()
        connection.settings_dict["HOST"] = usual


def test_beat_is_well_while_it_ticks(tmp_path: Path) -> None:
    heartbeat = tmp_path / "beat"
    assert not beat_ticks(heartbeat, 0)
    heartbeat.touch()
    touched = heartbeat.stat().st_mtime
    assert beat_ticks(heartbeat, touched + 300)
    assert not beat_ticks(heartbeat, touched + 331)
