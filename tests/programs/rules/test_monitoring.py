"""The counters of remote monitoring, against days and months counted by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.thresholds import Thresholds
from programs.rules.monitoring import Contact, count

TODAY = date(2026, 3, 15)
DAY = timedelta(days=1)


def last(days: int) -> set[date]:
    return {TODAY - n * DAY for n in range(days)}


@pytest.mark.parametrize(
    ("days", "counted", "band"),
    [
        (set(), 0, "below 2 days"),
        (last(1), 1, "below 2 days"),
        (last(2), 2, "2-15 days"),
        (last(15), 15, "2-15 days"),
        (last(16), 16, "16-30 days"),
        (last(30), 30, "16-30 days"),
        (last(31), 30, "16-30 days"),
        ({TODAY - 29 * DAY, TODAY - 30 * DAY, TODAY + DAY}, 1, "below 2 days"),
    ],
)
def test_days_with_data_in_the_rolling_period(days: set[date], counted: int, band: str) -> None:
    found = count(days, [], TODAY, Thresholds())
    assert (found.data_days, found.band) == (counted, band)
    assert (found.since, found.until) == (date(2026, 2, 14), TODAY)


def test_minutes_and_live_contacts_of_the_calendar_month() -> None:
    contacts = [
        Contact(date(2026, 2, 28), 60, True),  # last month
        Contact(date(2026, 3, 1), 12, True),
        Contact(date(2026, 3, 15), 9, False),
        Contact(date(2026, 3, 15), None, True),
        Contact(date(2026, 3, 16), 30, True),  # not yet
    ]
    found = count(set(), contacts, TODAY, Thresholds())
    assert (found.minutes, found.untimed, found.live_contacts) == (21, 1, 2)
    assert found.month == date(2026, 3, 1)


def test_the_rule_is_said_with_the_clinics_figures_and_nothing_is_called_billable() -> None:
    found = count(last(3), [], TODAY, Thresholds(monitoring_period_days=28, monitoring_few_days=4))
    assert "last 28 days" in found.days_rule
    assert found.band == "below 4 days"
    assert "bill" not in f"{found.days_rule}{found.month_rule}".lower()


@given(st.sets(st.integers(-5, 60)))
def test_never_more_days_than_the_period_has(offsets: set[int]) -> None:
    found = count({TODAY - n * DAY for n in offsets}, [], TODAY, Thresholds())
    assert found.data_days == len({n for n in offsets if 0 <= n < 30})
