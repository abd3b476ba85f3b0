"""When an AKPS and a re-assessment are due (clinical.md 7: intake, weeks 6, 8 and 12)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.thresholds import DEFAULTS
from programs.rules.caseload import Due, due
from programs.rules.stall import AkpsScore, CaseFacts, Knee, Pause, PauseKind

START = date(2026, 1, 5)


def on(day: int) -> date:
    return START + timedelta(days=day)


def facts(*scores: int, pauses: tuple[Pause, ...] = (), trial: int = 0) -> CaseFacts:
    return CaseFacts(
        started_on=START,
        clock_started_on=on(trial),
        prescribed_per_week=3,
        index=Knee(),
        akps=tuple(AkpsScore(on(day), 70) for day in scores),
        pauses=pauses,
    )


def found(case: CaseFacts, day: int, *, success: bool = True, assessed: tuple[int, ...] = ()) -> Due:
    return due(case, on(day), DEFAULTS, success=success, assessed=[on(n) for n in assessed])


@pytest.mark.parametrize(
    ("scores", "day", "since"),
    [
        ((), 0, -14),  # at intake
        ((-14,), 0, None),
        ((-15,), 0, -14),
        ((), 7, -14),
        ((), 8, None),  # too late for a baseline
        ((0,), 41, None),
        ((0,), 42, 35),  # week 6
        ((0, 35), 42, None),  # a week early is early enough
        ((0, 34), 42, 35),
        ((0, 35), 55, None),
        ((0, 35), 56, 49),  # week 8
        ((0, 50), 56, None),
        ((0, 50), 83, None),
        ((0, 50), 84, 77),  # week 12
        ((0, 50), 200, 77),
        ((0, 90), 200, None),
        ((0, 300), 200, 77),  # a score of the future settles nothing
    ],
)
def test_an_akps_is_due_from_its_week_on_until_a_score_settles_it(scores, day, since) -> None:
    assert found(facts(*scores), day).akps == (None if since is None else on(since))


def test_paused_days_put_it_off() -> None:
    holiday = (Pause(PauseKind.HOLIDAY, on(20), on(30)),)
    assert found(facts(0, pauses=holiday), 51).akps is None
    assert found(facts(0, pauses=holiday), 52).akps == on(45)


@pytest.mark.parametrize("day", [42, 56, 84])
def test_a_pause_that_begins_on_the_very_day_of_a_mark_puts_it_off_until_the_day_back(day: int) -> None:
    illness = facts(pauses=(Pause(PauseKind.ILLNESS, on(day), None),))
    before = found(illness, day - 1, success=False)
    assert [found(illness, day + n, success=False) for n in range(3)] == [before] * 3


def test_a_new_fair_trial_starts_its_weeks_again() -> None:
    assert found(facts(0, 56, trial=60), 101).akps is None
    assert found(facts(0, 56, trial=60), 102).akps == on(95)


@pytest.mark.parametrize(
    ("day", "success", "assessed", "since"),
    [
        (83, False, (), None),
        (84, False, (), 77),
        (84, True, (), None),
        (90, False, (0, 76), 77),
        (90, False, (0, 77), None),
        (90, False, (91,), 77),
    ],
)
def test_twelve_weeks_without_success_ask_for_a_re_assessment(day, success, assessed, since) -> None:
    assert found(facts(0, 80), day, success=success, assessed=assessed).reassess == (
        None if since is None else on(since)
    )


@given(st.lists(st.integers(-20, 200), max_size=6), st.integers(0, 200), st.integers(0, 60))
def test_what_is_due_is_settled_by_a_score_of_today(scores, day, trial) -> None:
    case = facts(*scores, trial=min(trial, day))
    since = found(case, day).akps
    assert since is None or since <= on(day)
    assert found(facts(*scores, day, trial=min(trial, day)), day).akps is None
