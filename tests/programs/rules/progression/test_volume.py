"""The volume plan of who keeps running: what makes a week grow, hold or ease."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest

from clinic.thresholds import DEFAULTS
from programs.rules.pain import Activity, Light
from programs.rules.progression import Barred, RunDone, VolumeFacts, volume_plan
from tests.programs.rules.progression.facts import DAY0, on, verdict


def run(letter: str, day: int) -> RunDone:
    """A run: Green, Red, Incomplete, incomplete but red so far (X), Amber (as a clinic's own rule gives)."""
    found = verdict({"A": "G", "X": "I"}.get(letter, letter), day, Activity.RUN)
    if letter == "A":
        found = dataclasses.replace(found, light=Light.AMBER, at_best=Light.AMBER)
    if letter == "X":
        found = dataclasses.replace(found, at_best=Light.RED)
    return RunDone(Decimal(3), found)


@pytest.mark.parametrize(
    ("letters", "limit", "reason"),
    [
        ("G", "13.2", "green in the week before: 10 % more"),
        ("GI", "13.2", "green in the week before: 10 % more"),
        ("I", "12.0", "no green run in the week before"),
        ("II", "12.0", "no green run in the week before"),
        ("GA", "12.0", "an amber run in the week before"),
        ("", "12.0", "no run in the week before"),
        ("GR", "10.8", "a red run in the week before: one step less"),
        ("GX", "10.8", "a red run in the week before: one step less"),
    ],
)
def test_the_week_after_the_cut_grows_only_while_green(letters: str, limit: str, reason: str) -> None:
    runs = [run(letter, 7 + 2 * number) for number, letter in enumerate(letters)]
    week = volume_plan(VolumeFacts(Decimal(20), DAY0, runs=runs), on(14), DEFAULTS)[-1]
    assert (str(week.limit_km), week.reason) == (limit, reason)


def test_twelve_weeks_without_a_next_morning_grow_by_nothing() -> None:
    runs = [run("I", 7 * number) for number in range(12)]
    weeks = volume_plan(VolumeFacts(Decimal(20), DAY0, runs=runs), on(84), DEFAULTS)
    assert {str(week.limit_km) for week in weeks} == {"12.0"}


@pytest.mark.parametrize(
    ("since", "until", "held"),
    [
        (13, None, [14, 21]),
        (20, None, [14, 21]),
        (21, None, [21]),
        (15, 21, [14]),
        (15, 22, [14, 21]),
        (13, 14, []),
        (28, None, []),
    ],
)
def test_no_week_grows_in_which_an_alert_bars_it(since: int, until: int | None, held: list[int]) -> None:
    barred = Barred("worsening", on(since), None if until is None else on(until))
    runs = [run("G", 7 * number) for number in range(4)]
    weeks = volume_plan(VolumeFacts(Decimal(20), DAY0, runs=runs, barred=[barred]), on(27), DEFAULTS)
    assert [week.starts_on for week in weeks[2:] if week.pace == "held"] == [on(day) for day in held]
    assert {week.reason for week in weeks[2:] if week.pace == "held"} <= {"not resolved yet: worsening"}
