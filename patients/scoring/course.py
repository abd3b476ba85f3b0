"""An outcome measure over time: its scores, and what changed since the first and since the one before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from clinic.thresholds import DEFAULTS, Thresholds
from patients.scoring.change import (
    AKPS,
    KOOS_PF,
    LEFS,
    NPRS,
    PROPERTIES,
    PSFS,
    Better,
    Change,
    Property,
    Taken,
    Value,
    is_real_change,
)
from patients.scoring.questionnaires import GROC_MUCH_IMPROVED, groc_meaning

GROC = "groc"

SCALES = {NPRS: (0, 10), AKPS: (0, 100), KOOS_PF: (0, 100), PSFS: (0, 10), LEFS: (0, 80), GROC: (-7, 7)}
"""Lowest and highest score of each measure, in the order they are shown."""

REVIEW_WEEKS = (6, 8, 12)
"""When AKPS and GROC are asked again: weeks on the clock (AKPS; for GROC our default)."""

_GROC = Property(
    "GROC", None, Better.HIGHER, "much improved from +5, our default", Decimal(GROC_MUCH_IMPROVED)
)


@dataclass(frozen=True, slots=True)
class Score:
    """One score on its day. ``detail`` is what must match to compare: the recall window, the activities."""

    on: date
    value: Decimal
    detail: str = ""


@dataclass(frozen=True, slots=True)
class MeasureCourse:
    """One measure of one case, oldest first. GROC is a change by itself: it has words instead of changes."""

    measure: str
    about: Property
    low: int
    high: int
    scores: Sequence[Score]
    since_first: Change | None
    since_last: Change | None
    words: str

    @property
    def latest(self) -> Score:
        return self.scores[-1]


def course_of(
    measure: str, scores: Iterable[Score], *, thresholds: Thresholds = DEFAULTS
) -> MeasureCourse | None:
    """The course of one measure; None without a score. ``since_last`` only from the third score on."""
    ordered = sorted(scores, key=lambda score: score.on)
    if not ordered:
        return None
    low, high = SCALES[measure]
    if measure == GROC:
        words = f"{ordered[-1].value:+.0f}: {groc_meaning(int(ordered[-1].value))} since the start."
        return MeasureCourse(measure, _GROC, low, high, ordered, None, None, words)
    values = [Value(score.value, Taken(detail=score.detail)) for score in ordered]
    first = is_real_change(measure, values[0], values[-1], thresholds=thresholds) if len(values) > 1 else None
    last = is_real_change(measure, values[-2], values[-1], thresholds=thresholds) if len(values) > 2 else None
    words = first.text if first else "One score so far."
    return MeasureCourse(measure, PROPERTIES[measure], low, high, ordered, first, last, words)


def review_due(scored_on: Iterable[date], *, week: int, today: date) -> int | None:
    """The week (6, 8 or 12 on the clock) whose score is still owed; None if none is.

    A score from up to 7 days before that week began serves for it.
    """
    asked = max((due for due in REVIEW_WEEKS if due <= week), default=None)
    if asked is None:
        return None
    earliest = today - timedelta(days=7 * (week - asked) + 13)
    return None if any(on >= earliest for on in scored_on) else asked
