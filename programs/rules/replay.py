"""Which alerts a row of reviews opens if nobody acts on one: for "what would these thresholds have done"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from programs.rules.alerts import AlertFacts, Decision, PastReview, Step, decide
from programs.rules.stall import AlertKind, State, Verdict


@dataclass(frozen=True, slots=True)
class Opened:
    """An alert and the first day of its grounds; ``why`` is the evidence of that day. ``stalled_on``: the day
    a stall was called stalled, if it was; before it was stalling.
    """

    kind: AlertKind
    on: date
    why: str
    stalled_on: date | None = None


def replay(verdicts: Iterable[Verdict]) -> tuple[Opened, ...]:
    """The alerts that these reviews of one case, in the order of their days, would have opened.

    It starts without alerts. Red flags are left out: no review opens one, and no threshold decides on them.
    """
    opened: list[Opened] = []
    alerts: dict[int, AlertFacts] = {}
    past: list[PastReview] = []
    for verdict in verdicts:
        for decision in decide(verdict, alerts.values(), past):
            if decision.kind is AlertKind.RED_FLAG:
                continue
            number = len(alerts) if decision.alert_id is None else int(str(decision.alert_id))
            alerts[number] = _after(decision, number, verdict.on)
            if decision.step is Step.OPEN and decision.signal is not None:
                opened.append(Opened(decision.kind, verdict.on, decision.signal.evidence))
            if decision.kind is AlertKind.STALL and decision.level is State.STALLED:
                opened = [_stalled(alert, verdict.on) for alert in opened]
        past.append(PastReview(verdict.on, verdict.state))
    return tuple(opened)


def _stalled(alert: Opened, on: date) -> Opened:
    is_first = alert.kind is AlertKind.STALL and alert.stalled_on is None
    return replace(alert, stalled_on=on) if is_first else alert


def _after(decision: Decision, number: int, on: date) -> AlertFacts:
    alert = AlertFacts(number, decision.kind, decision.keys, decision.level)
    return replace(alert, resolved_on=on, resolved_by_rule=True) if decision.step is Step.RESOLVE else alert
