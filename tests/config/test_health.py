"""Probes tell a living process from one that can serve."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from clinic.models import OutboxMessage, RowAttempt
from clinic.probe import beat_ticks, web_is_ready
from programs.models import Alert, CheckInRequest, RelapseWatch
from tests.factories import make_case, make_clinic, make_program, make_user


@pytest.mark.django_db
def test_ready_when_database_and_cache_answer(client: Client) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "database": "ok", "cache": "ok", "late": []},
    )


@pytest.mark.django_db
def test_not_ready_without_the_cache_but_alive(client: Client, settings: Any, caplog: Any) -> None:
    backend = settings.CACHES["default"] | {"LOCATION": "unix:///nowhere.sock"}
    settings.CACHES = {"default": backend}
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["cache"], answer.json()["database"]) == (
        503,
        "unreachable",
        "ok",
    )
    assert client.get("/health/live").status_code == 200
    assert not [record for record in caplog.records if record.name == "django.request"]  # its answer says it


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


def request_of(**fields: Any) -> None:
    program, due_at = make_program(), timezone.now() - timedelta(days=2)
    about = {"clinic": program.clinic, "program": program, "local_date": due_at.date(), "due_at": due_at}
    CheckInRequest.objects.create(**about, **fields)


def red_flag(since: datetime) -> None:
    case = make_case()
    about = {"clinic": case.clinic, "episode": case, "opened_on": since.date(), "opened_at": since}
    Alert.objects.create(**about, kind="red_flag", summary="Knee locks", escalate_at=since)


def mail(since: datetime, **fields: Any) -> None:
    about = {"kind": "check_in", "dedupe_key": "x", "to_email": "robin@example.org", "subject": "Hello"}
    OutboxMessage.objects.create(**about, **fields, next_attempt_at=since)


def watch_due(since: datetime) -> None:
    episode = make_program(
        make_case(closed_on=since.date(), outcome="recovered"), ended_on=since.date()
    ).episode
    dates = {"starts_on": since.date(), "ends_on": since.date() + timedelta(days=180), "next_ask_at": since}
    RelapseWatch.objects.create(clinic=episode.clinic, episode=episode, set_by=episode.clinician, **dates)


DUE: dict[str, Callable[[datetime], object]] = {
    "send_outbox": mail,
    "ask_check_ins": lambda since: make_program(next_check_in_at=since),
    "ask_watches": lambda since: watch_due(since),
    "remind_check_ins": lambda since: request_of(remind_at=since, missed_at=since + timedelta(days=1)),
    "mark_missed": lambda since: request_of(missed_at=since),
    "review_cases": lambda since: make_program(next_review_on=(since - timedelta(hours=36)).date()),
    "send_digests": lambda since: make_user(clinic=make_clinic()).memberships.update(next_digest_at=since),
    "escalate_red_flags": red_flag,
}
"""For each sweep, a row that has been due since then."""

HOUSEKEEPING = {"apply_retention", "forget_sign_ins", "keep_ledger"}
"""Sweeps that delete what is over its term, or copy what was: nobody waits for them."""

SWEEPS = {name.rpartition(".")[2] for name in settings.BEAT_INTERVALS} - HOUSEKEEPING


@pytest.mark.django_db
@pytest.mark.parametrize("sweep", sorted(SWEEPS - {"seal_audit"}))
def test_not_ready_while_the_oldest_due_row_of_a_sweep_is_late(client: Client, sweep: str) -> None:
    DUE[sweep](timezone.now() - timedelta(minutes=10))
    answer = client.get("/health/ready")

    assert (answer.status_code, answer.json()["status"], answer.json()["late"]) == (503, "late", [sweep])


@pytest.mark.django_db
def test_not_ready_while_the_trail_is_not_sealed(client: Client) -> None:
    """The database gives an entry its time, and nobody may change it: it is looked at later."""
    make_clinic()
    for minutes, late in [(1, []), (10, ["seal_audit"])]:
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False):
            assert client.get("/health/ready").json()["late"] == late


@pytest.mark.django_db
def test_what_has_just_come_due_is_not_late(client: Client) -> None:
    for sweep in set(DUE) - {"review_cases"}:
        DUE[sweep](timezone.now() - timedelta(minutes=1))
    make_program(next_review_on=timezone.now().date())

    assert client.get("/health/ready").json()["status"] == "ok"


@pytest.mark.django_db
def test_a_mail_under_way_and_a_row_that_failed_and_waits_are_not_late(client: Client) -> None:
    since, soon = timezone.now() - timedelta(minutes=10), timezone.now() + timedelta(minutes=1)
    mail(since, state="sending", leased_until=soon)
    program = make_program(next_check_in_at=since)
    about = {"sweep": "ask_check_ins", "key": program.pk, "attempts": 1, "began_at": since}
    waiting = RowAttempt.objects.create(clinic=program.clinic, **about, next_at=soon)
    assert client.get("/health/ready").status_code == 200

    waiting.delete()
    assert client.get("/health/ready").json()["late"] == ["ask_check_ins"]


@pytest.mark.django_db
def test_a_red_flag_not_escalated_in_time_is_late_even_while_it_waits(
    client: Client,
) -> None:
    red_flag(timezone.now() - timedelta(minutes=10))
    alert = Alert.objects.get()
    about = {"sweep": "escalate_red_flags", "key": alert.pk, "attempts": 8, "began_at": timezone.now()}
    for next_at in (timezone.now() + timedelta(hours=1), None):
        RowAttempt.objects.update_or_create(clinic=alert.clinic, **about, defaults={"next_at": next_at})
        assert client.get("/health/ready").json()["late"] == ["escalate_red_flags"]


def test_a_container_is_well_while_rows_are_late_and_ill_without_its_database() -> None:
    for status, body, expected in [
        (200, {"status": "ok"}, True),
        (503, {"status": "late"}, True),
        (503, {"status": "unreachable"}, False),
    ]:
        with answering(status, body) as port:
            assert web_is_ready(port, "localhost") is expected


@contextmanager
def answering(status: int, body: dict[str, str]) -> Iterator[int]:
    """A server that gives one answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        yield server.server_port
        thread.join()
