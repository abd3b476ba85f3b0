"""How often the strength sessions were done: by day and by week of the case, against what was prescribed.

A prescription is so many sessions a week, on days of the patient's choice: a day without one is not missed,
a week that stays below its number has missed the difference. Days off make a week shorter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from programs.rules.stall.wording import count, day

DAYS = 7


class DayState(StrEnum):
    DONE = "done"
    NONE = "none"
    PAUSED = "paused"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Day:
    on: date
    state: DayState
    sessions: int = 0

    @property
    def words(self) -> str:
        told = {
            DayState.DONE: count(self.sessions, "session"),
            DayState.NONE: "no session",
            DayState.PAUSED: "does not count",
            DayState.AHEAD: "still to come",
        }
        return f"{day(self.on)}: {told[self.state]}"


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from the weekday on which the case began. ``is_over``: nothing can be missed before."""

    number: int
    days: Sequence[Day]
    done: int
    prescribed: int
    is_over: bool

    @property
    def missed(self) -> int:
        return max(self.prescribed - self.done, 0) if self.is_over else 0

    @property
    def is_off(self) -> bool:
        return all(day.state is DayState.PAUSED for day in self.days)

    @property
    def words(self) -> str:
        if self.is_off:
            return "paused"
        if not self.is_over:
            return f"{self.done} of {self.prescribed} so far"
        return f"{self.done} of {self.prescribed}" + (f", {self.missed} missed" if self.missed else "")


@dataclass(frozen=True, slots=True)
class Adherence:
    weeks: Sequence[Week]
    summary: str
    per_week: Decimal | None
    """Sessions a week over the full weeks, cut to tenths; None before the first one is over."""


def adherence(
    *,
    started_on: date,
    today: date,
    sessions: Iterable[date],
    days_off: AbstractSet[date],
    prescribed: Sequence[tuple[date, int]],
    floor: int,
) -> Adherence:
    """Each week from ``started_on`` to ``today``; ``prescribed`` is (from that day on, sessions a week)."""
    done = Counter(sessions)
    weeks = [
        _week(number, started_on + timedelta(weeks=number), today, done, days_off, prescribed)
        for number in range(max((today - started_on).days, 0) // DAYS + 1)
    ]
    return Adherence(weeks, _summary(weeks, floor, days_off), _per_week(weeks))


def _week(
    number: int,
    first: date,
    today: date,
    done: Counter[date],
    days_off: AbstractSet[date],
    prescribed: Sequence[tuple[date, int]],
) -> Week:
    days = [_day(first + timedelta(days=n), today, done, days_off) for n in range(DAYS)]
    off = sum(day.on in days_off for day in days)
    asked = next((per_week for since, per_week in reversed(prescribed) if since <= days[-1].on), 0)
    return Week(
        number=number,
        days=days,
        done=sum(day.sessions for day in days),
        prescribed=asked * (DAYS - off) // DAYS,
        is_over=days[-1].on < today,
    )


def _day(on: date, today: date, done: Counter[date], days_off: AbstractSet[date]) -> Day:
    if done[on]:
        return Day(on, DayState.DONE, done[on])
    if on in days_off:
        return Day(on, DayState.PAUSED)
    return Day(on, DayState.AHEAD if on > today else DayState.NONE)


def _summary(weeks: Sequence[Week], floor: int, days_off: AbstractSet[date]) -> str:
    over = [week for week in weeks if week.is_over and not week.is_off]
    if not over:
        return "The first week is not over yet."
    done, asked = sum(week.done for week in over), sum(week.prescribed for week in over)
    share = f" ({done * 100 // asked} %)" if asked else ""
    parts = [f"{done} of {asked} strength sessions{share} in {count(len(over), 'full week')}"]
    low = [str(week.number) for week in over if week.done < min(floor, week.prescribed)]
    if low:
        parts.append(f"below the floor of {floor} in week{'s' if len(low) > 1 else ''} {', '.join(low)}")
    shown = sum(day.on in days_off for week in weeks for day in week.days)
    if shown:
        parts.append(f"{count(shown, 'day')} did not count")
    return "; ".join(parts) + "."


def _per_week(weeks: Sequence[Week]) -> Decimal | None:
    over = [week for week in weeks if week.is_over and not week.is_off]
    return Decimal(sum(week.done for week in over) * 10 // len(over)) / 10 if over else None
