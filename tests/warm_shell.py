"""``manage.py shell -c`` without its start-up: one process, and a fork of it for each script.

A fork has what a new process would have: fresh modules' state of a started command, no connection, no tenant.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import IO

SERVE = "from tests.warm_shell import serve; serve()"
SHELL = ("manage.py", "shell", "--no-imports", "-c", SERVE)


class WarmShell:
    """Scripts on one data folder. As each command it holds the bundled servers: close it before they stop."""

    def __init__(
        self, *, project: Path, environment: dict[str, str], command: tuple[str, ...] = SHELL
    ) -> None:
        self.environment = environment
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=project,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(script) + "\n")
        self.process.stdin.flush()
        return subprocess.CompletedProcess(script, **json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


def serve() -> None:
    """A line in is a script, a line out is how it ended."""
    for line in sys.stdin:
        with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
            child = os.fork()
            if not child:
                _end_with(json.loads(line), stdout, stderr)
            _pid, status = os.waitpid(child, 0)
            said = {"returncode": os.waitstatus_to_exitcode(status), **_read(stdout=stdout, stderr=stderr)}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


def _end_with(script: str, stdout: IO[str], stderr: IO[str]) -> None:
    code = 0
    with redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            exec(script, {"__name__": "__main__"})
        except BaseException:
            traceback.print_exc()
            code = 1
    stdout.flush()
    stderr.flush()
    os._exit(code)


def _read(**files: IO[str]) -> dict[str, str]:
    for file in files.values():
        file.seek(0)
    return {name: file.read() for name, file in files.items()}
