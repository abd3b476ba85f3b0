"""The two bundled servers as child processes: make their files, start, wait until ready, stop."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from clinic.embedded.layout import SUPERUSER, Binaries, EmbeddedError, Layout

START_SECONDS = 120  # recovery after a crash included
STOP_SECONDS = 30
PR_SET_PDEATHSIG = 1

THROWAWAY_POSTGRES = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def die_with_parent(with_signal: signal.Signals) -> Callable[[], None]:
    """A ``preexec_fn``: the kernel sends the signal when the parent dies, however it dies (Linux only)."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    parent = os.getpid()

    def arrange() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, with_signal)
            if os.getppid() != parent:  # it died before the call above
                os.kill(os.getpid(), with_signal)

    return arrange


class Server(ABC):
    """One child process with a log file. Subclasses say how it is made, started and asked for its state."""

    name = ""
    stop_signal = signal.SIGTERM

    def __init__(self, layout: Layout, programs: Binaries, *, throwaway: bool) -> None:
        self.layout = layout
        self.programs = programs
        self.throwaway = throwaway
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0

    @property
    def log(self) -> Path:
        return self.layout.data / "log" / f"{self.name}.log"

    def start(self) -> None:
        """Start and wait until the server answers.

        Raises:
            EmbeddedError: it ended or did not answer in time; the message ends with its last log line.
        """
        self.prepare()
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        self.started_at = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(self.stop_signal),
                **self.as_server_user(),
            )
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() - self.started_at > START_SECONDS:
                raise EmbeddedError(f"The bundled {self.name} did not start: {self._last_log_line()}")
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def as_server_user(self) -> dict[str, Any]:
        environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        where: dict[str, Any] = {"cwd": self.layout.home, "env": environment, "umask": 0o077}
        if self.layout.user:
            where |= {"user": self.layout.user.uid, "group": self.layout.user.gid, "extra_groups": []}
        return where

    def end_survivor(self, pid_file: Path, program: Path) -> None:
        """Wait for a server whose keeper was killed; forget a pid that now belongs to something else.

        After a reboot the pid in the file is often somebody else's, which PostgreSQL takes for itself.
        """
        try:
            survivor = psutil.Process(int(pid_file.read_text().split()[0]))
            ours = program.name in Path(survivor.exe() or survivor.cmdline()[0]).name
            if ours and Path(survivor.cwd()).is_relative_to(self.layout.home):
                survivor.send_signal(self.stop_signal)
                survivor.wait(STOP_SECONDS)
        except (FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess, psutil.AccessDenied):
            pass
        except psutil.TimeoutExpired:
            raise EmbeddedError(f"An older {self.name} still runs on {self.layout.home}.") from None
        pid_file.unlink(missing_ok=True)

    def _last_log_line(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return f"{lines[-1] if lines else 'no log line'} ({self.log})"

    @abstractmethod
    def prepare(self) -> None:
        """Make its files; end what is left of an earlier one."""

    @abstractmethod
    def command(self) -> list[str]:
        """How it is started."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers."""


class Postgres(Server):
    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": closes connections; SIGTERM would wait for them

    def prepare(self) -> None:
        pgdata = self.layout.pgdata
        if not pgdata.exists():
            self._initdb(pgdata)
        self.end_survivor(pgdata / "postmaster.pid", self.programs.postgres)
        self._end_orphans()
        for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (self.layout.run / name).unlink(missing_ok=True)

    def _end_orphans(self) -> None:
        """Backends whose postmaster was killed: a busy one goes on writing, and would spoil the recovery."""
        orphans = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if "postgres" in process.name() and Path(process.cwd()) == self.layout.pgdata:
                    process.kill()
                    orphans.append(process)
        if psutil.wait_procs(orphans, STOP_SECONDS)[1]:
            raise EmbeddedError(f"Backends of an older {self.name} still run on {self.layout.home}.")

    def _initdb(self, pgdata: Path) -> None:
        """Into a folder beside it that is then renamed: a start that was cut off leaves nothing half-made."""
        unfinished = pgdata.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", dir=self.layout.home) as password_file:
            password_file.write(self.layout.secrets[f"password_{SUPERUSER}"])
            password_file.flush()
            if self.layout.user:
                os.chown(password_file.name, self.layout.user.uid, self.layout.user.gid)
            made = subprocess.run(
                [
                    *(str(self.programs.initdb), "-D", str(unfinished), "-U", SUPERUSER),
                    *("--pwfile", password_file.name, "--auth", "scram-sha-256", "--encoding", "UTF8"),
                    *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
                    *(("--no-sync",) if self.throwaway else ("--data-checksums",)),
                ],
                capture_output=True,
                text=True,
                check=False,
                **self.as_server_user(),
            )
        if made.returncode:
            raise EmbeddedError(f"initdb failed: {(made.stderr.strip().splitlines() or ['no message'])[-1]}")
        unfinished.rename(pgdata)

    def command(self) -> list[str]:
        options = [
            "listen_addresses=",
            f"unix_socket_directories={self.layout.run}",
            "unix_socket_permissions=0700",
            "timezone=UTC",
            "log_timezone=UTC",
            # Else a refused row and the statement with its values stand in the log.
            "log_error_verbosity=terse",
            "log_min_error_statement=panic",
            *(THROWAWAY_POSTGRES if self.throwaway else ()),
        ]
        settings = [part for option in options for part in ("-c", option)]
        return [str(self.programs.postgres), "-D", str(self.layout.pgdata), *settings]

    def ready(self) -> bool:
        """As pg_ctl: the postmaster writes its state into the eighth line of its pid file."""
        try:
            lines = (self.layout.pgdata / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"


class Valkey(Server):
    name = "Valkey"

    @property
    def pid_file(self) -> Path:
        return self.layout.run / "valkey.pid"

    @property
    def folder(self) -> Path:
        return self.layout.home / "valkey"

    def prepare(self) -> None:
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700)
            if self.layout.user:
                os.chown(self.folder, self.layout.user.uid, self.layout.user.gid)
        self.end_survivor(self.pid_file, self.programs.valkey)
        self.layout.valkey_socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        return [
            *(str(self.programs.valkey), "--port", "0", "--daemonize", "no"),
            *("--unixsocket", str(self.layout.valkey_socket), "--unixsocketperm", "700"),
            *("--pidfile", str(self.pid_file), "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "no" if self.throwaway else "yes"),
        ]

    def ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self.layout.valkey_socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False
