"""One fault after the other, on the real processes with two workers and three beats; each with its bound.

``pytest -rP`` shows how long each recovery took; docs/faults.md keeps the figures seen.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import redis

from clinic.embedded.layout import DATABASE
from tests.faults import pooled, races, restore
from tests.faults.client import Phone
from tests.faults.cluster import PROJECT, Cluster, python
from tests.faults.sink import HOLD_SECONDS

RECOVERY_SECONDS = 60
"""A bound for a busy machine; docs/faults.md has what was seen."""


NEW_MAIL = """
    INSERT INTO clinic_outboxmessage (kind, dedupe_key, to_email, subject, images, state,
        attempts, last_error, bounced, next_attempt_at)
    VALUES ('check_in', %s, 'robin@example.org', 'Hello', '{}', 'pending', 0, '', false, now())
    RETURNING id::text
"""


def put_mail(cluster: Cluster) -> str:
    """A new e-mail that is due now; its id."""
    return str(cluster.query(NEW_MAIL, str(uuid4()))[0][0])


def copies(cluster: Cluster, mail: str) -> int:
    index = cluster.mails / "index.jsonl"
    return index.read_text().count(mail) if index.exists() else 0


@contextmanager
def recovery(fault: str, cluster: Cluster) -> Iterator[None]:
    """How long it takes from the end of the fault until a new e-mail has gone out."""
    started = time.monotonic()
    yield
    mail = cluster.wait_for(lambda: put_mail(cluster), seconds=RECOVERY_SECONDS)
    cluster.wait_for(lambda: copies(cluster, mail), seconds=RECOVERY_SECONDS)
    print(f"{fault}: e-mails go out again after {time.monotonic() - started:.1f} s")  # noqa: T201 - the figure for docs/faults.md


def test_without_postgresql_nothing_is_acknowledged_and_all_reconnect_alone(
    cluster: Cluster, token: str
) -> None:
    phone, client_id = Phone(cluster.url, token), uuid4()
    assert phone.answer()[0] == 201
    with cluster.without("postgres"):
        for _ in range(3):
            status, headers = phone.answer(client_id=client_id)
            assert (status, headers["Retry-After"]) == (503, "30")
        assert cluster.ask("/health/live") == 200
        assert cluster.ask("/health/ready") == 503
    started = time.monotonic()
    cluster.wait_for(lambda: phone.answer(client_id=client_id)[0] == 201, seconds=RECOVERY_SECONDS)
    print(f"PostgreSQL gone: answers are stored again after {time.monotonic() - started:.1f} s")  # noqa: T201
    stored = "SELECT count(*) FROM programs_answer WHERE client_id = %s"
    assert cluster.query(stored, client_id) == [(1,)]
    with recovery("PostgreSQL gone", cluster):
        pass
    with recovery("PostgreSQL restarted", cluster):
        cluster.kill_server("postgres")


def test_the_broker_may_be_flushed_restarted_and_gone(cluster: Cluster, token: str) -> None:
    with recovery("broker flushed", cluster):
        redis.Redis(unix_socket_path=str(cluster.layout.valkey_socket)).flushall()
    with recovery("broker restarted", cluster):
        cluster.kill_server("valkey")
    with cluster.without("valkey"):
        assert Phone(cluster.url, token).answer()[0] == 201
        assert cluster.ask("/health/ready") == 503
        time.sleep(2)
    with recovery("broker gone", cluster):
        pass


def test_a_killed_worker_and_beat_are_back_and_what_they_held_goes_out(cluster: Cluster) -> None:
    with recovery("workers and beats killed", cluster):
        for name in list(cluster.parts):
            if name.startswith(("worker", "beat")):
                cluster.kill(name)


def test_smtp_refusing_costs_no_mail_an_attempt(cluster: Cluster) -> None:
    cluster.take_away("mail")
    mail = put_mail(cluster)
    problem = "SELECT attempts, state, last_error FROM clinic_outboxmessage WHERE id = %s"
    cluster.wait_for(lambda: "refused" in cluster.query(problem, mail)[0][2])
    with recovery("SMTP refusing", cluster):
        cluster.start("mail")
    cluster.wait_for(lambda: copies(cluster, mail))
    cluster.wait_for(lambda: cluster.query(problem, mail)[0][:2] == (1, "sent"))


def test_a_worker_asked_to_stop_brings_its_mail_to_an_end(cluster: Cluster) -> None:
    hold, held = cluster.mails / "hold", cluster.mails / "held"
    hold.touch()
    mail = put_mail(cluster)
    cluster.wait_for(held.exists)
    for name in ("worker0", "worker1"):
        cluster.take_away(name, signal.SIGTERM)
    time.sleep(0.5)
    held.unlink()
    for name in ("worker0", "worker1"):
        process = cluster.parts[name].process
        assert process is not None
        process.wait(30)
        cluster.start(name)
    sent = "SELECT state, attempts FROM clinic_outboxmessage WHERE id = %s"
    assert cluster.query(sent, mail) == [("sent", 1)]
    assert copies(cluster, mail) == 1
    assert HOLD_SECONDS > 0.5


def test_gunicorn_asked_to_stop_answers_what_it_has_begun(cluster: Cluster, token: str) -> None:
    statuses: list[int] = []
    phone = Phone(cluster.url, token)
    with psycopg.connect(cluster.layout.admin_url, dbname=DATABASE) as other:
        other.execute("SELECT FROM patients_patient FOR UPDATE")
        thread = threading.Thread(target=lambda: statuses.append(phone.answer()[0]))
        thread.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        cluster.wait_for(lambda: cluster.query(waiting)[0][0])
        cluster.take_away("web", signal.SIGTERM)
        time.sleep(0.5)
    thread.join(30)
    assert statuses == [201]
    process = cluster.parts["web"].process
    assert process is not None
    assert process.wait(30) == 0
    cluster.start("web")
    cluster.wait_for(lambda: cluster.ask("/health/live") == 200)


FIFTH = "FROM patients_episode WHERE case_number = '1005' AND episode_id = patients_episode.id"
DUE_NOW = (
    "UPDATE programs_program SET next_check_in_at = now(), check_in_time = (now() AT TIME ZONE 'UTC')::time"
)
ASKED = """
    SELECT local_date, count(*) FROM programs_checkinrequest WHERE program_id =
        (SELECT programs_program.id FROM programs_program JOIN patients_episode
         ON episode_id = patients_episode.id WHERE case_number = '1005') GROUP BY 1
