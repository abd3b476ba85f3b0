"""What a second connection to the database can do while the test's own holds its locks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic, sleep

from django.db import connection, transaction


def from_another_connection(act: Callable[[], object]) -> None:
    """Commit ``act`` in a transaction of its own, or raise what it raised: a lock is waited for 2 seconds."""
    errors: list[Exception] = []

    def run() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
                act()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    if errors:
        raise errors[0]


def wait_for_a_lock(thread: threading.Thread) -> None:
    """Return once someone waits for a lock of this connection, or the thread has ended."""
    give_up = monotonic() + 20
    while thread.is_alive() and monotonic() < give_up:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
        sleep(0.02)
