"""Sessions by week against what was prescribed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from programs.rules.adherence import Adherence, DayState, adherence

START = date(2026, 1, 7)


def on(day: int) -> date:
    return START + timedelta(days=day)


def judged(done: list[int], *, today: int = 14, off: list[int] | None = None, per_week: int = 3) -> Adherence:
    return adherence(
        started_on=START,
        today=on(today),
        sessions=[on(day) for day in done],
        days_off=frozenset(on(day) for day in off or []),
        prescribed=[(START, per_week)],
        floor=2,
    )


def test_weeks_begin_on_the_weekday_of_the_start() -> None:
    first, second, third = judged([0, 6, 7]).weeks

    assert [week.done for week in (first, second, third)] == [2, 1, 0]
    assert first.days[0].on == START
    assert [day.state for day in first.days] == [DayState.DONE, *[DayState.NONE] * 5, DayState.DONE]


def test_a_week_misses_the_difference_once_it_is_over() -> None:
    first, second, third = judged([0, 2, 8]).weeks

    assert [(week.missed, week.words) for week in (first, second, third)] == [
        (1, "2 of 3, 1 missed"),
        (2, "1 of 3, 2 missed"),
        (0, "0 of 3 so far"),
    ]


@pytest.mark.parametrize(("today", "over"), [(6, False), (7, True)])
def test_the_last_day_of_a_week_is_still_part_of_it(today: int, over: bool) -> None:
    assert judged([], today=today).weeks[0].is_over is over


def test_more_sessions_than_prescribed_make_up_for_no_other_week() -> None:
    assert [week.missed for week in judged([0, 1, 2, 3, 4]).weeks[:2]] == [0, 3]


@pytest.mark.parametrize(("days_off", "prescribed"), [(0, 3), (1, 2), (3, 1), (5, 0), (7, 0)])
def test_days_off_make_a_week_shorter(days_off: int, prescribed: int) -> None:
    assert judged([], off=list(range(days_off))).weeks[0].prescribed == prescribed


def test_a_week_off_counts_in_no_average() -> None:
    found = judged([0, 1, 2], off=list(range(7, 14)))

    assert (found.weeks[1].words, found.per_week) == ("paused", Decimal(3))
    assert found.summary == "3 of 3 strength sessions (100 %) in 1 full week; 7 days did not count."


def test_a_session_on_a_day_off_is_a_session() -> None:
    assert judged([8], off=list(range(7, 14))).weeks[1].days[1].state is DayState.DONE


def test_each_week_asks_for_what_the_program_of_that_week_prescribes() -> None:
    found = adherence(
        started_on=START,
        today=on(20),
        sessions=[],
        days_off=frozenset(),
        prescribed=[(START, 3), (on(14), 2)],
        floor=2,
    )

    assert [week.prescribed for week in found.weeks] == [3, 3, 2]


def test_the_summary_names_the_weeks_below_the_floor() -> None:
    assert judged([0, 1, 7]).summary == (
        "3 of 6 strength sessions (50 %) in 2 full weeks; below the floor of 2 in week 1."
    )
    assert judged([], today=3).summary == "The first week is not over yet."
    assert judged([0, 1, 7]).per_week == Decimal("1.5")
    assert judged([], today=3).per_week is None
