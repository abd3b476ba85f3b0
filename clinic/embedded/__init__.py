"""PostgreSQL and Valkey from the wheels, for a laptop or a test run.

Used only where no ``DATABASE_URL`` / ``REDIS_URL`` is given; production uses real servers.

    with embedded.running(Path(".data")) as layout:
        os.environ.update(layout.environment())
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clinic.embedded.layout import EmbeddedError, Layout, locate, make_folders

__all__ = ["EmbeddedError", "Layout", "is_alive", "locate", "running"]

PROJECT = Path(__file__).resolve().parents[2]


@contextmanager
def running(
    data_dir: Path,
    *,
    throwaway: bool = False,
    initialise: Callable[[Layout], None] | None = None,
) -> Iterator[Layout]:
    """The bundled servers, found or started, for the duration of the block.

    Any number of processes may be inside at the same time; the last one out stops the servers.
    ``initialise`` runs once in the life of the data folder, before anybody else gets in.

    Raises:
        EmbeddedError: one line that says why they can't run.
    """
    layout = locate(data_dir)
    with (layout.data / "users.lock").open("w") as users, (layout.data / "start.lock").open("w") as starting:
        fcntl.flock(users, fcntl.LOCK_SH)  # waits for servers that are being stopped
        keeper: subprocess.Popen[str] | None = None
        try:
            with _locked(starting.fileno()):
                if not is_alive(layout):
                    make_folders(layout)
                    keeper = _start_keeper(layout, throwaway=throwaway)
                if initialise and not layout.initialised.exists():
                    initialise(layout)
                    layout.initialised.touch()
            yield layout
        finally:
            with _locked(starting.fileno()):
                stopped = _stop_if_last(layout, users.fileno())
            if keeper:
                # Others may still need it: then it outlives us on purpose, and init reaps it.
                keeper.returncode = keeper.wait() if stopped else 0


def is_alive(layout: Layout) -> bool:
    """Whether the keeper of these servers runs: it holds its lock for as long as it lives."""
    with (layout.data / "keeper.lock").open("a") as life:
        try:
            fcntl.flock(life, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def _locked(file: int) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _start_keeper(layout: Layout, *, throwaway: bool) -> subprocess.Popen[str]:
    keeper = subprocess.Popen(
        [
            *(sys.executable, "-m", "clinic.embedded.keeper", str(layout.data)),
            *(("--throwaway",) if throwaway else ()),
        ],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for its users; it goes after the last of them
    )
    assert keeper.stdout
    with keeper.stdout as answers:
        answer = answers.readline().strip()
    if answer != "ready":
        keeper.wait()
        raise EmbeddedError(answer or "The keeper of the bundled servers ended without a word.")
    return keeper


def _stop_if_last(layout: Layout, users: int) -> bool:
    """Whether we were the last user, and the servers are stopped."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    with (layout.data / "keeper.lock").open("a+") as life:
        life.seek(0)
        if is_alive(layout):
            os.kill(int(life.read()), signal.SIGTERM)
        fcntl.flock(life, fcntl.LOCK_SH)  # until the keeper is gone
    return True
