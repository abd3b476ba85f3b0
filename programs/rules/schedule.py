"""When to ask, remind, give up, send and escalate: local times of an IANA zone, as UTC instants.

A check-in belongs to a local date and is asked exactly once on it, whatever the clock does: in a gap (the
slot's time does not exist) at the first instant after it, in an overlap (it comes twice) the first time.
Instants that come in must be aware; weekdays are ISO (Monday = 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from clinic.thresholds import Thresholds

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
WEEKDAYS = range(1, 8)
LAST_WORKING_DAY = 5
UNASKED_RECALL_DAYS = 1
"""A report of the patient's own, and a question that comes every day, look back 24 hours."""


def recall_days(*, daily: bool, thresholds: Thresholds) -> int:
    """Over how many days a check-in asks for the worst pain; daily ones overlap with none."""
    return UNASKED_RECALL_DAYS if daily else thresholds.check_in_recall_days


def recall_words(days: int) -> str:
    """ "24 hours", "3 days"."""
    return "24 hours" if days == 1 else f"{days} days"


@dataclass(frozen=True, slots=True)
class CheckInPlan:
    """When a program asks: ISO weekdays and local time in an IANA zone; ``daily`` overrules the weekdays.

    Raises:
        ValueError: no weekday, or one outside 1-7.
    """

    weekdays: tuple[int, ...]
    at: time
    zone: str
    daily: bool = False

    def __post_init__(self) -> None:
        if not self.weekdays or not set(self.weekdays) <= set(WEEKDAYS):
            raise ValueError(f"weekdays: expected some of 1 (Monday) to 7 (Sunday), got {self.weekdays}")

    def asks_on(self, day: date) -> bool:
        """Whether the day is one of the plan's."""
        return self.daily or day.isoweekday() in self.weekdays


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One check-in: the instant to ask at (UTC) and the local date it is for."""

    at: datetime
    on: date


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What a sweep does for one program: ask for one slot at most, store others as missed without mail.

    ``following`` is the next slot after now: the program's new due time.
    """

    ask: Slot | None
    missed: tuple[Slot, ...]
    following: Slot


@dataclass(frozen=True, slots=True)
class DigestSlot:
    """The digest of one ISO week; ``at`` is None where the zone skipped the rest of that week."""

    iso_year: int
    iso_week: int
    at: datetime | None
    due: bool

    @property
    def week(self) -> str:
        """Key of the week, such as 2026-W09."""
        return f"{self.iso_year}-W{self.iso_week:02d}"


def local_date(instant: datetime, zone: str) -> date:
    """The date on a wall calendar in the zone at that instant."""
    return _utc(instant).astimezone(ZoneInfo(zone)).date()


def slot_at(day: date, at: time, zone: str) -> datetime | None:
    """The one instant (UTC) that stands for a local date and time.

    A time that comes twice means the first. A time that does not exist means the first instant after the gap;
    where that is the next date already, the last minute before the gap. None where the zone skipped the whole
    date (Pacific/Apia, 30 December 2011).
    """
    place = ZoneInfo(zone)
    wall = datetime.combine(day, at)
    instant = wall.replace(tzinfo=place).astimezone(UTC)
    if _wall(instant, place) == wall:
        return instant
    gap_ends = _end_of_gap(wall, place)
    candidates = (gap_ends, gap_ends - MINUTE)
    return next((found for found in candidates if _wall(found, place).date() == day), None)


def next_slot(plan: CheckInPlan, *, after: datetime, last_date: date | None = None) -> Slot:
    """The first slot later than ``after`` and, if given, on a later local date than ``last_date``.

    ``last_date`` is the local date last asked for: a patient who changes zone or time is not asked twice.
    """
    return next(_slots(plan, after=_utc(after), last_date=last_date))


