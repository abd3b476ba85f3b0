"""How far who keeps running may run, what one step of strength work is, and when the pain is back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.thresholds import DEFAULTS
from programs.rules.pain import Light, PainVerdict, Proposal
from programs.rules.progression import (
    DoseFacts,
    Pace,
    RunDone,
    StepFacts,
    StepKind,
    VolumeFacts,
    strength_step,
    volume_plan,
)
from programs.rules.relapse import WatchFacts, ends_on, relapse

START = date(2026, 1, 5)
WEEK = timedelta(days=7)


def run(week: int, light: Light = Light.GREEN, km: str = "5") -> RunDone:
    on = START + week * WEEK + timedelta(days=2)
    return RunDone(Decimal(km), PainVerdict(on, light, light, (), DEFAULTS))


def plan(weeks: int, *runs: RunDone, **facts: Any) -> list[tuple[str, Pace]]:
    about = VolumeFacts(base_km=Decimal(20), since=START, runs=runs, **facts)
    return [(str(w.limit_km), w.pace) for w in volume_plan(about, START + weeks * WEEK, DEFAULTS)]


def test_forty_per_cent_less_for_two_weeks_then_ten_more_while_green() -> None:
    found = plan(3, *(run(week) for week in range(4)))
    assert found == [("12.0", Pace.CUT), ("12.0", Pace.CUT), ("13.2", Pace.GREW), ("14.5", Pace.GREW)]


def test_a_red_run_takes_the_next_week_down_and_no_run_holds_it() -> None:
    assert plan(3, run(1, Light.RED))[2:] == [("10.8", Pace.EASED), ("10.8", Pace.HELD)]


def test_it_grows_no_further_than_before_the_pain() -> None:
    found = plan(4, *(run(week) for week in range(5)), full_km=Decimal(14))
    assert found[2:] == [("13.2", Pace.GREW), ("14", Pace.FULL), ("14", Pace.FULL)]


def test_a_paused_week_holds_the_limit() -> None:
    paused = frozenset({START + WEEK})
    assert plan(2, run(0), run(1), paused_days=paused)[2] == ("12.0", Pace.HELD)


@given(st.lists(st.sampled_from([Light.GREEN, Light.RED, Light.INCOMPLETE]), max_size=20))
def test_no_week_ever_allows_more_than_ten_per_cent_over_the_one_before(lights: list[Light]) -> None:
    about = VolumeFacts(Decimal(20), START, runs=tuple(run(n, light) for n, light in enumerate(lights)))
    limits = [w.limit_km for w in volume_plan(about, START + len(lights) * WEEK, DEFAULTS)]
    assert all(new <= old * Decimal("1.1") for old, new in pairwise(limits))


DOSES = (DoseFacts(1, "Wall sit", 5), DoseFacts(2, "Clamshell", 2, was_red=True), DoseFacts(3, "Walk", None))
FACTS = StepFacts(DOSES, gate_open=False, has_previous=True, overloaded=False)


def changes(proposal: Proposal, **facts: Any) -> tuple[StepKind, list[str]]:
    step = strength_step(proposal, replace(FACTS, **facts), DEFAULTS)
    return step.kind, [change.text for change in step.changes]


@pytest.mark.parametrize(
    ("proposal", "facts", "kind", "texts"),
    [
        (Proposal.HOLD, {}, StepKind.NOTHING, []),
        (Proposal.PROGRESS, {}, StepKind.SETS, ["Clamshell: 2 to 3 sets"]),
        (Proposal.PROGRESS, {"gate_open": True}, StepKind.STAGE_ON, []),
        (Proposal.EASE, {}, StepKind.SETS, ["Clamshell: 2 to 1 set"]),
        (Proposal.EASE, {"doses": DOSES[:1]}, StepKind.SETS, ["Wall sit: 5 to 4 sets"]),
        (Proposal.EASE, {"overloaded": True}, StepKind.STAGE_BACK, []),
        (
            Proposal.EASE,
            {"overloaded": True, "has_previous": False},
            StepKind.SETS,
            ["Clamshell: 2 to 1 set"],
        ),
        (Proposal.EASE, {"doses": (DoseFacts(1, "Plank", 1),)}, StepKind.NOTHING, []),
    ],
)
def test_one_step_of_strength_work(
    proposal: Proposal, facts: dict[str, Any], kind: StepKind, texts: list[str]
) -> None:
    assert changes(proposal, **facts) == (kind, texts)


@pytest.mark.parametrize(
    ("worst", "before", "active", "was", "keys"),
    [
        ("3", "1", None, None, {"pain"}),
        ("2.9", "0", None, None, set()),
        ("4.9", "3", None, None, set()),
        ("5", "3", None, None, {"pain"}),
        ("4", None, None, None, {"pain"}),
        ("3.9", None, None, None, set()),
        ("1", "1", False, True, {"activity"}),
        ("1", "1", False, None, set()),
        ("1", "1", False, False, set()),
        ("5", "1", False, True, {"pain", "activity"}),
    ],
)
def test_when_an_answer_says_that_the_pain_is_back(
    worst: str, before: str | None, active: bool | None, was: bool | None, keys: set[str]
) -> None:
    facts = WatchFacts(Decimal(worst), Decimal(before) if before else None, active, was)
    verdict = relapse(facts, DEFAULTS)
    assert (verdict.relapsed, verdict.keys) == (bool(keys), keys)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 3, 2), 6, date(2026, 9, 2)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
        (date(2026, 6, 30), 6, date(2026, 12, 30)),
    ],
)
def test_so_many_months_later(start: date, months: int, end: date) -> None:
    assert ends_on(start, months) == end
