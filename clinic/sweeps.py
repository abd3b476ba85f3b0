"""The record of each periodic job, so that "nothing to do" and "broken" look different."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic

from clinic.logs import described
from clinic.models import SweepRun

logger = logging.getLogger(__name__)


@contextmanager
def record(name: str, now: datetime) -> Iterator[dict[str, int]]:
    """Keep when the sweep ran and what came of it; yields the counts to fill in.

    A sweep that raises is kept with its error, logged and raised again. One that was killed shows a start
    later than its finish. The counts of a failed sweep are kept too.

        with sweeps.record("ask_check_ins", now) as counts:
            counts["asked"] = checkins.ask_due(now=now)
    """
    SweepRun.objects.update_or_create(name=name, defaults={"started_at": now})
    started, counts = monotonic(), dict[str, int]()
    run = SweepRun.objects.filter(name=name)
    try:
        yield counts
    except Exception as error:
        logger.exception("sweep %s failed", name)
        run.update(finished_at=_finish(now, started), result=counts, error=in_one_line(error))
        raise
    finish = _finish(now, started)
    run.update(finished_at=finish, succeeded_at=finish, result=counts, error="")


def _finish(now: datetime, started: float) -> datetime:
    return now + timedelta(seconds=monotonic() - started)


def in_one_line(error: Exception) -> str:
    """What it was and where, as in the logs: its message may quote what a patient wrote."""
    return " ".join("; ".join(described(error)).split())[:1000]
