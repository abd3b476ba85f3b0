"""Runs the service's processes together: prefixed log lines, restarts, one stop for all, no orphans."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TextIO

from clinic.embedded.servers import die_with_parent

LOOK_SECONDS = 0.2
STOP_SECONDS = 30
RESTARTS = 5
RESTART_WINDOW_SECONDS = 60
"""A child that ends more often than this within the window is broken, not unlucky."""


class ChildEnded(Exception):
    """A process that should run for as long as the service does has ended, and not by bad luck."""


@dataclass
class Child:
    """A process to run; ``environment`` is added to our own, ``restarts`` are on the monotonic clock."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    restarts: list[float] = field(default_factory=list)


class Supervisor:
    """Starts children, watches them, and stops them in the reverse order of their start."""

    def __init__(self, output: TextIO) -> None:
        self.output = output
        self.children: list[Child] = []
        self.stop_requests = 0
        self._printing = threading.Lock()

    def start(self, child: Child) -> None:
        self._spawn(child)
        self.children.append(child)

    def _spawn(self, child: Child) -> None:
        child.process = subprocess.Popen(
            child.command,
            env=os.environ | child.environment | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C comes to us; we decide the order
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        threading.Thread(target=self._pass_on, args=[child], daemon=True).start()

    def wait_for(self, look: Callable[[], bool], *, seconds: float) -> bool:
        """Whether ``look`` came true in time, unless somebody asks to stop.

        Raises:
            ChildEnded: at the start, one end of a child is enough.
        """
        until = time.monotonic() + seconds
        while not self.stop_requests and time.monotonic() < until:
            if look():
                return True
            self._check()
            time.sleep(LOOK_SECONDS)
        return False

    def run(self, find_fault: Callable[[], str]) -> None:
        """Until somebody asks to stop. A child that ends, killed say, is started again.

        Raises:
            ChildEnded: a child ends again and again, or ``find_fault`` found one with what children need.
        """
        while not self.stop_requests:
            self._revive()
            if fault := find_fault():
                raise ChildEnded(fault)
            time.sleep(LOOK_SECONDS)

    def ask_to_stop(self, *_: object) -> None:
        """A signal handler: the first asks politely, the second ends at once."""
        self.stop_requests += 1
        if self.stop_requests > 1:
            self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """End the children one after the other, the last started first, and wait for each."""
        until = time.monotonic() + STOP_SECONDS
        for child in reversed(self.children):
            assert child.process
            self._signal_one(child, signal.SIGTERM)
            try:
                child.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._signal_one(child, signal.SIGKILL)
                child.process.wait()
            _end_session(child.process)

    def _revive(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.process is None or child.process.poll() is None or self.stop_requests:
                continue
            _end_session(child.process)
            ended = f"ended with exit code {child.process.returncode}"
            child.restarts = [at for at in child.restarts if now - at < RESTART_WINDOW_SECONDS]
            if len(child.restarts) >= RESTARTS:
                raise ChildEnded(
                    f"{child.name} {ended}, after {RESTARTS} new starts in {RESTART_WINDOW_SECONDS} seconds."
                )
            child.restarts.append(now)
            self._print(child.name, f"{ended}; started again")
            self._spawn(child)

    def _check(self) -> None:
        for child in self.children:
            if child.process and child.process.poll() is not None:
                raise ChildEnded(f"{child.name} ended with exit code {child.process.returncode}.")

    def _signal(self, sign: signal.Signals) -> None:
        for child in self.children:
            self._signal_one(child, sign)

    def _signal_one(self, child: Child, sign: signal.Signals) -> None:
        """To the child itself, which tells its workers; a kill goes to its whole session."""
        if child.process is None or child.process.poll() is not None:
            return
        if sign == signal.SIGKILL:
            os.killpg(child.process.pid, sign)
        else:
            child.process.send_signal(sign)

    def _pass_on(self, child: Child) -> None:
        assert child.process is not None
        assert child.process.stdout is not None
        for line in child.process.stdout:
            self._print(child.name, line.rstrip())

    def _print(self, name: str, text: str) -> None:
        # A child must not block on a full pipe because the terminal is gone.
        with self._printing, suppress(OSError):
            self.output.write(f"{name:<7}| {text}\n")
            self.output.flush()


def _end_session(process: subprocess.Popen[str]) -> None:
    """What an ended process left behind, such as the workers it had forked."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]
