"""Which measurements are due (clinical.md 7).

The AKPS at intake and in weeks 6, 8 and 12, and a re-assessment after 12 weeks without success. The weeks are
the thresholds that start stalling, stalled and re-assess.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from clinic.thresholds import Thresholds
from programs.rules.stall import CaseFacts
from programs.rules.stall.windows import DAYS_PER_WEEK, Timeline


@dataclass(frozen=True, slots=True)
class Due:
    """From which day on a score, or an assessment, settles the one that is due; None: none is due."""

    akps: date | None = None
    reassess: date | None = None


def due(facts: CaseFacts, today: date, t: Thresholds, *, success: bool, assessed: Iterable[date]) -> Due:
    """What is due on ``today``; ``assessed`` are the days of the case's assessments."""
    timeline = Timeline.of(facts, today)
    return Due(
        akps=_unsettled(_akps_since(timeline, t), (score.on for score in facts.akps), today),
        reassess=None if success else _unsettled(_reassess_since(timeline, t), assessed, today),
    )


def _akps_since(timeline: Timeline, t: Thresholds) -> date | None:
    """Of the marks that were reached the latest counts; before the first, the baseline's own window."""
    first = timeline.case_day(timeline.clock_started_on)
    for week in (t.reassess_week, t.stalled_week, t.stalling_week):
        mark = first + DAYS_PER_WEEK * week
        if mark < len(timeline.days):  # a case that is paused just before it has not reached it
            return timeline.days[mark] - timedelta(days=t.akps_early_days)
    if timeline.today <= timeline.started_on + timedelta(days=t.akps_baseline_after_days):
        return timeline.started_on - timedelta(days=t.akps_baseline_before_days)
    return None


def _reassess_since(timeline: Timeline, t: Thresholds) -> date | None:
    """Counted over the whole case, as the stall rule does; a new fair trial can't put it off."""
    mark = DAYS_PER_WEEK * t.reassess_week
    if mark >= len(timeline.days):
        return None
    return timeline.days[mark] - timedelta(days=t.akps_early_days)


def _unsettled(since: date | None, done: Iterable[date], today: date) -> date | None:
    settled = since is not None and any(since <= on <= today for on in done)
    return None if settled else since
