"""The two running tracks and the ladder: hand-worked cases, and what must hold for all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.thresholds import DEFAULTS, with_overrides
from patients.vocabulary import RunningTrack
from programs.rules.pain import Activity, Light
from programs.rules.progression import (
    LADDER,
    LadderFacts,
    LadderMove,
    LadderRun,
    Move,
    RunnerFacts,
    ladder_opening,
    next_ladder_move,
    running_track,
)
from tests.programs.rules.progression.facts import DAY0, DAYS, RUN_VERDICTS, daily, on, verdict, zeros

STOPPED = RunningTrack.STOPPED


# --- the two tracks


@pytest.mark.parametrize(
    ("pain", "limping", "days_off", "track", "reason"),
    [
        ("3", False, 2, RunningTrack.STILL_RUNNING, "keep running with the volume cut by 40 %, no ladder"),
        (None, False, 14, RunningTrack.STILL_RUNNING, "keep running with the volume cut by 40 %, no ladder"),
        ("3.1", False, 2, STOPPED, "pain 3.1 when running, over 3"),
        ("0", True, 2, STOPPED, "limping"),
        ("0", False, 15, STOPPED, "no run for 15 days, over 14"),
        (None, False, None, STOPPED, "no run on record"),
    ],
)
def test_which_running_track(
    pain: str | None, limping: bool, days_off: int | None, track: RunningTrack, reason: str
) -> None:
    facts = RunnerFacts(
        running_pain=None if pain is None else Decimal(pain),
        limping=limping,
        last_run_on=None if days_off is None else on(-days_off),
    )

    found = running_track(facts, DAY0, DEFAULTS)

    assert (found.track, found.reasons) == (track, (reason,))


# --- opening the ladder


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (zeros(8, 14), True),
        (zeros(8, 13), True),  # today is not answered: 6 of the 7 days up to yesterday
        (zeros(9, 14), True),  # one day missed
        (zeros(9, 13), False),  # 5 of the 7 up to yesterday
        (zeros(7, 13) | {14: "1"}, False),  # pain today
        ({7: "5"} | zeros(8, 14), True),  # pain before the 7 days
        ({7: "5"} | zeros(8, 13), False),  # ... which is in the 7 days up to yesterday
        ({}, False),
    ],
)
def test_seven_symptom_free_days_open_the_ladder(answers: dict[int, str], expected: bool) -> None:
    assert ladder_opening(daily(answers), on(14), DEFAULTS).open is expected


def test_the_opening_gives_its_figures() -> None:
    found = ladder_opening(daily({9: "0", 12: "2", 14: "0"}), on(14), DEFAULTS)

    assert found.reasons == (
        "3 of the last 7 days answered, 6 of 7 needed",
        "pain on 1 of them, none allowed",
    )


@pytest.mark.parametrize(("days", "answered", "expected"), [(3, 3, True), (3, 2, False), (0, 0, True)])
def test_fewer_symptom_free_days_ask_for_fewer_answers(days: int, answered: int, expected: bool) -> None:
    thresholds = with_overrides({"symptom_free_days": days})
    answers = daily({14 - number: "0" for number in range(answered)})

    assert ladder_opening(answers, on(14), thresholds).open is expected


# --- the ladder


def runs(letters: Sequence[tuple[int, str]], step: int = 3) -> list[LadderRun]:
    """Runs as (day, light): Green, Red, Incomplete, and Amber as a clinic's own rule may give it."""
    found = []
    for day, letter in letters:
        one = verdict("G" if letter == "A" else letter, day, Activity.RUN)
        if letter == "A":
            one = dataclasses.replace(one, light=Light.AMBER, at_best=Light.AMBER)
        found.append(LadderRun(one, step))
    return found


def move(letters: Sequence[tuple[int, str]], *, today: int, step: int = 3, since: int = 0) -> LadderMove:
    return next_ladder_move(LadderFacts(step, on(since), runs(letters, step)), on(today), DEFAULTS)


def test_the_ladder_starts_with_the_step_of_its_source_and_ends_with_hills_downhills_speed() -> None:
    assert (LADDER[0].text, LADDER[0].source) == ("run 1 min, walk 2 min, x 8, on flat", "S0")
    assert [step.number for step in LADDER] == list(range(1, len(LADDER) + 1))
    assert {step.source for step in LADDER[1:]} == {"our default"}
    assert [step.text.rpartition(" ")[2] for step in LADDER[-3:]] == ["hills", "downhills", "speed"]


