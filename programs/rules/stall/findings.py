"""What the facts of one case amount to on one day, before anything is concluded from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from clinic.thresholds import Thresholds
from programs.rules.stall.facts import CaseFacts, Knee, Pause, PauseKind, RedFlag
from programs.rules.stall.success import AkpsChange, Trend, akps_change, akps_success, pain_success, trend_of
from programs.rules.stall.windows import (
    DAYS_PER_WEEK,
    Baseline,
    DailyValues,
    PainNow,
    Timeline,
    daily_worst,
    find_baseline,
    pain_now,
)


@dataclass(frozen=True, slots=True)
class KneePain:
    """One knee: its daily worst pain, where it started and where it is."""

    values: DailyValues
    baseline: Baseline | None
    now: PainNow

    @property
    def sufficient(self) -> bool:
        """Whether it can be judged at all."""
        return self.baseline is not None and self.now.enough


@dataclass(frozen=True, slots=True)
class Findings:
    facts: CaseFacts
    today: date
    thresholds: Thresholds
    timeline: Timeline
    index: KneePain
    other: KneePain | None
    akps: AkpsChange
    by_pain: bool
    by_akps: bool

    @property
    def success(self) -> bool:
        return self.by_pain or self.by_akps

    @property
    def week(self) -> int:
        """Week of the trial under way."""
        return self.timeline.clock_day // DAYS_PER_WEEK

    @property
    def case_week(self) -> int:
        """Week of the case: a new fair trial does not set it back."""
        return self.timeline.case_day(self.today) // DAYS_PER_WEEK

    @property
    def open_red_flags(self) -> tuple[RedFlag, ...]:
        raised = (flag for flag in self.facts.red_flags if flag.raised_on <= self.today)
        return tuple(sorted(raised, key=lambda flag: (flag.raised_on, flag.code)))

    @property
    def ever_logged(self) -> bool:
        """Whether any session was ever logged: without one, adherence is unknown."""
        first = self.facts.first_session_on
        return first is not None and first <= self.today

    @property
    def hold(self) -> Pause | None:
        """The hold that covers the day under review; of several the longest standing."""
        holds = (pause for pause in self._pauses_today() if pause.kind is PauseKind.HOLD)
        return min(holds, key=lambda hold: (hold.start, hold.why), default=None)

    @property
    def paused(self) -> bool:
        """On holiday or ill on the day under review."""
        return any(pause.kind is not PauseKind.HOLD for pause in self._pauses_today())

    def _pauses_today(self) -> Iterator[Pause]:
        for pause in self.facts.pauses:
            if pause.start <= self.today and (pause.resumed_on is None or self.today < pause.resumed_on):
                yield pause

    @property
    def trend(self) -> Trend | None:
        """Only of pain that can be judged and has not met success."""
        if self.success or self.index.baseline is None or self.index.now.judged is None:
            return None
        return trend_of(self.index.baseline.value, self.index.now.judged, self.thresholds)


def find(facts: CaseFacts, today: date, thresholds: Thresholds) -> Findings:
    timeline = Timeline.of(facts, today)
    index = _knee_pain(facts.index, facts, timeline, thresholds)
    akps = akps_change(facts.akps, timeline, thresholds)
    return Findings(
        facts=facts,
        today=today,
        thresholds=thresholds,
        timeline=timeline,
        index=index,
        other=None if facts.other is None else _knee_pain(facts.other, facts, timeline, thresholds),
        akps=akps,
        by_pain=_met_by_pain(index, thresholds),
        by_akps=akps_success(akps, index.baseline, index.now, thresholds),
    )


def _met_by_pain(knee: KneePain, t: Thresholds) -> bool:
    if knee.baseline is None or knee.now.judged is None:
        return False
    return pain_success(knee.baseline.value, knee.now.judged, t)


def _knee_pain(knee: Knee, facts: CaseFacts, timeline: Timeline, t: Thresholds) -> KneePain:
    values = daily_worst(knee, timeline.today)
    return KneePain(
        values=values,
        baseline=find_baseline(knee, values, timeline, t),
        now=pain_now(values, facts.requests, timeline, timeline.today, t),
    )
