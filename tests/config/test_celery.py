"""The queue loses nothing when a worker dies and holds up nobody when it is away itself."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError

from config.celery import app


@pytest.fixture
def silent_broker() -> Iterator[str]:
    """A server that accepts and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def publisher(broker: str) -> Celery:
    made = Celery("publisher", set_as_current=False)
    made.config_from_object("django.conf:settings", namespace="CELERY")
    made.conf.broker_url = broker
    return made


def test_every_scheduled_task_exists() -> None:
    app.loader.import_default_modules()
    assert set(settings.BEAT_INTERVALS) <= set(app.tasks)


def test_a_task_ends_before_its_message_would_be_delivered_again() -> None:
    again = app.conf.broker_transport_options["visibility_timeout"]
    assert app.conf.task_soft_time_limit < app.conf.task_time_limit < again == 300


def test_work_of_a_killed_worker_comes_back() -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.worker_soft_shutdown_timeout > 0


def test_no_results_are_kept() -> None:
    assert app.conf.result_backend is None
    assert app.conf.task_ignore_result


@pytest.mark.parametrize("broker", ["redis://127.0.0.1:1/0", "redis+socket:///nowhere.sock?virtual_host=0"])
def test_publishing_to_a_missing_broker_fails_at_once(broker: str) -> None:
    with publisher(broker) as sender:
        started = time.monotonic()
        with pytest.raises(OperationalError):
            sender.send_task("nothing")
        assert time.monotonic() - started < 1


def test_publishing_to_a_silent_broker_gives_up(silent_broker: str) -> None:
    with publisher(silent_broker) as sender:
        started = time.monotonic()
        with pytest.raises(OperationalError):
            sender.send_task("nothing")
        assert time.monotonic() - started < 2


def test_in_a_backlog_red_flags_go_first_and_all_others_in_their_turn() -> None:
    """All that beat sends, twice over, in a queue that nobody has read meanwhile."""
    backlog, sent = f"backlog-{uuid4().hex}", [*settings.CELERY_BEAT_SCHEDULE.values()] * 2
    with publisher(settings.CELERY_BROKER_URL) as sender:
        for entry in sent:
            sender.send_task(entry["task"], queue=backlog, **entry["options"])
        with sender.connection() as broker, broker.SimpleQueue(backlog, no_ack=True) as waiting:
            order = [waiting.get(timeout=5).headers["task"] for _ in sent]

    first = "programs.tasks.escalate_red_flags"
    others = [task for task in settings.BEAT_INTERVALS if task != first]
    assert order == [first] * 2 + others * 2