@pytest.mark.parametrize(
    ("letters", "today", "expected", "step", "not_before"),
    [
        ([], 0, Move.REPEAT, 3, 0),
        ([(0, "G")], 7, Move.REPEAT, 3, 7),  # one green
        ([(0, "G"), (2, "G")], 6, Move.REPEAT, 3, 6),  # two greens, but the week is not over
        ([(0, "G"), (2, "G")], 7, Move.UP, 4, 7),
        ([(0, "G"), (2, "G"), (4, "G")], 5, Move.REPEAT, 3, 7),  # three runs in 7 days: the next one on day 7
        ([(0, "G"), (2, "G"), (6, "G")], 7, Move.UP, 4, 8),  # never on consecutive days
        ([(0, "G"), (2, "A")], 7, Move.REPEAT, 3, 7),
        ([(0, "G"), (2, "A"), (4, "G")], 7, Move.REPEAT, 3, 7),  # amber starts the count again
        ([(0, "G"), (2, "A"), (4, "G"), (6, "G")], 8, Move.UP, 4, 9),  # 2, 4, 6 fill the week
        ([(0, "G"), (2, "G"), (6, "I")], 7, Move.REPEAT, 3, 8),  # the morning after is still to come
        ([(0, "R")], 0, Move.DOWN, 2, 3),  # two days off
        ([(0, "R")], 1, Move.DOWN, 2, 3),
        ([(0, "R")], 9, Move.DOWN, 2, 9),
        ([(0, "G"), (2, "G"), (5, "R")], 7, Move.DOWN, 2, 8),
        ([(0, "R"), (3, "R")], 3, Move.STOP, 2, None),  # red again
        ([(0, "R"), (3, "G"), (5, "G"), (8, "R")], 8, Move.STOP, 2, None),  # two reds in 14 days
        ([(0, "R"), (7, "G"), (14, "R")], 14, Move.DOWN, 2, 17),  # 14 days apart, a green between
        ([(0, "R"), (20, "R")], 20, Move.STOP, 2, None),  # two in a row, however far apart
        ([(0, "R"), (3, "R"), (5, "I")], 5, Move.STOP, 2, None),  # an unanswered morning lifts no stop
        ([(0, "R"), (3, "G")], 4, Move.REPEAT, 3, 5),
        ([(1, "G"), (9, "R")], 8, Move.REPEAT, 3, 8),  # as of day 8
    ],
)
def test_the_next_move_on_the_ladder(
    letters: list[tuple[int, str]], today: int, expected: Move, step: int, not_before: int | None
) -> None:
    found = move(letters, today=today)

    assert (found.move, found.step) == (expected, step)
    assert found.not_before == (None if not_before is None else on(not_before))


@pytest.mark.parametrize(
    ("letters", "today", "reasons"),
    [
        ([(0, "G"), (2, "G")], 7, ("2 green runs on this step, 2 needed",)),
        ([(0, "G")], 7, ("1 of 2 green runs on this step",)),
        ([(0, "G"), (2, "G")], 6, ("a step lasts 7 days: next one from 2026-03-09",)),
        ([(0, "A")], 1, ("the run of 2026-03-02 was amber",)),
        ([(0, "I")], 1, ("the run of 2026-03-02 has no next-morning answer",)),
        ([(0, "R")], 1, ("the run of 2026-03-02 was red: pain during the run 7, over 3", "2 days off")),
        (
            [(0, "R"), (3, "R")],
            3,
            (
                "the run of 2026-03-05 was red: pain during the run 7, over 3",
                "red again after 2026-03-02: stop until symptom-free",
            ),
        ),
    ],
)
def test_a_move_gives_its_reason(
    letters: list[tuple[int, str]], today: int, reasons: tuple[str, ...]
) -> None:
    assert move(letters, today=today).reasons == reasons


def test_there_is_nothing_above_the_last_step() -> None:
    last = LADDER[-1].number

    found = move([(0, "G"), (2, "G")], today=7, step=last)

    assert (found.move, found.step, found.reasons) == (Move.REPEAT, last, ("this is the last step",))


