"""Where a runner may run: flat ground first, then hills, then downhills, then speed (S0: "hills last;
downhills very last"). A lock never opens before the ones ahead of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from clinic.thresholds import Thresholds
from patients.vocabulary import RunningTrack, Term

HILLS_FROM, DOWNHILLS_FROM, SPEED_FROM = 9, 10, 11
"""Steps of the ladder; all before them are on flat ground."""


class Terrain(Term):
    """In the order in which they open."""

    FLAT = "flat"
    HILLS = "hills"
    DOWNHILLS = "downhills"
    SPEED = "speed"


OPENS_AT: dict[Terrain, int] = {
    Terrain.FLAT: 1,
    Terrain.HILLS: HILLS_FROM,
    Terrain.DOWNHILLS: DOWNHILLS_FROM,
    Terrain.SPEED: SPEED_FROM,
}

START_OF_STILL_RUNNING = Terrain.HILLS
"""Who keeps running leaves out steep downhills and intervals (S0); that hills stay is our default."""


class Against(Term):
    """What a run went against on the day it was told; a fact for the clinician, no verdict."""

    ON_HOLD = "on_hold"
    NOT_OPENED = "not_opened"
    HILLS = "hills"
    DOWNHILLS = "downhills"
    SPEED = "speed"
    DAY_AFTER_DAY = "day_after_day"
    TOO_MANY = "too_many"


AGAINST_TEXTS: dict[str, str] = {
    Against.ON_HOLD: "the program was on hold",
    Against.NOT_OPENED: "running was not opened yet",
    Against.HILLS: "hills were locked",
    Against.DOWNHILLS: "downhills were locked",
    Against.SPEED: "speed was locked",
    Against.DAY_AFTER_DAY: "on the day next to another run",
    Against.TOO_MANY: "more runs in 7 days than the ladder allows",
}


@dataclass(frozen=True, slots=True)
class Lock:
    """One kind of running, whether it is open, and what opens it."""

    terrain: Terrain
    open: bool
    opens: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What is open to a runner at a moment.

    ``step`` is that of the ladder, None off it; ``opened`` the last lock a clinician opened for who keeps
    running, None before the first.
    """

    track: RunningTrack
    step: int | None = None
    opened: Terrain | None = None


def locks(ground: Ground) -> tuple[Lock, ...]:
    """All four in order; none for who does not run."""
    match ground.track:
        case RunningTrack.NOT_A_RUNNER:
            return ()
        case RunningTrack.STOPPED:
            step = ground.step or 0
            return tuple(
                Lock(terrain, step >= opens, f"opens with step {opens}")
                for terrain, opens in OPENS_AT.items()
            )
        case RunningTrack.STILL_RUNNING:
            last = _order(ground.opened or START_OF_STILL_RUNNING)
            return tuple(
                Lock(terrain, _order(terrain) <= last, "your physio opens it, one after the other")
                for terrain in Terrain
            )
    assert_never(ground.track)


def next_terrain(ground: Ground) -> Terrain | None:
    """The first lock that is shut; None if all are open."""
    return next((lock.terrain for lock in locks(ground) if not lock.open), None)


def against(
    ground: Ground,
    *,
    on: date,
    terrain: Sequence[Terrain],
    other_runs: Sequence[date],
    on_hold: bool,
    thresholds: Thresholds,
) -> tuple[Against, ...]:
    """What a run of that day goes against; ``other_runs`` are the dates of the others.

    How many runs a week, and never day after day, are the ladder's limits: who keeps running has none.
    """
    if ground.track is RunningTrack.NOT_A_RUNNER:
        return (Against.ON_HOLD,) if on_hold else ()
    found = [Against.ON_HOLD] if on_hold else []
    shut = {lock.terrain for lock in locks(ground) if not lock.open}
    if Terrain.FLAT in shut:
        return (*found, Against.NOT_OPENED)
    found += [Against(place.value) for place in Terrain if place in shut and place in terrain]
    if ground.track is RunningTrack.STOPPED:
        if any(abs((other - on).days) <= 1 for other in other_runs):
            found.append(Against.DAY_AFTER_DAY)
        if sum(0 <= (on - other).days < 7 for other in other_runs) >= thresholds.ladder_max_runs_per_week:
            found.append(Against.TOO_MANY)
    return tuple(found)


def _order(terrain: Terrain) -> int:
    return list(Terrain).index(terrain)
