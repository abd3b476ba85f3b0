"""Celery beat without a schedule file: the intervals are all there is to know."""

from __future__ import annotations

from typing import Any

import celery.beat
from django.conf import settings


class Scheduler(celery.beat.Scheduler):
    """Touches a file at each tick, for the health check of a process that listens nowhere."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        seconds: float = super().tick(*args, **kwargs)
        settings.BEAT_HEARTBEAT.touch()
        return seconds
