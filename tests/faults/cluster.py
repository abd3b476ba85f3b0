"""The service's processes one by one, each under its recorded pid: one that is killed is started again, as by
an init system. PostgreSQL (fsync on) and Valkey are kept by the bundled servers' keeper, which does the same.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg

from clinic import embedded
from clinic.embedded.keeper import RETRY_SECONDS
from clinic.embedded.layout import DATABASE
from clinic.embedded.servers import die_with_parent
from tests.service import OF_THE_TEST_RUN, PROJECT
from tests.warm_shell import WarmShell

START_SECONDS = 90
CELERY = ("-m", "celery", "--quiet", "--app", "config")
WORKER = (
    *CELERY,
    "worker",
    "--loglevel",
    "WARNING",
    "--without-mingle",
    "--without-gossip",
    "--pool",
    "prefork",
)


@dataclass
class Part:
    """One process of ours; it is the head of a session, so that a kill takes its children along."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    wanted: bool = True

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def age(self) -> float:
        return time.monotonic() - self.started_at


class Cluster:
    """Gunicorn, ``workers`` Celery workers, ``beats`` beats and an SMTP sink on a prepared data folder."""

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int,
        smtp_port: int,
        workers: int = 1,
        beats: int = 1,
        sink: tuple[str, ...] = ("-m", "clinic.smtp_sink"),
        **settings: object,
    ) -> None:
        self.data_dir = data_dir
        self.url = f"http://127.0.0.1:{port}"
        self.mails = data_dir / "mails"
        self.log = data_dir.with_suffix(".log")
        self.layout = embedded.locate(data_dir)
        kept = {name: value for name, value in os.environ.items() if name not in OF_THE_TEST_RUN}
        self.environment = kept | self.layout.environment()
        self.environment |= {"DATA_DIR": str(data_dir), "PORT": str(port), "SMTP_PORT": str(smtp_port)}
        self.environment |= {"BUNDLED_SERVERS": "1", "WORKER_CONCURRENCY": "1"}
        self.environment |= {name: str(value) for name, value in settings.items()}
        sweep = {"DATABASE_ROLE": "sweep", "PYTHONWARNINGS": "ignore"}
        mail = (*sink, "--port", str(smtp_port), "--folder", str(self.mails))
        self.parts = {
            part.name: part
            for part in (
                Part("mail", python(*mail)),
                Part("web", python("-m", "gunicorn", "--config", "python:config.gunicorn")),
                *(
                    Part(f"worker{n}", python(*WORKER, "--hostname", f"w{n}@x"), sweep)
                    for n in range(workers)
                ),
                *(Part(f"beat{n}", python(*CELERY, "beat", "--pidfile="), sweep) for n in range(beats)),
            )
        }
        self._stack = ExitStack()
        self._shell: WarmShell | None = None
        self._ended = threading.Event()
        self._starting = threading.Lock()

    def __enter__(self) -> Self:
        self._stack.enter_context(embedded.running(self.data_dir))
        self.log_file = self._stack.enter_context(self.log.open("ab"))
        for part in self.parts.values():
            self.start(part.name)
        self._reviver = threading.Thread(target=self._revive, daemon=True)
        self._reviver.start()
        self.wait_for(self.is_ready, seconds=START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._reviver.join()
        for part in reversed(self.parts.values()):
            self.kill(part.name)
        self._stack.close()

    def add(self, part: Part) -> None:
        """One more process; a name that was used before is taken over."""
        self.parts[part.name] = part
        self.start(part.name)

    def start(self, name: str) -> None:
        """Nothing if it runs: the reviver may have been quicker."""
        part = self.parts[name]
        with self._starting:
            part.wanted = True
            if part.runs:
                return
            part.started_at = time.monotonic()
            part.process = subprocess.Popen(
                part.command,
                cwd=PROJECT,
                env=self.environment | part.environment,
                stdin=subprocess.DEVNULL,
                stdout=self.log_file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )

    def kill(self, name: str) -> None:
        """SIGKILL to the process and all it forked, at once, as the loss of its machine would."""
        part = self.parts[name]
        assert part.process
        with suppress(ProcessLookupError):
            os.killpg(part.process.pid, signal.SIGKILL)
        part.process.wait()

    def take_away(self, name: str, sign: signal.Signals = signal.SIGKILL) -> None:
        """Ended, and not started again until ``start``."""
        part = self.parts[name]
        part.wanted = False
        assert part.process
        if sign == signal.SIGKILL:
            self.kill(name)
        else:
            part.process.send_signal(sign)

    def server_pid(self, name: str) -> int:
        """Of the PostgreSQL postmaster or Valkey, as it recorded it itself."""
        file = {"postgres": self.layout.pgdata / "postmaster.pid", "valkey": self.layout.run / "valkey.pid"}
        try:
            return int(file[name].read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return 0

    def kill_server(self, name: str) -> None:
        """SIGKILL; the keeper starts it again at once, as it was not started just now."""
        self.wait_for(lambda: self._age_of(self.server_pid(name)) > RETRY_SECONDS, seconds=120)
        os.kill(self.server_pid(name), signal.SIGKILL)

    @staticmethod
    def _age_of(pid: int) -> float:
        try:
            return time.time() - psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            return 0.0

    @contextmanager
    def without(self, server: str) -> Iterator[None]:
        """The server is gone until the end of the block: meanwhile its keeper sleeps."""
        keeper = int((self.layout.data / "keeper.lock").read_text())
        os.kill(keeper, signal.SIGSTOP)
        try:
            self.kill_server(server)
            yield
        finally:
            os.kill(keeper, signal.SIGCONT)

    def is_ready(self) -> bool:
        return self.ask("/health/ready") == 200

    def ask(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Past all policies, for what a test sets up and asserts."""
        with psycopg.connect(self.layout.admin_url, dbname=DATABASE, autocommit=True) as database:
            cursor = database.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def manage(self, *arguments: str, **environment: str) -> str:
        done = subprocess.run(
            python("manage.py", *arguments),
            cwd=PROJECT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shell(self, script: str) -> str:
        """What the script says, as by ``manage.py shell --no-imports -c``."""
        if self._shell is None:
            self._shell = WarmShell(project=PROJECT, environment=self.environment)
            self._stack.callback(self._shell.close)
        done = self._shell.run(script)
        assert done.returncode == 0, done.stdout + done.stderr
        return str(done.stdout)

    def wait_for[Found](self, look: Callable[[], Found], *, seconds: float = 30) -> Found:
        """The first truthy answer; a database that is away is no answer."""
        until = time.monotonic() + seconds
        while True:
            with suppress(psycopg.OperationalError):
                if found := look():
                    return found
            if time.monotonic() > until:
                raise AssertionError(
                    f"waited {seconds} s in vain; the log ends:\n{self.log.read_text()[-3000:]}"
                )
            time.sleep(0.05)

    def _revive(self) -> None:
        while not self._ended.wait(0.1):
            for part in list(self.parts.values()):
                if part.wanted and not part.runs:
                    self.start(part.name)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def prepare(data_dir: Path) -> None:
    """Servers, roles, tables and the starter library, by the first command on a data folder."""
    kept = {name: value for name, value in os.environ.items() if name not in OF_THE_TEST_RUN}
    command = python("manage.py", "check", "--database", "default")
    subprocess.run(
        command, cwd=PROJECT, env=kept | {"DATA_DIR": str(data_dir)}, check=True, capture_output=True
    )
