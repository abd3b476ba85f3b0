"""The process that keeps the bundled servers running for as long as anybody uses them.

Every command holds a shared lock on ``users.lock`` while it uses the servers. The keeper tries for the
exclusive lock: getting it means that nobody is left, however the last user ended, so it stops the servers.
If the keeper itself is killed, the kernel stops its children. A server that does not start again, on a full
disk for instance, is tried for as long as anybody waits for it.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from clinic.embedded.layout import EmbeddedError, Layout, binaries, locate
from clinic.embedded.servers import Postgres, Server, Valkey

LOOK_SECONDS = 0.5
RETRY_SECONDS = 5
"""At most so often a server is started."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--throwaway", action="store_true", help="fast, unsafe, removed at the end")
    arguments = parser.parse_args()
    try:
        layout = locate(arguments.data_dir)
        return _keep(layout, throwaway=arguments.throwaway)
    except EmbeddedError as error:
        print(error, flush=True)
        return 1


def _keep(layout: Layout, *, throwaway: bool) -> int:
    stopped = _StopRequest()
    life = os.open(layout.data / "keeper.lock", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    fcntl.flock(life, fcntl.LOCK_EX)  # never closed: let go of by the end of this process only
    os.write(life, str(os.getpid()).encode())
    with (layout.data / "users.lock").open("w") as users:
        programs = binaries(layout)
        servers = [kind(layout, programs, throwaway=throwaway) for kind in (Postgres, Valkey)]
        try:
            for server in servers:
                server.start()
            print("ready", flush=True)
            _detach(layout.data / "log" / "keeper.log")
            while not stopped.requested and not _nobody_is_left(users.fileno()):
                _revive(servers)
                time.sleep(LOOK_SECONDS)
        finally:
            for server in servers:
                server.stop()
            if throwaway:
                for folder in (layout.run, layout.home, layout.data):
                    shutil.rmtree(folder, ignore_errors=True)
    return 0


class _StopRequest:
    def __init__(self) -> None:
        self.requested = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self.requested = True


def _detach(log: Path) -> None:
    """Let go of the pipe on which the first user waited for "ready"."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)


def _nobody_is_left(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _revive(servers: Sequence[Server]) -> None:
    for server in servers:
        rested = time.monotonic() - server.started_at > RETRY_SECONDS
        if rested and server.process and server.process.poll() is not None:
            _say(f"{server.name} ended with {server.process.returncode}, starting it again")
            try:
                server.start()
            except (EmbeddedError, OSError) as error:
                _say(str(error))


def _say(text: str) -> None:
    with suppress(OSError):  # the disk that keeps the log is full
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
