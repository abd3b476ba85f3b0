"""Slots of check-ins and digests around the odd days of the clock; clinic hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.thresholds import DEFAULTS, with_overrides
from programs.rules.schedule import (
    CheckInPlan,
    Slot,
    add_clinic_hours,
    after_downtime,
    digest_slot,
    local_date,
    missed_at,
    next_slot,
    reminder_at,
    slot_at,
)

AMSTERDAM, NEW_YORK, APIA, NUUK = "Europe/Amsterdam", "America/New_York", "Pacific/Apia", "America/Nuuk"
MON_WED_FRI = (1, 3, 5)
EVENING = time(18, 0)
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def plan(
    weekdays: tuple[int, ...] = MON_WED_FRI, at: time = EVENING, zone: str = AMSTERDAM, *, daily: bool = False
) -> CheckInPlan:
    return CheckInPlan(weekdays=weekdays, at=at, zone=zone, daily=daily)


# --- one local date and time


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        (AMSTERDAM, "2026-01-05", "18:00", "2026-01-05T17:00"),
        (AMSTERDAM, "2026-07-06", "18:00", "2026-07-06T16:00"),
        # gaps: the first instant after it, on the same local date
        (NEW_YORK, "2026-03-08", "02:30", "2026-03-08T07:00"),
        (NEW_YORK, "2026-03-08", "02:00", "2026-03-08T07:00"),
        (NEW_YORK, "2026-03-08", "03:00", "2026-03-08T07:00"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30"),  # a gap of half an hour
        ("America/Havana", "2026-03-08", "00:30", "2026-03-08T05:00"),  # no midnight on that date
        ("Asia/Beirut", "2026-03-29", "00:00", "2026-03-28T22:00"),
        (NUUK, "2024-03-30", "23:30", "2024-03-31T00:59"),  # the gap runs to midnight: the minute before it
        # overlaps: the first of the two
        (NEW_YORK, "2026-11-01", "01:30", "2026-11-01T05:30"),
        ("Europe/London", "2026-10-25", "01:00", "2026-10-25T00:00"),
        ("America/Havana", "2026-11-01", "00:30", "2026-11-01T04:30"),
        # a date the zone skipped, and its neighbours
        (APIA, "2011-12-29", "18:00", "2011-12-30T04:00"),
        (APIA, "2011-12-30", "18:00", None),
        (APIA, "2011-12-31", "18:00", "2011-12-31T04:00"),
    ],
)
def test_a_local_time_is_one_instant(zone: str, day: str, at: str, expected: str | None) -> None:
    found = slot_at(date.fromisoformat(day), time.fromisoformat(at), zone)

    assert found == (None if expected is None else utc(expected))


@pytest.mark.parametrize(
    ("instant", "zone", "expected"),
    [
        ("2026-01-05T23:30", AMSTERDAM, date(2026, 1, 6)),
        ("2026-01-05T23:30", NEW_YORK, date(2026, 1, 5)),
        ("2011-12-30T09:59", APIA, date(2011, 12, 29)),
        ("2011-12-30T10:00", APIA, date(2011, 12, 31)),
    ],
)
def test_the_local_date_of_an_instant(instant: str, zone: str, expected: date) -> None:
    assert local_date(utc(instant), zone) == expected


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        local_date(datetime(2026, 1, 5, 12), AMSTERDAM)  # noqa: DTZ001


# --- the next slot


@pytest.mark.parametrize(
    ("after", "expected_on"),
    [
        ("2026-01-05T16:59", date(2026, 1, 5)),  # Monday, an hour early in winter time
        ("2026-01-05T17:00", date(2026, 1, 7)),  # the slot itself has passed
        ("2026-01-09T17:00", date(2026, 1, 12)),  # Friday evening to Monday
    ],
)
def test_next_slot_is_the_next_selected_weekday(after: str, expected_on: date) -> None:
    assert next_slot(plan(), after=utc(after)).on == expected_on


def test_next_slot_has_its_instant_in_utc() -> None:
    assert next_slot(plan(), after=utc("2026-01-04T12:00")) == Slot(utc("2026-01-05T17:00"), date(2026, 1, 5))


def test_a_daily_plan_ignores_the_weekdays() -> None:
    assert next_slot(plan(daily=True), after=utc("2026-01-05T17:00")).on == date(2026, 1, 6)


def test_a_later_hour_on_a_date_already_asked_waits_for_the_next_date() -> None:
    later = plan(at=time(21, 0), daily=True)

    slot = next_slot(later, after=utc("2026-01-05T17:05"), last_date=date(2026, 1, 5))

    assert slot.on == date(2026, 1, 6)


def test_flying_west_does_not_ask_twice_for_one_local_date() -> None:
    asked = next_slot(plan(daily=True, zone="Asia/Tokyo"), after=utc("2026-01-05T08:00"))

    there = next_slot(plan(daily=True, zone="Pacific/Honolulu"), after=asked.at, last_date=asked.on)

    assert (asked.on, there.on) == (date(2026, 1, 5), date(2026, 1, 6))


def test_a_skipped_date_has_no_slot() -> None:
    fridays = plan(weekdays=(5,), zone=APIA)

    assert next_slot(fridays, after=utc("2011-12-24T12:00")).on == date(2012, 1, 6)


@pytest.mark.parametrize("weekdays", [(), (0,), (8,), (1, 9)])
def test_a_plan_without_proper_weekdays_is_refused(weekdays: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="weekdays"):
        plan(weekdays=weekdays)


# --- after a stop


def test_in_normal_running_the_one_passed_slot_is_asked_for() -> None:
    caught_up = after_downtime(plan(), due_at=utc("2026-01-05T17:00"), now=utc("2026-01-05T17:01"))

    assert caught_up.ask == Slot(utc("2026-01-05T17:00"), date(2026, 1, 5))
    assert caught_up.missed == ()
    assert caught_up.following.on == date(2026, 1, 7)


def test_before_its_time_nothing_is_asked() -> None:
    caught_up = after_downtime(plan(), due_at=utc("2026-01-05T17:00"), now=utc("2026-01-05T16:59"))

    assert (caught_up.ask, caught_up.missed) == (None, ())
    assert caught_up.following.on == date(2026, 1, 5)


def test_after_a_long_stop_one_is_asked_for_and_the_others_are_missed() -> None:
    caught_up = after_downtime(plan(), due_at=utc("2026-01-05T17:00"), now=utc("2026-01-13T09:00"))

    assert caught_up.ask is not None
    assert caught_up.ask.on == date(2026, 1, 12)
    assert [slot.on.day for slot in caught_up.missed] == [5, 7, 9]
    assert caught_up.following.on == date(2026, 1, 14)


def test_a_date_already_asked_for_is_not_caught_up_again() -> None:
    caught_up = after_downtime(
        plan(daily=True),
        due_at=utc("2026-01-05T17:00"),
        now=utc("2026-01-06T17:00"),
        last_date=date(2026, 1, 5),
    )

    assert caught_up.ask is not None
    assert (caught_up.ask.on, caught_up.missed) == (date(2026, 1, 6), ())


def test_an_asked_date_is_not_asked_again_when_now_is_still_before_its_slot() -> None:
    """The patient flew west after being asked: that slot comes round once more on the clock there."""
    west = plan(daily=True, zone="Pacific/Honolulu")

    caught_up = after_downtime(
        west, due_at=utc("2026-01-06T09:00"), now=utc("2026-01-05T12:00"), last_date=date(2026, 1, 5)
    )

    assert (caught_up.ask, caught_up.following.on) == (None, date(2026, 1, 6))


# --- reminders and missed check-ins


def test_reminder_and_missed_count_elapsed_hours_across_a_clock_change() -> None:
    asked = datetime(2026, 3, 28, 18, 0, tzinfo=ZoneInfo(AMSTERDAM))

    assert reminder_at(asked, DEFAULTS) == utc("2026-03-29T17:00")
    assert missed_at(asked, DEFAULTS) == utc("2026-03-30T17:00")


def test_reminder_hours_are_policy() -> None:
    quick = with_overrides({"remind_after_hours": 2, "missed_after_hours": 4})

    assert reminder_at(utc("2026-01-05T17:00"), quick) == utc("2026-01-05T19:00")
    assert missed_at(utc("2026-01-05T17:00"), quick) == utc("2026-01-05T21:00")


# --- the weekly digest


@pytest.mark.parametrize(
    ("now", "week", "due"),
    [
        ("2026-01-05T05:59", "2026-W02", False),  # Monday 06:59 in Amsterdam
        ("2026-01-05T06:00", "2026-W02", True),
        ("2026-01-11T22:59", "2026-W02", True),  # late, within the week
        ("2026-01-11T23:00", "2026-W03", False),  # Monday 00:00: another week
        ("2025-12-29T06:00", "2026-W01", True),  # the ISO year is not the calendar's
        ("2027-01-03T12:00", "2026-W53", True),
    ],
)
def test_a_digest_belongs_to_the_local_iso_week(now: str, week: str, due: bool) -> None:
    slot = digest_slot(utc(now), 1, time(7, 0), AMSTERDAM)

    assert (slot.week, slot.due) == (week, due)


def test_a_digest_may_have_another_day() -> None:
    slot = digest_slot(utc("2026-01-08T12:00"), 5, time(16, 30), AMSTERDAM)

    assert (slot.iso_year, slot.iso_week, slot.due) == (2026, 2, False)
    assert slot.at == utc("2026-01-09T15:30")


def test_a_digest_due_on_a_skipped_date_comes_on_the_next() -> None:
    slot = digest_slot(utc("2011-12-30T18:00"), 5, time(7, 0), APIA)

    assert (slot.at, slot.due) == (utc("2011-12-30T17:00"), True)


# --- clinic hours


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2026-01-05T09:00", 4, "2026-01-05T13:00"),  # Monday, in one day (Amsterdam is an hour ahead)
        ("2026-01-05T13:00", 4, "2026-01-05T17:00"),  # just before closing
        ("2026-01-05T15:00", 4, "2026-01-06T09:00"),  # two hours today, two tomorrow
        ("2026-01-09T16:00", 4, "2026-01-12T10:00"),  # Friday to Monday
        ("2026-01-10T12:00", 4, "2026-01-12T11:00"),  # Saturday counts from Monday's opening
        ("2026-01-05T03:00", 4, "2026-01-05T11:00"),  # before opening
        ("2026-01-05T20:00", 4, "2026-01-06T11:00"),  # after closing
        ("2026-01-05T07:00", 24, "2026-01-07T11:00"),
        ("2026-03-27T16:00", 4, "2026-03-30T09:00"),  # summer time starts on the Sunday between
    ],
)
def test_clinic_hours_run_while_the_clinic_is_open(start: str, hours: int, expected: str) -> None:
    assert add_clinic_hours(utc(start), hours, time(8), time(18), AMSTERDAM) == utc(expected)


def test_a_clinic_that_never_opens_is_refused() -> None:
    with pytest.raises(ValueError, match="closes"):
        add_clinic_hours(utc("2026-01-05T09:00"), 4, time(8), time(8), AMSTERDAM)


# --- for every zone

ZONES = st.sampled_from(
    [
        "Africa/Cairo",
        "Africa/Casablanca",
        "America/Asuncion",
        "America/Caracas",
        "America/Havana",
        "America/New_York",
        "America/Nuuk",
        "America/Sao_Paulo",
        "America/Scoresbysund",
        "America/St_Johns",
        "Antarctica/Troll",
        "Asia/Beirut",
        "Asia/Gaza",
        "Asia/Kathmandu",
        "Asia/Pyongyang",
        "Asia/Tehran",
        "Asia/Tokyo",
        "Atlantic/Azores",
        "Australia/Lord_Howe",
        "Europe/Amsterdam",
        "Europe/Lisbon",
        "Europe/London",
        "Pacific/Apia",
        "Pacific/Chatham",
        "Pacific/Fakaofo",
        "Pacific/Honolulu",
        "Pacific/Kiritimati",
        "Pacific/Norfolk",
        "UTC",
    ]
)
MINUTES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
STARTS = st.datetimes(datetime(1994, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
)
WEEKDAYS = st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days)))


@settings(max_examples=25, deadline=None)
@given(ZONES, STARTS | st.just(utc("2011-06-01T00:00")), MINUTES, WEEKDAYS, st.booleans())
def test_hourly_ticks_over_two_years_ask_once_on_every_selected_local_date(
    zone: str, start: datetime, at: time, weekdays: tuple[int, ...], daily: bool
) -> None:
    check_ins = plan(weekdays, at, zone, daily=daily)
    place = ZoneInfo(zone)
    following = next_slot(check_ins, after=start)
    asked: list[Slot] = []
    seen: set[date] = set()
    for tick in (start + number * HOUR for number in range(2 * 365 * 24)):
        seen.add(tick.astimezone(place).date())
        if following.at <= tick:
            last_date = asked[-1].on if asked else None
            caught_up = after_downtime(check_ins, due_at=following.at, now=tick, last_date=last_date)
            assert caught_up.ask is not None
            assert caught_up.missed == ()
            asked.append(caught_up.ask)
            following = caught_up.following

    edges = {min(seen), max(seen)}  # the slot may lie before the first tick or after the last
    expected = sorted(day for day in seen - edges if daily or day.isoweekday() in weekdays)
    assert [slot.on for slot in asked if slot.on not in edges] == expected
    assert all(earlier < later for earlier, later in pairwise(asked))
    assert all(local_date(slot.at, zone) == slot.on for slot in asked)


SIX_ZONES = {
    "Europe/Amsterdam": time(18, 0),
    "America/New_York": time(2, 30),  # in the gap, and twice in the overlap
    "America/Havana": time(0, 30),  # the gap is at midnight
    "Australia/Lord_Howe": time(1, 45),  # half an hour
    "Asia/Kathmandu": time(23, 59),
    "Pacific/Apia": time(18, 0),  # a date was skipped
}


@pytest.mark.parametrize(
    ("zone", "start"),
    [*((zone, "2026-01-01T00:00") for zone in SIX_ZONES), ("Pacific/Apia", "2011-01-01T00:00")],
)
def test_every_hour_of_two_years_asks_once_a_date_and_writes_one_digest_a_week(zone: str, start: str) -> None:
    ticks = [utc(start) + number * HOUR for number in range(2 * 365 * 24)]
    check_ins = plan(at=SIX_ZONES[zone], zone=zone, daily=True)
    following, asked = next_slot(check_ins, after=ticks[0]), list[date]()
    weeks, told = list[str](), list[str]()
    for tick in ticks:
        if following.at <= tick:
            last = asked[-1] if asked else None
            caught_up = after_downtime(check_ins, due_at=following.at, now=tick, last_date=last)
            assert caught_up.ask is not None
            assert caught_up.missed == ()
            asked.append(caught_up.ask.on)
            following = caught_up.following
        digest = digest_slot(tick, 1, time(7, 0), zone)
        if digest.week not in weeks[-1:]:
            weeks.append(digest.week)
        if digest.due and digest.week not in told[-1:]:
            told.append(digest.week)

    dates = sorted({tick.astimezone(ZoneInfo(zone)).date() for tick in ticks})
    assert [day for day in asked if dates[0] < day < dates[-1]] == dates[1:-1]
    assert len(asked) == len(set(asked))
    assert told == [week for week in weeks if week in told]  # in order, none twice
    assert weeks[1:-1] == [week for week in told if week not in (weeks[0], weeks[-1])]


@settings(max_examples=60, deadline=None)
@given(ZONES, st.dates(date(1994, 1, 1), date(2030, 1, 1)), MINUTES)
def test_a_slot_is_where_a_walk_through_the_day_minute_by_minute_finds_it(
    zone: str, day: date, at: time
) -> None:
    assert slot_at(day, at, zone) == walk(day, at, zone)


@pytest.mark.parametrize("zone", [NEW_YORK, NUUK, "Africa/Cairo", "America/Havana", "Australia/Lord_Howe"])
def test_the_walk_agrees_on_the_days_around_every_clock_change_of_a_year(zone: str) -> None:
    place = ZoneInfo(zone)
    year = [date(2025, 1, 1) + timedelta(days=number) for number in range(365)]
    offsets = [datetime.combine(day, time(12), place).utcoffset() for day in year]
    changes = [
        day for day, (before, after) in zip(year[1:], pairwise(offsets), strict=True) if before != after
    ]

    assert changes
    for change in changes:
        for day in (change - timedelta(days=1), change):
            for at in (time(0, 0), time(0, 30), time(1, 30), time(2, 15), time(2, 30), time(23, 30)):
                assert slot_at(day, at, zone) == walk(day, at, zone)


def walk(day: date, at: time, zone: str) -> datetime | None:
    """Every minute of the local date in turn: the first that shows ``at``, else is past it, else the last."""
    place = ZoneInfo(zone)
    start = datetime.combine(day, time(0), UTC) - 15 * HOUR
    minutes = (start + timedelta(minutes=number) for number in range(54 * 60))
    shown = [(m, m.astimezone(place).time()) for m in minutes if m.astimezone(place).date() == day]
    exact = [minute for minute, clock in shown if clock == at]
    past = [minute for minute, clock in shown if clock > at]
    return next(iter(exact + past), shown[-1][0] if shown else None)


@given(ZONES, STARTS, st.integers(1, 24), st.timedeltas(timedelta(0), timedelta(days=3)))
def test_clinic_hours_end_within_opening_hours_and_never_earlier_for_a_later_start(
    zone: str, start: datetime, hours: int, delay: timedelta
) -> None:
    end = add_clinic_hours(start, hours, time(8), time(18), zone)
    local = end.astimezone(ZoneInfo(zone))

    assert local.isoweekday() <= 5
    assert time(8) <= local.time() <= time(18)
    assert end - start >= timedelta(hours=hours)
    assert add_clinic_hours(start + delay, hours, time(8), time(18), zone) >= end
