"""The figures of a caseload, each with what it was four weeks before. Pure: counts in, figures out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from programs.rules.stall import State

WEEKS_BEFORE = 4
SUCCESS_WEEKS = 12
"""Weeks to success are those of the cases that first met it in the last so many weeks (our default)."""

RESPONDING = frozenset({State.ON_TRACK})
JUDGED = RESPONDING | {State.INSUFFICIENT_DATA, State.WATCH, State.STALLING, State.STALLED}
"""The states of a case reviewed from week 4 on that is under way: neither too early, paused nor on hold."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A caseload on one day: open cases, reviewed cases by state, strength sessions of the adherence window,
    how many cases first met success in which week, and unresolved alerts by reason.
    """

    active: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    sessions_done: int = 0
    sessions_due: int = 0
    success_weeks: Mapping[int, int] = field(default_factory=dict)
    alerts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figure:
    """A value now and four weeks before; None where there is nothing to count."""

    now: Decimal | None
    before: Decimal | None

    @property
    def change(self) -> Decimal | None:
        return None if self.now is None or self.before is None else self.now - self.before


@dataclass(frozen=True, slots=True)
class Figures:
    """``responding`` and ``adherence`` in whole %, ``weeks_to_success`` the median in weeks."""

    active: Figure
    responding: Figure
    weeks_to_success: Figure
    adherence: Figure
    alerts: Mapping[str, Figure]


def figures(now: Snapshot, before: Snapshot) -> Figures:
    """Alerts come by reason, the most frequent first."""
    reasons = sorted({*now.alerts, *before.alerts}, key=lambda r: (-now.alerts.get(r, 0), r))
    return Figures(
        active=Figure(Decimal(now.active), Decimal(before.active)),
        responding=Figure(_responding(now), _responding(before)),
        weeks_to_success=Figure(_median_week(now), _median_week(before)),
        adherence=Figure(_adherence(now), _adherence(before)),
        alerts={r: Figure(Decimal(now.alerts.get(r, 0)), Decimal(before.alerts.get(r, 0))) for r in reasons},
    )


def _responding(day: Snapshot) -> Decimal | None:
    judged = sum(count for state, count in day.states.items() if state in JUDGED)
    return _percent(sum(day.states.get(state, 0) for state in RESPONDING), judged)


def _adherence(day: Snapshot) -> Decimal | None:
    return _percent(day.sessions_done, day.sessions_due)


def _percent(part: int, whole: int) -> Decimal | None:
    """Whole percent, half up."""
    return Decimal((200 * part + whole) // (2 * whole)) if whole else None


def _median_week(day: Snapshot) -> Decimal | None:
    """Of an even number the mean of the middle two."""
    total = sum(day.success_weeks.values())
    if not total:
        return None
    lower, upper = _at(day.success_weeks, (total - 1) // 2), _at(day.success_weeks, total // 2)
    return Decimal(lower + upper) / 2


def _at(weeks: Mapping[int, int], index: int) -> int:
    """The value at that place of the sorted weeks, counted from 0."""
    passed = 0
    for week in sorted(weeks):
        passed += weeks[week]
        if index < passed:
            return week
    raise IndexError(index)
