"""Whether an answer after discharge says that the pain is back: then a clinician asks whether to re-open."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from clinic.thresholds import Thresholds
from programs.rules.pain import figure


@dataclass(frozen=True, slots=True)
class WatchFacts:
    """One answer of the relapse watch.

    Attributes:
        worst: worst pain, the higher of the two knees where both were told, NPRS; None if none was.
        at_discharge: what it was at discharge; None if not known: then as if just below success.
        active: back to what they want to do; None if not answered.
        was_active: what the answer before said.
    """

    worst: Decimal | None
    at_discharge: Decimal | None
    active: bool | None = None
    was_active: bool | None = None


@dataclass(frozen=True, slots=True)
class RelapseVerdict:
    """Whether it is a relapse; ``keys`` tell the grounds apart, ``reasons`` give the figures either way."""

    relapsed: bool
    keys: frozenset[str]
    reasons: tuple[str, ...]
    thresholds: Thresholds = field(repr=False)


def relapse(facts: WatchFacts, thresholds: Thresholds) -> RelapseVerdict:
    """Pain up by ``relapse_rise`` to ``relapse_floor`` or more, or an activity given up again."""
    t = thresholds
    known = facts.at_discharge is not None
    before = facts.at_discharge if facts.at_discharge is not None else t.success_now_below
    at = figure(before) if known else f"below {figure(before)} taken"
    keys, reasons = set(), []
    if facts.worst is not None:
        reasons.append(f"worst pain {figure(facts.worst)}, {at} at discharge")
        if facts.worst - before >= t.relapse_rise and facts.worst >= t.relapse_floor:
            keys.add("pain")
    if facts.active is False and facts.was_active is True:
        keys.add("activity")
        reasons.append("no longer back to what they want to do")
    return RelapseVerdict(bool(keys), frozenset(keys), tuple(reasons), t)


def ends_on(starts_on: date, months: int) -> date:
    """So many calendar months later; the last of the month where it has no such day."""
    years, month = divmod(starts_on.month - 1 + months, 12)
    first = date(starts_on.year + years, month + 1, 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first.replace(day=min(starts_on.day, (following - first).days))