def test_there_is_nothing_below_the_first_step_but_the_days_off_stay() -> None:
    found = move([(0, "R")], today=0, step=1)

    assert (found.move, found.step, found.not_before) == (Move.REPEAT, 1, on(3))


def test_asking_again_after_a_step_down_does_not_step_down_twice() -> None:
    red = runs([(0, "R")], step=3)

    again = next_ladder_move(LadderFacts(step=2, step_since=on(1), runs=red), on(1), DEFAULTS)

    assert (again.move, again.step, again.not_before) == (Move.REPEAT, 2, on(3))


def test_greens_of_the_step_before_do_not_count_on_the_next() -> None:
    greens = runs([(0, "G"), (2, "G")], step=3)

    again = next_ladder_move(LadderFacts(step=4, step_since=on(7), runs=greens), on(14), DEFAULTS)

    assert (again.move, again.reasons) == (Move.REPEAT, ("0 of 2 green runs on this step",))


def test_greens_run_on_another_step_do_not_count() -> None:
    greens = runs([(0, "G"), (2, "G")], step=2)

    found = next_ladder_move(LadderFacts(step=3, step_since=DAY0, runs=greens), on(7), DEFAULTS)

    assert (found.move, found.reasons) == (Move.REPEAT, ("0 of 2 green runs on this step",))


def test_greens_from_an_earlier_stay_on_the_step_do_not_count() -> None:
    found = move([(0, "G"), (2, "G")], today=20, since=10)

    assert (found.move, found.reasons) == (Move.REPEAT, ("0 of 2 green runs on this step",))


def test_the_ladder_follows_the_thresholds() -> None:
    thresholds = with_overrides(
        {
            "ladder_greens_per_step": 1,
            "ladder_step_days": 2,
            "ladder_red_rest_days": 5,
            "ladder_max_runs_per_week": 1,
        }
    )
    up = next_ladder_move(LadderFacts(3, DAY0, runs([(0, "G")])), on(2), thresholds)
    down = next_ladder_move(LadderFacts(3, DAY0, runs([(0, "R")])), on(2), thresholds)

    assert (up.move, up.not_before) == (Move.UP, on(7))
    assert (down.move, down.not_before) == (Move.DOWN, on(7))


# --- what must hold for all

LADDERS = st.builds(
    LadderFacts,
    step=st.integers(1, len(LADDER)),
    step_since=DAYS.map(on),
    runs=st.lists(st.builds(LadderRun, RUN_VERDICTS, st.integers(1, len(LADDER))), max_size=8),
)


@given(LADDERS, DAYS)
def test_the_ladder_moves_one_step_up_at_most_and_keeps_its_distance(facts: LadderFacts, day: int) -> None:
    found = next_ladder_move(facts, on(day), DEFAULTS)
    dates = [run.verdict.on for run in facts.runs if run.verdict.on <= on(day)]

    assert 1 <= found.step <= min(facts.step + 1, len(LADDER))
    assert (found.step > facts.step) == (found.move is Move.UP)
    assert (found.not_before is None) == (found.move is Move.STOP)
    if found.not_before is not None:
        gaps = [(found.not_before - ran).days for ran in dates]
        assert found.not_before >= on(day)
        assert all(gap >= 2 for gap in gaps)
        assert sum(gap < 7 for gap in gaps) < 3 or not gaps


@given(LADDERS, DAYS)
def test_a_red_run_never_moves_up(facts: LadderFacts, day: int) -> None:
    red = LadderRun(verdict("R", day, Activity.RUN), facts.step)

    found = next_ladder_move(dataclasses.replace(facts, runs=[*facts.runs, red]), on(day), DEFAULTS)

    assert found.move is not Move.UP
    assert found.step == max(1, facts.step - 1)


@given(LADDERS, DAYS)
def test_making_a_move_and_asking_again_moves_no_further(facts: LadderFacts, day: int) -> None:
    first = next_ladder_move(facts, on(day), DEFAULTS)
    moved = facts if first.step == facts.step else LadderFacts(first.step, on(day), facts.runs)

    again = next_ladder_move(moved, on(day), DEFAULTS)

    assert again.step == first.step
