"""Which days count, and the pain of those days: clock, daily values, medians, baseline, now.

A "day" of clinical.md is an unpaused day. A value given on a paused day is charted, but enters neither
baseline nor now. All arithmetic is exact: Decimal tenths, medians of an even number in hundredths.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from clinic.thresholds import Thresholds
from programs.rules.stall.facts import CaseFacts, CheckInRequest, Knee, Pause

ONE_DAY = timedelta(days=1)
DAYS_PER_WEEK = 7

DailyValues = dict[date, Decimal]


class Timeline:
    """The unpaused days of a case, from its start to the day under review (both included)."""

    def __init__(
        self, *, started_on: date, clock_started_on: date, pauses: Iterable[Pause], today: date
    ) -> None:
        self.started_on = started_on
        self.clock_started_on = clock_started_on
        self.today = today
        self.spans = merged_pauses(pauses, until=today)

    @classmethod
    def of(cls, facts: CaseFacts, today: date) -> Timeline:
        return cls(
            started_on=facts.started_on,
            clock_started_on=facts.clock_started_on,
            pauses=facts.pauses,
            today=today,
        )

    @cached_property
    def days(self) -> tuple[date, ...]:
        """Unpaused dates, ascending; a date's index is its day number in the case."""
        paused = {day for start, back in self.spans for day in date_range(start, back)}
        every = date_range(self.started_on, self.today + ONE_DAY)
        return tuple(day for day in every if day not in paused)

    def case_day(self, on: date) -> int:
        """Unpaused days from the start of the case to ``on``, ``on`` itself not counted."""
        return bisect_left(self.days, on)

    @property
    def clock_day(self) -> int:
        """Day of the trial under way, on the day under review: 0 on its first day."""
        return max(0, self.case_day(self.today) - self.case_day(self.clock_started_on))

    @property
    def paused_days(self) -> int:
        """Paused days since the clock started, the day under review included."""
        elapsed = max(0, (self.today - self.clock_started_on).days + 1)
        return elapsed - (len(self.days) - self.case_day(self.clock_started_on))

    def last_days(self, count: int, *, until: date, not_before: date | None = None) -> tuple[date, ...]:
        """The last ``count`` unpaused days up to and including ``until``, ascending."""
        end = bisect_left(self.days, until + ONE_DAY)
        begin = max(0, end - count)
        if not_before is not None:
            begin = max(begin, bisect_left(self.days, not_before))
        return self.days[begin:end]

    def resumed_on(self, until: date, thresholds: Thresholds) -> date | None:
        """The first day back from a long pause, while ``until`` still lies in the time after it."""
        for start, back in reversed(self.spans):
            is_long = (back - start).days > thresholds.long_pause_days
            if is_long and 0 <= (until - back).days < thresholds.resuming_days:
                return back
        return None


def merged_pauses(pauses: Iterable[Pause], *, until: date) -> list[tuple[date, date]]:
    """(First paused day, first day back) each, touching ones joined; an open one lasts past ``until``."""
    spans: list[tuple[date, date]] = []
    closed = ((p.start, p.resumed_on or max(p.start, until) + ONE_DAY) for p in pauses)
    for start, back in sorted(span for span in closed if span[0] < span[1]):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], back))
        else:
            spans.append((start, back))
    return spans


def date_range(start: date, stop: date) -> Iterable[date]:
    """Dates from ``start`` up to, not including, ``stop``."""
    return (start + timedelta(days=n) for n in range((stop - start).days))


def median(values: Sequence[Decimal]) -> Decimal:
    """Exact median; of an even number, the mean of the middle two. ValueError if there is none."""
    if not values:
        raise ValueError("median of no values")
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def daily_worst(knee: Knee, until: date) -> DailyValues:
    """The worst pain of each answered day up to ``until``: the maximum of that day's answers."""
    values: DailyValues = {}
    for answer in knee.answers:
        if answer.on <= until:
            values[answer.on] = max(answer.worst, values.get(answer.on, answer.worst))
    return values


