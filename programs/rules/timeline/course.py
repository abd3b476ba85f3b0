"""What a timeline shows of one case: pain per knee, training, stages, days off, alerts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from clinic.thresholds import Thresholds
from programs.rules.pain import Activity, Light
from programs.rules.stall.wording import pain

GAP_DAYS = 7
"""Our default: answers further apart than a week are not joined by a line. Three a week are asked for."""

DailyPain = Mapping[date, Decimal]


@dataclass(frozen=True, slots=True)
class Knee:
    """Daily worst and usual pain of one knee, NPRS 0-10. ``is_index``: success is measured on it."""

    side: str
    is_index: bool
    worst: DailyPain
    usual: DailyPain

    @property
    def label(self) -> str:
        return f"{self.side.capitalize()} knee{' (index)' if self.is_index else ''}"


@dataclass(frozen=True, slots=True)
class Effort:
    """A session or a run with its light by the pain rule; ``km`` of a run."""

    on: date
    activity: Activity
    light: Light
    reasons: Sequence[str] = ()
    km: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on one day: a program began, a stage changed. ``short`` fits on a phone."""

    on: date
    label: str
    short: str


@dataclass(frozen=True, slots=True)
class Span:
    """Days that do not count, from ``start`` until the day before ``end``; ``kind`` is a pause or a hold."""

    kind: str
    label: str
    start: date
    end: date | None


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert, open from ``on``; ``until`` the day it was resolved. ``tone``: danger, warning or info."""

    on: date
    until: date | None
    label: str
    tone: str


@dataclass(frozen=True, slots=True)
class Success:
    """The pain at or below which the case counts as a success, and the words for it."""

    at: Decimal
    words: str


@dataclass(frozen=True, slots=True)
class Course:
    """One case from its first day shown to ``today`` (or to the day it closed)."""

    started_on: date
    today: date
    knees: Sequence[Knee]
    efforts: Sequence[Effort] = ()
    events: Sequence[Event] = ()
    spans: Sequence[Span] = ()
    alerts: Sequence[Raised] = ()
    baseline: Decimal | None = None
    success: Success | None = None

    @property
    def days(self) -> list[date]:
        """Every day on which anything is known, in order."""
        told = {day for knee in self.knees for day in (*knee.worst, *knee.usual)}
        return sorted(
            told
            | {effort.on for effort in self.efforts}
            | {event.on for event in self.events}
            | {alert.on for alert in self.alerts}
        )


def success_line(baseline: Decimal, t: Thresholds) -> Success:
    """Where success begins for this baseline, as the stall rule judges it."""
    if baseline >= t.success_baseline_floor:
        limit = baseline - t.success_drop
    else:
        limit = baseline * (100 - t.success_drop_percent) / 100
    if limit < t.success_now_below:
        return Success(t.success_now_below, f"Success: below {t.success_now_below:f}")
    return Success(limit, f"Success: {pain(limit)} or less")


def gaps(days: Iterable[date], until: date) -> list[tuple[date, date]]:
    """(Last answer, next answer) where more than a week lies between; ``until`` ends the last one."""
    ordered = sorted(days)
    if not ordered:
        return []
    if until > ordered[-1]:
        ordered.append(until)
    return [(one, other) for one, other in pairwise(ordered) if (other - one).days > GAP_DAYS]


def weekly_km(course: Course) -> dict[int, Decimal]:
    """Distance run in each week since the start, in km; weeks before it are negative."""
    weeks: dict[int, Decimal] = defaultdict(Decimal)
    for effort in course.efforts:
        if effort.km is not None:
            weeks[(effort.on - course.started_on).days // 7] += effort.km
    return dict(sorted(weeks.items()))