def after_downtime(
    plan: CheckInPlan, *, due_at: datetime, now: datetime, last_date: date | None = None
) -> CatchUp:
    """What is due at ``now`` when the program's next slot was ``due_at``.

    Of the slots from ``due_at`` to ``now`` only the latest is asked for, the earlier ones are missed. In
    normal running exactly one has passed.
    """
    slots = _slots(plan, after=_utc(due_at) - datetime.resolution, last_date=last_date)
    passed = list(takewhile(lambda slot: slot.at <= _utc(now), slots))
    newest = passed[-1].on if passed else last_date
    following = next_slot(plan, after=now, last_date=newest)
    return CatchUp(ask=passed[-1] if passed else None, missed=tuple(passed[:-1]), following=following)


def reminder_at(asked_at: datetime, thresholds: Thresholds) -> datetime:
    """When to remind of a check-in that is still unanswered."""
    return _utc(asked_at) + timedelta(hours=thresholds.remind_after_hours)


def missed_at(asked_at: datetime, thresholds: Thresholds) -> datetime:
    """When a check-in that is still unanswered counts as missed."""
    return _utc(asked_at) + timedelta(hours=thresholds.missed_after_hours)


def digest_slot(now: datetime, weekday: int, at: time, zone: str) -> DigestSlot:
    """The digest of the local ISO week that ``now`` is in, and whether its time has come.

    Late only within the same week: another week is another slot. A date the zone skipped moves it to the
    next that exists.
    """
    iso = local_date(now, zone).isocalendar()
    days = (date.fromisocalendar(iso.year, iso.week, number) for number in range(weekday, WEEKDAYS.stop))
    found = next((instant for day in days if (instant := slot_at(day, at, zone))), None)
    return DigestSlot(iso.year, iso.week, found, due=found is not None and found <= now)


def add_clinic_hours(start: datetime, hours: int, opens: time, closes: time, zone: str) -> datetime:
    """The instant (UTC) by which the clinic has been open for so many hours since ``start``.

    The clinic is open Monday to Friday from ``opens`` to ``closes``, local time.

    Raises:
        ValueError: the clinic closes before it opens.
    """
    if not opens < closes:
        raise ValueError(f"closes: expected a time after {opens}, got {closes}")
    left, day = timedelta(hours=hours), local_date(start, zone)
    while True:
        opening, closing = slot_at(day, opens, zone), slot_at(day, closes, zone)
        if opening and closing and day.isoweekday() <= LAST_WORKING_DAY:
            begin = max(opening, _utc(start))
            if begin + left <= closing:
                return begin + left
            left -= max(closing - begin, timedelta())
        day += DAY


def _slots(plan: CheckInPlan, *, after: datetime, last_date: date | None) -> Iterator[Slot]:
    """Slots later than ``after``, in order, without end."""
    day = local_date(after, plan.zone)
    if last_date is not None:
        day = max(day, last_date + DAY)
    while True:
        if plan.asks_on(day) and (at := slot_at(day, plan.at, plan.zone)) and at > after:
            yield Slot(at, day)
        day += DAY


def _end_of_gap(wall: datetime, place: ZoneInfo) -> datetime:
    """The instant at which the clocks jumped over ``wall``, to the second.

    Read with the offset from before the jump, the time lies after it, and the other way round (PEP 495): the
    jump is between the two.
    """
    late = wall.replace(tzinfo=place, fold=0).astimezone(UTC)
    early = wall.replace(tzinfo=place, fold=1).astimezone(UTC)
    offset_after = late.astimezone(place).utcoffset()
    while late - early > SECOND:
        middle = early + (late - early) // SECOND // 2 * SECOND
        if middle.astimezone(place).utcoffset() == offset_after:
            late = middle
        else:
            early = middle
    return late


def _wall(instant: datetime, place: ZoneInfo) -> datetime:
    """What the clocks there show."""
    return instant.astimezone(place).replace(tzinfo=None, fold=0)


def _utc(instant: datetime) -> datetime:
    """The same instant in UTC, where adding hours means elapsed hours."""
    if instant.tzinfo is None:
        raise ValueError(f"expected an instant with a time zone, got {instant}")
    return instant.astimezone(UTC)
