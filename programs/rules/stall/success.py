"""Whether the program has moved the needle: success, trend, and an earlier success that was lost.

Success is the 6-week rule of the NATA trial (J Athl Train 53(6):545, n = 199: pain down by 2 on a 10-cm
scale, or AKPS up by 8), with a share instead of points for those who start low.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from clinic.thresholds import Thresholds
from programs.rules.stall.facts import AkpsScore, CheckInRequest
from programs.rules.stall.windows import Baseline, DailyValues, PainNow, Timeline, pain_now


class Trend(StrEnum):
    WORSE = "worse"
    SLOW = "slow"
    FLAT = "flat"


def pain_success(baseline: Decimal, now: Decimal, t: Thresholds) -> bool:
    """Worst pain down by enough points from a baseline of 3 or more, by enough percent from a lower one,
    or simply low now."""
    if now < t.success_now_below:
        return True
    drop = baseline - now
    if baseline >= t.success_baseline_floor:
        return drop >= t.success_drop
    return drop * 100 >= baseline * t.success_drop_percent


def trend_of(baseline: Decimal, now: Decimal, t: Thresholds) -> Trend:
    if now - baseline >= t.trend_worse:
        return Trend.WORSE
    if baseline - now >= t.trend_slow:
        return Trend.SLOW
    return Trend.FLAT


@dataclass(frozen=True, slots=True)
class AkpsChange:
    """Two AKPS scores (0-100, 100 best) that may be compared; each None where the case has none."""

    baseline: AkpsScore | None
    current: AkpsScore | None

    @property
    def gain(self) -> int | None:
        if self.baseline is None or self.current is None:
            return None
        return self.current.points - self.baseline.points


def akps_change(scores: Iterable[AkpsScore], timeline: Timeline, t: Thresholds) -> AkpsChange:
    """Baseline: the score nearest to the start, among those around it. Current: the latest, if recent.

    Of two scores equally near the start, the earlier is the baseline. Of two on the same day, the lower
    counts, both times: the order of rows must not matter.
    """
    known = sorted((s for s in scores if s.on <= timeline.today), key=lambda s: (s.on, s.points))
    around_start = [
        score
        for score in known
        if -t.akps_baseline_before_days <= (score.on - timeline.started_on).days <= t.akps_baseline_after_days
    ]
    recent = [
        score
        for score in known
        if (timeline.today - score.on).days <= t.akps_current_max_age_days
        and timeline.case_day(score.on) > t.akps_current_after_day
    ]
    return AkpsChange(
        baseline=min(around_start, key=lambda s: abs((s.on - timeline.started_on).days), default=None),
        current=max(recent, key=lambda s: (s.on, -s.points), default=None),
    )


def akps_success(change: AkpsChange, baseline: Baseline | None, now: PainNow, t: Thresholds) -> bool:
    """AKPS up by enough, unless what was reported of pain is up by 2: function does not outweigh that.

    Even a single answer of the window can veto: it is too little to judge by, yet it is no silence.
    """
    gain = change.gain
    if gain is None or gain < t.success_akps_gain or baseline is None:
        return False
    return now.value is None or now.value - baseline.value < t.akps_pain_veto


@dataclass(frozen=True, slots=True)
class LostSuccess:
    """The last earlier window that met success on pain."""

    value: Decimal
    last: date


def lost_success(
    baseline: Baseline,
    values: DailyValues,
    requests: tuple[CheckInRequest, ...],
    timeline: Timeline,
    t: Thresholds,
) -> LostSuccess | None:
    """The latest full window whose pain met success, if there was one: of a case that has none today.

    AKPS has no part in it: a score that became too old is no relapse.
    """
    for last in reversed(timeline.days):
        then = pain_now(values, requests, timeline, last, t)
        if then.judged is None or len(then.window) < t.now_window_days:
            continue
        if pain_success(baseline.value, then.judged, t):
            return LostSuccess(then.judged, last)
    return None