"""


def test_a_clock_a_day_off_asks_once_for_each_date(cluster: Cluster, token: str) -> None:
    """Of a worker that sweeps with a clock a day fast, then one a day slow; the others are right."""
    cluster.query(f"{DUE_NOW} {FIFTH}")
    sweep = "from programs.tasks import ask_check_ins, send_outbox; ask_check_ins(); send_outbox()"
    for shift in ("+24h", "-24h"):
        done = subprocess.run(
            ["faketime", "-f", shift, *python("manage.py", "shell", "--no-imports", "-c", sweep)],
            cwd=PROJECT,
            env=cluster.environment | {"DATABASE_ROLE": "sweep"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    dates = cluster.wait_for(lambda: cluster.query(ASKED))
    assert {number for _, number in dates} == {1}
    assert Phone(cluster.url, token).answer()[0] == 201


def test_of_many_at_once_exactly_one_wins(cluster: Cluster, token: str) -> None:
    result = races.run(cluster, token, rounds=3)

    assert races.is_fair(result), result


def test_pooled_connections_carry_nothing_over(cluster: Cluster, token: str) -> None:
    result = pooled.run(cluster, 100)

    assert pooled.is_tight(result), result
    assert (result["own"], result["nothing"]) == (90, 10)


def test_a_dump_restores_to_the_same_rows(cluster: Cluster, token: str) -> None:
    sweeping = [name for name in cluster.parts if name.startswith(("worker", "beat"))]
    for name in sweeping:  # else the record of its last run is another one
        cluster.take_away(name)
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'clinic_sweep'"
    cluster.wait_for(lambda: cluster.query(sessions) == [(0,)])
    result = restore.run(cluster)
    print(result)  # noqa: T201 - the figures for docs/recovery.md
    for name in sweeping:
        cluster.start(name)

    assert restore.is_whole(result), result
    assert result["tables"] > 30
    assert result["rows"] > 100


def test_three_beats_and_all_these_faults_have_doubled_nothing(cluster: Cluster, token: str) -> None:
    lines = (cluster.mails / "index.jsonl").read_text().splitlines()
    sent = Counter(json.loads(line)["message_id"] for line in lines)
    cut_off = cluster.query(
        "SELECT coalesce(sum(attempts - 1), 0) FROM clinic_outboxmessage WHERE attempts > 1"
    )

    assert sum(sent.values()) - len(sent) <= cut_off[0][0]
    assert max(sent.values()) <= 2
    unsent = "SELECT count(*) FROM clinic_outboxmessage WHERE state <> 'sent'"
    cluster.wait_for(lambda: cluster.query(unsent) == [(0,)])
