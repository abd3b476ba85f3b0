"""A child that is killed is started again; one that keeps ending stops everything."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from clinic.supervisor import RESTARTS, Child, ChildEnded, Supervisor


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor(io.StringIO())
    yield made
    made.stop()


def soon(look: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not look():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def killed_once_more(child: Child) -> None:
    process = child.process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    soon(lambda: child.process is not process)


def in_background(supervisor: Supervisor) -> tuple[threading.Thread, list[str]]:
    ends: list[str] = []

    def run() -> None:
        try:
            supervisor.run(lambda: "")
            ends.append("asked to stop")
        except ChildEnded as error:
            ends.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, ends


def test_a_killed_child_is_started_again_and_the_others_go_on(supervisor: Supervisor) -> None:
    beat, other = Child("beat", ["sleep", "60"]), Child("web", ["sleep", "60"])
    supervisor.start(beat)
    supervisor.start(other)
    untouched = other.process
    thread, ends = in_background(supervisor)
    killed_once_more(beat)
    assert beat.process is not None
    assert beat.process.poll() is None
    assert other.process is untouched
    supervisor.ask_to_stop()
    thread.join(10)
    assert ends == ["asked to stop"]


def test_a_child_that_ends_again_and_again_stops_everything_with_a_line_that_names_it(
    supervisor: Supervisor,
) -> None:
    beat = Child("beat", ["sleep", "60"])
    supervisor.start(beat)
    thread, ends = in_background(supervisor)
    for _ in range(RESTARTS):
        killed_once_more(beat)
    assert beat.process is not None
    beat.process.kill()
    thread.join(20)
    assert ends == [f"beat ended with exit code -9, after {RESTARTS} new starts in 60 seconds."]
