"""The patients who are there to show a state, a reason or an alert: docs/demo-clinic.md says which is which.

Each lies well inside what it shows, so that neither the noise nor the weekday of the last day matters.
"""

from __future__ import annotations

from programs.demo.courses import Course
from programs.demo.showcase.others import CLOSED, EARLY, GOOD, NOT_JUDGED, WATCHED
from programs.demo.showcase.stalled import STALLED, STALLING

SHOWCASE: tuple[Course, ...] = (*STALLED, *STALLING, *EARLY, *NOT_JUDGED, *GOOD, *CLOSED)

__all__ = ["SHOWCASE", "WATCHED"]