def pick(values: DailyValues, days: Iterable[date]) -> list[Decimal]:
    return [values[day] for day in days if day in values]


class BaselineSource(StrEnum):
    FIRST_WEEK = "first_week"
    INTAKE = "intake"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Baseline:
    """Where the case started: NPRS, and the days (``days`` of them answered) it was measured over."""

    value: Decimal
    source: BaselineSource
    days: int
    first: date
    last: date
    recall_days: int | None = None

    @property
    def late(self) -> bool:
        return self.source is BaselineSource.LATE


def find_baseline(knee: Knee, values: DailyValues, timeline: Timeline, t: Thresholds) -> Baseline | None:
    """First week; else the intake; else the first span of a week that holds enough days; else None.

    The late span is the first in time, so it ends with the answer that makes it sufficient: later
    answers do not move it.
    """
    return (
        _span_baseline(values, timeline, 0, BaselineSource.FIRST_WEEK, t)
        or _intake_baseline(knee, timeline, t)
        or _late_baseline(values, timeline, t)
    )


def _span_baseline(
    values: DailyValues, timeline: Timeline, first_day: int, source: BaselineSource, t: Thresholds
) -> Baseline | None:
    span = timeline.days[first_day : first_day + t.baseline_days]
    found = pick(values, span)
    if len(found) < t.baseline_min_days:
        return None
    return Baseline(median(found), source, len(found), span[0], span[-1])


def _intake_baseline(knee: Knee, timeline: Timeline, t: Thresholds) -> Baseline | None:
    intake = knee.intake
    if intake is None:
        return None
    age = (timeline.started_on - intake.on).days
    if not 0 <= age <= t.intake_max_age_days:
        return None
    return Baseline(intake.worst, BaselineSource.INTAKE, 1, intake.on, intake.on, intake.recall_days)


def _late_baseline(values: DailyValues, timeline: Timeline, t: Thresholds) -> Baseline | None:
    for first_day in range(1, t.late_baseline_last_start_day + 1):
        found = _span_baseline(values, timeline, first_day, BaselineSource.LATE, t)
        if found:
            return found
    return None


@dataclass(frozen=True, slots=True)
class PainNow:
    """The pain of the window that ends on a day, and whether it may be judged.

    ``value`` is the median of the ``days`` answered, None if there is none; ``enough`` says whether the
    window holds the days and the share of answers a verdict needs; ``resuming``: cut short by a long pause.
    """

    value: Decimal | None
    days: int
    requests_due: int
    requests_answered: int
    window: tuple[date, ...]
    enough: bool
    resuming: bool

    @property
    def judged(self) -> Decimal | None:
        """The value a verdict may rest on: None where the answers are too few."""
        return self.value if self.enough else None


def pain_now(
    values: DailyValues, requests: Iterable[CheckInRequest], timeline: Timeline, until: date, t: Thresholds
) -> PainNow:
    """Pain over the last unpaused days, ``until`` included; after a long pause, only days since it."""
    resumed_on = timeline.resumed_on(until, t)
    window = timeline.last_days(t.now_window_days, until=until, not_before=resumed_on)
    found = pick(values, window)
    due, answered = _count_requests(requests, set(window), until)
    enough = len(found) >= t.now_min_days and answered * 100 >= due * t.now_min_answered_percent
    return PainNow(
        value=median(found) if found else None,
        days=len(found),
        requests_due=due,
        requests_answered=answered,
        window=window,
        enough=enough,
        resuming=resumed_on is not None,
    )


def _count_requests(requests: Iterable[CheckInRequest], days: set[date], until: date) -> tuple[int, int]:
    """Requests of those days, as of ``until``: due (answered, or past the missed time), and answered."""
    due = answered = 0
    for request in requests:
        if request.due_on not in days:
            continue
        if request.answered_on is not None and request.answered_on <= until:
            due, answered = due + 1, answered + 1
        elif request.missed_on <= until:
            due += 1
    return due, answered
