"""Locks open in order, the ladder climbs at most once a week, and what a run goes against is a fact."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.thresholds import DEFAULTS
from patients.vocabulary import RunningTrack
from programs.rules.progression import (
    LadderFacts,
    LadderMove,
    Move,
    Opening,
    Terrain,
    against,
    change_step,
    locks,
    next_terrain,
    start_ladder,
)
from programs.rules.progression.terrain import Against, Ground

TODAY = date(2026, 3, 2)
DAY = timedelta(days=1)
STOPPED, STILL = RunningTrack.STOPPED, RunningTrack.STILL_RUNNING


def opened(ground: Ground) -> list[Terrain]:
    return [lock.terrain for lock in locks(ground) if lock.open]


@pytest.mark.parametrize(
    ("ground", "open_now"),
    [
        (Ground(STOPPED), 0),
        (Ground(STOPPED, 1), 1),
        (Ground(STOPPED, 8), 1),
        (Ground(STOPPED, 9), 2),
        (Ground(STOPPED, 10), 3),
        (Ground(STOPPED, 11), 4),
        (Ground(STILL), 2),
        (Ground(STILL, opened=Terrain.DOWNHILLS), 3),
        (Ground(STILL, opened=Terrain.SPEED), 4),
        (Ground(RunningTrack.NOT_A_RUNNER), 0),
    ],
)
def test_flat_then_hills_then_downhills_then_speed(ground: Ground, open_now: int) -> None:
    assert opened(ground) == list(Terrain)[:open_now]


def test_who_keeps_running_opens_downhills_next_and_speed_last() -> None:
    assert next_terrain(Ground(STILL)) is Terrain.DOWNHILLS
    assert next_terrain(Ground(STILL, opened=Terrain.DOWNHILLS)) is Terrain.SPEED
    assert next_terrain(Ground(STILL, opened=Terrain.SPEED)) is None


@pytest.mark.parametrize(
    ("ground", "about", "found"),
    [
        (Ground(STOPPED, 5), {}, ()),
        (Ground(STOPPED, 5), {"terrain": [Terrain.HILLS]}, (Against.HILLS,)),
        (Ground(STOPPED, 9), {"terrain": [Terrain.HILLS]}, ()),
        (Ground(STOPPED, 9), {"terrain": [Terrain.SPEED, Terrain.DOWNHILLS]}, ("downhills", "speed")),
        (Ground(STOPPED), {"terrain": [Terrain.HILLS]}, (Against.NOT_OPENED,)),
        (Ground(STOPPED, 5), {"other_runs": [TODAY - DAY]}, (Against.DAY_AFTER_DAY,)),
        (Ground(STOPPED, 5), {"other_runs": [TODAY - n * DAY for n in (2, 4, 6)]}, (Against.TOO_MANY,)),
        (Ground(STOPPED, 5), {"other_runs": [TODAY - n * DAY for n in (2, 4, 7)]}, ()),
        (Ground(STOPPED, 5), {"on_hold": True}, (Against.ON_HOLD,)),
        (Ground(STILL), {"terrain": [Terrain.HILLS], "other_runs": [TODAY - DAY]}, ()),
        (Ground(STILL), {"terrain": [Terrain.SPEED]}, (Against.SPEED,)),
        (Ground(RunningTrack.NOT_A_RUNNER), {"terrain": [Terrain.SPEED]}, ()),
    ],
)
def test_what_a_run_goes_against(ground: Ground, about: dict[str, Any], found: tuple[str, ...]) -> None:
    usual: dict[str, Any] = {"terrain": [], "other_runs": [], "on_hold": False}
    assert against(ground, on=TODAY, thresholds=DEFAULTS, **{**usual, **about}) == found


def test_the_ladder_starts_with_its_first_step_and_symptom_free_or_with_a_reason() -> None:
    shut = Opening(False, ("5 of the last 7 days answered, 6 of 7 needed",), DEFAULTS)
    assert start_ladder(2, shut).refused
    assert start_ladder(1, shut).against == shut.reasons
    assert start_ladder(1, Opening(True, ("met",), DEFAULTS)).against == ()


def move(kind: Move, step: int) -> LadderMove:
    return LadderMove(kind, step, TODAY, ("0 of 2 green runs on this step",), DEFAULTS)


@pytest.mark.parametrize(
    ("to_step", "proposed", "since", "refused", "reasoned"),
    [
        (6, Move.UP, 7, False, False),
        (6, Move.REPEAT, 7, False, True),
        (6, Move.UP, 6, True, False),
        (7, Move.UP, 30, True, False),
        (12, Move.UP, 30, True, False),
        (0, Move.DOWN, 30, True, False),
        (2, Move.UP, 1, False, False),
        (None, Move.UP, 1, False, False),
    ],
)
def test_up_by_one_once_a_week_down_whenever(
    to_step: int | None, proposed: Move, since: int, refused: bool, reasoned: bool
) -> None:
    facts = LadderFacts(5, TODAY - since * DAY)
    change = change_step(facts, to_step, move(proposed, 6), TODAY, DEFAULTS)
    assert (bool(change.refused), bool(change.against)) == (refused, reasoned)


WISHES = st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(-1, 13))), max_size=80)


@given(WISHES)
def test_whatever_is_wished_the_step_rises_by_one_at_most_once_a_week_and_no_lock_opens_out_of_order(
    wishes: list[tuple[int, int | None]],
) -> None:
    today, step, since = TODAY, None, TODAY
    rises: list[date] = []
    for days, wish in wishes:
        today += days * DAY
        if step is None:
            change = start_ladder(wish or 0, Opening(False, ("not met",), DEFAULTS))
        else:
            change = change_step(LadderFacts(step, since), wish, move(Move.REPEAT, step), today, DEFAULTS)
        if change.refused or wish == step:
            continue
        if step is not None and wish is not None and wish > step:
            assert wish == step + 1
            rises.append(today)
        step, since = wish, today
        open_now = opened(Ground(STOPPED, step))
        assert open_now == list(Terrain)[: len(open_now)]
    assert all(later - earlier >= 7 * DAY for earlier, later in pairwise(rises))
