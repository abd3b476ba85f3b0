"""How long one sweep may work: what it leaves is due at the next tick."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

SWEEP_LIMIT = timedelta(seconds=200)
"""Below a task's soft time limit, which would strike in the middle of a row and be taken for its failure."""


class Deadline:
    """Ask it between rows, after the first: every sweep gets something done."""

    def __init__(self, limit: timedelta) -> None:
        self._ends = monotonic() + limit.total_seconds()

    @property
    def left(self) -> timedelta:
        return timedelta(seconds=max(0.0, self._ends - monotonic()))

    @property
    def has_passed(self) -> bool:
        return monotonic() >= self._ends
