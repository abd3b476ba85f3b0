"""The figures of a caseload and their change."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.rules.caseload import Snapshot, figures


def test_the_figures_of_a_clinic_worked_by_hand() -> None:
    now = Snapshot(
        active=20,
        states={"on_track": 7, "stalled": 2, "stalling": 1, "watch": 3, "insufficient_data": 1}
        | {"too_early": 4, "paused": 1, "on_hold": 1},
        sessions_done=85,
        sessions_due=120,
        success_weeks={4: 2, 6: 1, 7: 1},
        alerts={"not_doing": 2, "red_flag": 1},
    )
    before = Snapshot(
        active=18,
        states={"on_track": 4, "stalled": 6},
        sessions_done=60,
        sessions_due=100,
        success_weeks={5: 1},
        alerts={"silent": 3, "not_doing": 1},
    )

    found = figures(now, before)

    assert (found.active.now, found.active.change) == (20, 2)
    assert (found.responding.now, found.responding.before) == (50, 40)
    assert (found.weeks_to_success.now, found.weeks_to_success.change) == (5, 0)
    assert (found.adherence.now, found.adherence.change) == (71, 11)
    assert list(found.alerts) == ["not_doing", "red_flag", "silent"]
    assert [figure.change for figure in found.alerts.values()] == [1, 1, -3]


def test_where_nothing_was_judged_there_is_no_figure_and_no_change() -> None:
    found = figures(Snapshot(states={"too_early": 3, "paused": 2, "on_hold": 1}), Snapshot())
    assert (found.responding.now, found.adherence.now, found.weeks_to_success.now) == (None, None, None)
    assert (found.responding.change, found.active.change) == (None, 0)


@pytest.mark.parametrize(("done", "due", "percent"), [(1, 2, 50), (1, 8, 13), (1, 3, 33), (9, 8, 113)])
def test_percent_is_whole_and_half_up(done, due, percent) -> None:
    now = Snapshot(sessions_done=done, sessions_due=due)
    assert figures(now, now).adherence.now == percent


@given(st.lists(st.integers(0, 30), min_size=1, max_size=20))
def test_the_median_is_that_of_the_cases(weeks: list[int]) -> None:
    day = Snapshot(success_weeks=Counter(weeks))
    assert figures(day, day).weeks_to_success.now == Decimal(str(median(weeks)))
