"""Which alerts to open, keep, raise, re-open or resolve after a review (clinical.md 7, "Alerts").

Only a stall resolves by itself, and only by success: silence closes nothing. Acknowledged and snoozed
alerts are unresolved like open ones: they are kept, with who, when and why. At most one alert per case
and kind is unresolved. Discharge is no matter of a review: it resolves stall alerts where it happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from programs.rules.stall import AlertKind, ReasonCode, Signal, State, Verdict
from programs.rules.stall.reasons import CONTINUE

HOLDS_BACK = frozenset({AlertKind.RED_FLAG, AlertKind.WORSENING})
"""Unresolved, put aside or not, they bar any proposal to do more: first somebody looks (our default)."""

HELD_BACK = "No progress while a worsening or red flag is open: look at that first"
"""What is said in place of a step up that is barred."""

FAILING = (State.STALLING, State.STALLED)


def suggests_progress(*, kind: str, reason: str, action: str) -> bool:
    """Whether an alert, with the action it carries, asks for more; the step back after a relapse does not.

    Of the alert alone: the latest review may be of a hold or of too little data, and says nothing of it.
    """
    slow = reason == ReasonCode.ADHERENT_BUT_FLAT and action.startswith(CONTINUE)
    return kind == AlertKind.STALL and (slow or reason == ReasonCode.UNDER_LOADED)


class Step(StrEnum):
    OPEN = "open"
    KEEP = "keep"
    RAISE = "raise"
    REOPEN = "reopen"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """An alert of the case as it stands; unresolved (open, acknowledged, snoozed) without ``resolved_on``.

    ``keys`` are the grounds it has carried so far, as decisions gave them. ``level`` is that of a stall,
    ``stalled_week`` the threshold it was last judged by, where that is known.
    """

    id: int | UUID
    kind: AlertKind
    keys: frozenset[str]
    level: State | None = None
    resolved_on: date | None = None
    resolved_by_rule: bool = False
    stalled_week: int | None = None


@dataclass(frozen=True, slots=True)
class PastReview:
    """The state an earlier review found."""

    on: date
    state: State


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with one alert.

    ``alert_id`` is None only for ``open``. ``raise`` and ``reopen`` keep the alert's age; ``raise`` is a
    stall that went from stalling to stalled. ``keys`` and ``level`` are what the alert is to carry from
    now on. ``signal`` is today's ground for it: None where there is none today (a kept alert then keeps
    the text it has, and has no place on a call list).
    """

    step: Step
    kind: AlertKind
    alert_id: int | UUID | None
    keys: frozenset[str]
    level: State | None
    signal: Signal | None


def decide(
    verdict: Verdict, alerts: Iterable[AlertFacts], past: Iterable[PastReview] = ()
) -> tuple[Decision, ...]:
    """One decision for each unresolved alert and each ground for a new one, most urgent kind first.

    ``alerts`` are all of the case's alerts; ``past`` its reviews at least since the stall alert opened.
    """
    grounds = {signal.kind: signal for signal in (*verdict.signals, *_stall_signal(verdict))}
    every, reviews = tuple(alerts), tuple(past)
    decisions = (_decide_kind(kind, grounds.get(kind), every, reviews, verdict) for kind in AlertKind)
    return tuple(decision for decision in decisions if decision is not None)


def _stall_signal(verdict: Verdict) -> tuple[Signal, ...]:
    """A stall's ground is its first reason; one that becomes the first later is a new reason."""
    if verdict.state not in FAILING or verdict.reason is None:
        return ()
    reason = verdict.reason
    return (Signal(AlertKind.STALL, frozenset({reason.code.value}), reason.evidence, reason.action),)


def _decide_kind(
    kind: AlertKind,
    signal: Signal | None,
    alerts: Sequence[AlertFacts],
    past: Sequence[PastReview],
    verdict: Verdict,
) -> Decision | None:
    own = [alert for alert in alerts if alert.kind is kind]
    unresolved = next((alert for alert in own if alert.resolved_on is None), None)
    level = verdict.state if kind is AlertKind.STALL and signal is not None else None
    if unresolved is not None:
        if kind is AlertKind.STALL and _success_lasted(verdict, past):
            return Decision(Step.RESOLVE, kind, unresolved.id, unresolved.keys, unresolved.level, None)
        return _keep(unresolved, signal, level, verdict.thresholds.stalled_week)
    if signal is None:
        return None
    last = max(own, key=lambda alert: alert.resolved_on or date.min, default=None)
    if last is not None and _reopens(last, verdict):
        return Decision(Step.REOPEN, kind, last.id, last.keys | signal.keys, level, signal)
    if last is not None and _still_quiet(last, signal, verdict):
        return None
    return Decision(Step.OPEN, kind, None, signal.keys, level, signal)


def _keep(alert: AlertFacts, signal: Signal | None, level: State | None, stalled_week: int) -> Decision:
    """The level of a stall only rises: a new fair trial does not talk it down. Another threshold does: then
    the alert says what the case's page says.
    """
    keys = alert.keys if signal is None else alert.keys | signal.keys
    if alert.level is State.STALLING and level is State.STALLED:
        return Decision(Step.RAISE, alert.kind, alert.id, keys, level, signal)
    moved = alert.stalled_week not in (None, stalled_week)
    kept = level if moved and level is not None else alert.level
    return Decision(Step.KEEP, alert.kind, alert.id, keys, kept, signal)


def _success_lasted(verdict: Verdict, past: Iterable[PastReview]) -> bool:
    """Success today and at a review long enough ago, without failing in between."""
    if verdict.state is not State.ON_TRACK:
        return False
    earlier = [review for review in past if review.on < verdict.on]
    failed_on = max((review.on for review in earlier if review.state in FAILING), default=date.min)
    met = [review.on for review in earlier if review.state is State.ON_TRACK and review.on > failed_on]
    return bool(met) and (verdict.on - min(met)).days >= verdict.thresholds.stall_resolve_gap_days


def _reopens(last: AlertFacts, verdict: Verdict) -> bool:
    """A stall that resolved by itself and fails again soon is the same stall."""
    since = _days_resolved(last, verdict)
    return last.resolved_by_rule and since <= verdict.thresholds.stall_reopen_days


def _still_quiet(last: AlertFacts, signal: Signal, verdict: Verdict) -> bool:
    """A clinician has dealt with it, it is the same ground, and not long ago. A red flag is never quiet:
    it is open only if it was raised anew since it was cleared."""
    if last.resolved_by_rule or last.kind is AlertKind.RED_FLAG or not signal.keys <= last.keys:
        return False
    return _days_resolved(last, verdict) < verdict.thresholds.reopen_after_days


def _days_resolved(last: AlertFacts, verdict: Verdict) -> int:
    return (verdict.on - (last.resolved_on or verdict.on)).days
