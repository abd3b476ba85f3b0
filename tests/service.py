"""The service as its users run it: ``manage.py up`` with all its processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import psutil

from tests.warm_shell import WarmShell

PROJECT = Path(__file__).resolve().parent.parent
START_SECONDS = 120
OF_THE_TEST_RUN = {
    *("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SWEEP_URL", "DATABASE_ROLE", "REDIS_URL"),
    *("DEMO", "SECRET_KEY", "ENCRYPTION_KEYS", "DJANGO_SETTINGS_MODULE"),
}


class Service:
    """Real processes on a data folder of their own; ``start(SWEEP_SECONDS=1)`` sets environment variables."""

    def __init__(self, data_dir: Path, *, port: int, smtp_port: int) -> None:
        self.data_dir = data_dir
        self.url = f"http://127.0.0.1:{port}"
        self.ports = {"PORT": str(port), "SMTP_PORT": str(smtp_port)}
        self.settings: dict[str, str] = {}
        self.process: subprocess.Popen[str] | None = None
        self.log = data_dir.with_suffix(".log")
        self._shells: dict[str, WarmShell] = {}

    @property
    def environment(self) -> dict[str, str]:
        """Without what the test run set for itself, so that the service finds its own servers."""
        kept = {name: value for name, value in os.environ.items() if name not in OF_THE_TEST_RUN}
        return kept | {"DATA_DIR": str(self.data_dir)} | self.ports | self.settings

    def start(self, *arguments: str, **settings: object) -> None:
        """Start and wait until the address answers; fails with the log when it does not."""
        self.settings |= {name: str(value) for name, value in settings.items()}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *arguments],
                cwd=PROJECT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.wait_for(lambda: f"Ready: {self.url}" in self.log.read_text(), seconds=START_SECONDS)

    def stop(self) -> int | None:
        """SIGTERM, as Ctrl-C and a supervisor do; returns the exit code."""
        while self._shells:
            self._shells.popitem()[1].close()
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command on the same data folder, while or without ``up``."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def shell(self, script: str, *, role: str = "app") -> subprocess.CompletedProcess[str]:
        """The script as by ``manage.py shell --no-imports -c``, as that role of the database."""
        if role not in self._shells:
            environment = self.environment | {"DATABASE_ROLE": role}
            self._shells[role] = WarmShell(project=PROJECT, environment=environment)
        return self._shells[role].run(script)

    def processes(self, part: str) -> list[psutil.Process]:
        """Running processes of this service with ``part`` in their command line, oldest first."""
        assert self.process
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it ended, or is a zombie, since we listed it
                if part in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def index(self) -> list[dict[str, Any]]:
        index = self.data_dir / "mails" / "index.jsonl"
        return [json.loads(line) for line in index.read_text().splitlines()] if index.exists() else []

    def mails(self, to: str = "") -> list[EmailMessage]:
        """What the SMTP sink received, in order; only for the given address."""
        found = []
        for entry in self.index():
            if not to or to in entry["recipients"]:
                content = (self.data_dir / "mails" / entry["file"]).read_bytes()
                message = message_from_bytes(content, policy=default)
                assert isinstance(message, EmailMessage)
                found.append(message)
        return found

    def wait_for[Found](self, look: Callable[[], Found], *, seconds: float = 30) -> Found:
        """The first truthy answer of ``look``; fails with the log's end after the given time."""
        until = time.monotonic() + seconds
        while not (found := look()):
            ended = self.process is not None and self.process.poll() is not None
            if ended or time.monotonic() > until:
                raise AssertionError(f"waited in vain; the log ends:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.1)
        return found
