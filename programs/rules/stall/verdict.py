"""The verdict on one case on one day: state, trend, reasons with their evidence, one action."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from clinic.thresholds import Thresholds
from programs.rules.stall.facts import CaseFacts
from programs.rules.stall.findings import Findings, KneePain, find
from programs.rules.stall.reasons import (
    Reason,
    adherence,
    reasons_not_judged,
    reasons_on_hold,
    reasons_without_success,
)
from programs.rules.stall.signals import Signal, find_signals
from programs.rules.stall.success import Trend
from programs.rules.stall.windows import Baseline, PainNow, median
from programs.rules.stall.wording import (
    baseline_text,
    check_ins_text,
    count,
    day,
    pain,
    pain_text,
    pains,
    window_text,
)


class State(StrEnum):
    """In the order of the rule: the first that holds."""

    PAUSED = "paused"
    ON_HOLD = "on_hold"
    TOO_EARLY = "too_early"
    INSUFFICIENT_DATA = "insufficient_data"
    ON_TRACK = "on_track"
    STALLED = "stalled"
    STALLING = "stalling"
    WATCH = "watch"


NOT_JUDGED = frozenset({State.PAUSED, State.TOO_EARLY})
WITHOUT_SUCCESS = frozenset({State.STALLED, State.STALLING, State.WATCH})


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row of what the verdict rests on; ``topic`` is a fixed key, or the code of a reason."""

    topic: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rule says of one case on the day ``on``.

    ``day`` and ``week`` count unpaused days of the trial under way. ``trend`` is None unless the state is
    watch, stalling or stalled. Every state but on_track, paused and too_early carries at least one reason,
    and so exactly one action; paused and too_early carry one only for what can't wait (an open red flag,
    12 weeks without success, more than 28 paused days). ``pain_not_reported``: on_track by AKPS alone.
    ``signals`` are the grounds for alerts, whatever the state. ``thresholds`` are those it was made with.
    """

    on: date
    day: int
    week: int
    state: State
    trend: Trend | None
    reasons: tuple[Reason, ...]
    baseline: Baseline | None
    now: PainNow
    pain_not_reported: bool
    evidence: tuple[Evidence, ...]
    signals: tuple[Signal, ...]
    thresholds: Thresholds

    @property
    def reason(self) -> Reason | None:
        """The first reason that applies: it sets the action."""
        return self.reasons[0] if self.reasons else None

    @property
    def action(self) -> str | None:
        return self.reasons[0].action if self.reasons else None

    @property
    def summary(self) -> str:
        """ "Week 8, stalled, flat. Worst pain 6.0 in the first week, 5.5 now (...). <why>. <action>." """
        head = (f"Week {self.week}", self.state, self.trend)
        parts = [", ".join(part.replace("_", " ") for part in head if part is not None)]
        if self.baseline is not None and self.now.judged is not None:
            parts.append(pain_text(self.baseline, self.now.judged, self.now))
        if self.pain_not_reported:
            parts.append("Pain not reported")
        if self.reason is not None:
            parts += [self.reason.evidence, self.reason.action]
        return " ".join(part if part.endswith("?") else f"{part}." for part in parts)


def review(facts: CaseFacts, today: date, thresholds: Thresholds) -> Verdict:
    """Judge one case as of ``today`` (its local date); rows dated later are left out."""
    f = find(facts, today, thresholds)
    state = _state(f)
    reasons = _reasons(f, state)
    return Verdict(
        on=today,
        day=f.timeline.clock_day,
        week=f.week,
        state=state,
        trend=f.trend if state in WITHOUT_SUCCESS else None,
        reasons=reasons,
        baseline=f.index.baseline,
        now=f.index.now,
        pain_not_reported=state is State.ON_TRACK and not f.index.now.enough,
        evidence=(
            *_evidence(f, state),
            *(Evidence(reason.code.value, reason.evidence) for reason in reasons),
        ),
        signals=find_signals(f),
        thresholds=thresholds,
    )


def _state(f: Findings) -> State:
    t = f.thresholds
    steps = (
        (f.paused, State.PAUSED),
        (f.hold is not None or bool(f.open_red_flags), State.ON_HOLD),
        (f.week < t.watch_week, State.TOO_EARLY),
        (not f.index.sufficient and not f.by_akps, State.INSUFFICIENT_DATA),
        (f.success, State.ON_TRACK),
        (f.week >= t.stalled_week, State.STALLED),
        (f.week >= t.stalling_week, State.STALLING),
    )
    return next((state for holds, state in steps if holds), State.WATCH)


def _reasons(f: Findings, state: State) -> tuple[Reason, ...]:
    if state is State.ON_TRACK:
        return ()
    if state is State.ON_HOLD:
        return reasons_on_hold(f)
    return reasons_not_judged(f) if state in NOT_JUDGED else reasons_without_success(f)


def _evidence(f: Findings, state: State) -> list[Evidence]:
    """What was measured, as far as it was: baseline, now, check-ins, usual pain, AKPS, the other knee."""
    rows = []
    baseline, now = f.index.baseline, f.index.now.value
    then, today = pains(baseline.value, now) if baseline and now is not None else ("", "")
    if baseline is not None:
        then = then or pain(baseline.value)
        rows.append(Evidence("baseline", f"Worst pain {baseline_text(baseline, then)}"))
    if now is not None:
        rows.append(Evidence("now", f"Worst pain {today or pain(now)} ({window_text(f.index.now)})"))
    if (recall := _recall_text(f)) is not None:
        rows.append(Evidence("recall", recall))
    if f.index.now.requests_due:
        rows.append(Evidence("check_ins", check_ins_text(f.index.now)))
    texts = {"usual_pain": _usual_text(f), "akps": _akps_text(f), "other_knee": _other_knee_text(f.other)}
    rows += [Evidence(topic, text) for topic, text in texts.items() if text is not None]
    if f.ever_logged and state not in NOT_JUDGED:
        rows.append(Evidence("adherence", adherence(f).text))
    if state is State.ON_TRACK and not f.index.now.enough:
        rows.append(Evidence("pain_not_reported", "Pain not reported: on track by AKPS alone"))
    return rows


def _recall_text(f: Findings) -> str | None:
    """Where start and present were not asked over the same days: a longer window holds more."""
    baseline, answers = f.index.baseline, f.facts.index.answers
    if baseline is None or baseline.recall_days is not None:  # an intake says its own
        return None
    span = [a for a in answers if baseline.first <= a.on <= baseline.last]
    window = [a for a in answers if a.on in set(f.index.now.window)]
    before, now = (max((a.recall_days or 0 for a in found), default=0) for found in (span, window))
    if not before or not now or before == now:
        return None
    return f"Asked over {count(before, 'day')} at the start, over {count(now, 'day')} now"


def _usual_text(f: Findings) -> str | None:
    window = set(f.index.now.window)
    answers = [answer for answer in f.facts.index.answers if answer.on in window]
    usual = [answer.usual for answer in answers if answer.usual is not None]
    return f"Usual pain {pain(median(usual))} ({window_text(f.index.now)})" if usual else None


def _akps_text(f: Findings) -> str | None:
    before, current, gain = f.akps.baseline, f.akps.current, f.akps.gain
    if current is None:
        return None
    text = f"AKPS {current.points} on {day(current.on)}"
    return text if before is None or gain is None else f"{text}, {before.points} at the start ({gain:+d})"


def _other_knee_text(other: KneePain | None) -> str | None:
    if other is None or other.baseline is None or other.now.judged is None:
        return None
    return f"Other knee: {pain_text(other.baseline, other.now.judged, other.now)}"


def to_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict as ``review_cases --json`` prints it, without the case: null where there is nothing to say.

    ``baseline`` and ``now`` are NPRS numbers (for show: nothing is decided from them again), ``reasons``
    the codes in order, ``evidence`` rows of topic and text.
    """
    baseline, now, reason = verdict.baseline, verdict.now.judged, verdict.reason
    return {
        "week": verdict.week,
        "state": verdict.state.value,
        "trend": verdict.trend.value if verdict.trend is not None else None,
        "reason": reason.code.value if reason is not None else None,
        "reasons": [reason.code.value for reason in verdict.reasons] or None,
        "baseline": float(baseline.value) if baseline is not None else None,
        "now": float(now) if now is not None else None,
        "evidence": [{"topic": row.topic, "text": row.text} for row in verdict.evidence] or None,
        "action": verdict.action,
    }
