"""Stage gates: hand-worked stages, and what must hold for all of them."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.thresholds import DEFAULTS, Thresholds, with_overrides
from patients.vocabulary import RunningTrack
from programs.rules.pain import Activity, PainVerdict
from programs.rules.progression import CriterionCode, GateVerdict, StageFacts, StepDown, gate, open_since
from tests.programs.rules.progression.facts import DAY0, DAYS, RUN_VERDICTS, daily, on, verdict, zeros

C = CriterionCode
STOPPED = RunningTrack.STOPPED

SOUND = StageFacts(
    entered_on=DAY0,
    min_days=14,
    max_weeks=3,
    strength=[verdict("G", day) for day in (1, 3, 5, 8, 10, 12)],
    daily_worst=daily({2: "4", 4: "4", 8: "3", 11: "3", 13: "3"}),
)
"""Two weeks of stage 1 without a fault: on day 14 its gate is open."""


def unmet(facts: StageFacts, day: int = 14, thresholds: Thresholds = DEFAULTS) -> set[CriterionCode]:
    found = gate(facts, on(day), thresholds)
    assert found.open is not bool(found.unmet)
    return {criterion.code for criterion in found.unmet}


def texts(found: GateVerdict) -> dict[CriterionCode, str]:
    return {criterion.code: criterion.text for criterion in (*found.met, *found.unmet, *found.noted)}


# --- gates of stages 2 and 3


def test_a_sound_stage_opens_the_gate_and_says_why_in_figures() -> None:
    found = gate(SOUND, on(14), DEFAULTS)

    assert found.open
    assert texts(found) == {
        C.MINIMUM_DAYS: "14 days in this stage, 14 needed",
        C.GREENS: "6 green sessions in a row in this stage, 3 needed",
        C.PAIN_NOT_RISING: "worst pain: median 3 in the last 7 days, 4 in the 7 before",
        C.NO_RED: "red sessions in the last 7 days: none",
        C.ADHERENCE: "6 strength sessions in 14 days, 2 a week needed",
    }
    assert found.under_loaded is None
    assert found.thresholds is DEFAULTS


@pytest.mark.parametrize(
    ("change", "day", "expected"),
    [
        ({}, 14, set()),
        ({}, 13, {C.MINIMUM_DAYS}),
        ({"min_days": 15}, 14, {C.MINIMUM_DAYS}),
        # three greens in a row, in this stage
        ({"strength": [verdict("G", d) for d in (1, 3, 5, 8)] + [verdict("A", 12)]}, 14, {C.GREENS}),
        ({"strength": [verdict("G", 1), verdict("A", 3), verdict("A", 5), verdict("G", 10)]}, 14, {C.GREENS}),
        ({"entered_on": on(9), "min_days": 3}, 14, {C.GREENS}),  # earlier greens belong to the stage before
        ({"strength": [*SOUND.strength, verdict("I", 14)]}, 14, set()),
        # worst pain not rising
        ({"daily_worst": daily({2: "3", 4: "3", 8: "3", 11: "3.1", 13: "3.1"})}, 14, {C.PAIN_NOT_RISING}),
        ({"daily_worst": daily({2: "3", 4: "4", 8: "3", 11: "4"})}, 14, set()),  # 3.5 and 3.5
        ({"daily_worst": daily({2: "3", 8: "2", 11: "2", 13: "9"})}, 14, set()),  # the median
        ({"daily_worst": daily({7: "2", 8: "3"})}, 14, {C.PAIN_NOT_RISING}),  # day 7 is in the 7 before
        ({"daily_worst": daily({2: "4", 4: "4"})}, 14, {C.PAIN_NOT_RISING}),  # nothing now
        ({"daily_worst": daily({11: "3", 13: "3"})}, 14, {C.PAIN_NOT_RISING}),  # nothing to compare with
        # no red within 7 days, in strength work or running
        ({"runs": [verdict("R", 8, Activity.RUN)]}, 14, {C.NO_RED}),
        ({"runs": [verdict("R", 7, Activity.RUN)]}, 14, set()),
        ({"runs": [verdict("R", 15, Activity.RUN)]}, 14, set()),  # not yet, as of day 14
        ({"strength": [*SOUND.strength, verdict("R", 13)]}, 14, {C.GREENS, C.NO_RED}),
        # adherence: 2 a week
        ({"strength": [verdict("G", d) for d in (1, 5, 9, 12)]}, 14, set()),
        ({"strength": [verdict("G", d) for d in (1, 5, 9)]}, 14, {C.ADHERENCE}),
        ({"strength": [verdict("G", d) for d in (1, 5, 9, 14)]}, 14, set()),  # today's counts
        # twelve in a row and then nothing: the last 28 days count, not the whole stage
        (
            {"strength": [verdict("G", d) for d in range(12)], "daily_worst": daily({30: "3", 38: "3"})},
            40,
            {C.ADHERENCE},
        ),
        # a week of holiday counts neither as days of the stage nor as days to exercise on
        ({"paused_days": {on(d) for d in range(2, 9)}}, 14, {C.MINIMUM_DAYS}),
        (
            {
                "paused_days": {on(d) for d in range(2, 9)},
                "strength": [verdict("G", d) for d in (1, 10, 12, 14)],
                "min_days": 7,
            },
            14,
            set(),
        ),
    ],
)
def test_which_criteria_of_the_gate_are_unmet(
    change: dict[str, object], day: int, expected: set[CriterionCode]
) -> None:
    assert unmet(dataclasses.replace(SOUND, **change), day) == expected  # type: ignore[arg-type]


def test_an_empty_stage_names_everything_and_opens_nothing() -> None:
    found = gate(StageFacts(entered_on=DAY0, min_days=14, max_weeks=None), on(3), DEFAULTS)

    assert not found.open
    assert [criterion.code for criterion in found.unmet] == [
        C.MINIMUM_DAYS, C.GREENS, C.PAIN_NOT_RISING, C.ADHERENCE,
    ]  # fmt: skip
    assert [criterion.code for criterion in found.met] == [C.NO_RED]


def test_an_unmet_red_names_its_date() -> None:
    facts = dataclasses.replace(SOUND, runs=[verdict("R", 9, Activity.RUN), verdict("R", 11, Activity.RUN)])

    found = gate(facts, on(14), DEFAULTS)

    assert texts(found)[C.NO_RED] == "red sessions in the last 7 days: 2, the latest on 2026-03-13"


def test_the_gate_follows_the_thresholds() -> None:
    strict = with_overrides({"greens_to_progress": 7, "strength_floor_per_week": 4})

    assert unmet(SOUND, thresholds=strict) == {C.GREENS, C.ADHERENCE}


@pytest.mark.parametrize(
    ("day", "paused", "question"),
    [
        (21, 0, None),
        (22, 0, "22 days in a stage of at most 3 weeks: under-loaded?"),
        (22, 1, None),
    ],
)
def test_past_the_maximum_weeks_of_a_stage_the_question_is_under_loaded(
    day: int, paused: int, question: str | None
) -> None:
    facts = dataclasses.replace(SOUND, paused_days={on(number) for number in range(paused)})

    assert gate(facts, on(day), DEFAULTS).under_loaded == question


def test_open_since_the_first_day_of_the_open_gate() -> None:
    assert open_since(SOUND, on(13), DEFAULTS) is None
    assert open_since(SOUND, on(14), DEFAULTS) == on(14)
    assert open_since(dataclasses.replace(SOUND, min_days=10), on(14), DEFAULTS) == on(10)


# --- the gate to running


RUNNING = dataclasses.replace(
    SOUND,
    next_is_running=True,
    track=STOPPED,
    daily_worst=daily({2: "1", 4: "1"} | zeros(8, 14)),
)
"""Someone who stopped running, symptom-free on days 8 to 14."""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, set()),
        ({"daily_worst": daily({2: "1"} | zeros(9, 14))}, set()),  # 6 of 7 answered
        ({"daily_worst": daily({2: "1"} | zeros(10, 14))}, {C.SYMPTOM_FREE}),  # 5 of 7
        ({"daily_worst": daily({2: "1"} | zeros(8, 14) | {12: "0.1"})}, {C.SYMPTOM_FREE}),  # all 0
        ({"daily_worst": daily({2: "5", 8: "4"} | zeros(9, 14))}, {C.SYMPTOM_FREE, C.PAIN_LOW}),
        ({"daily_worst": daily({2: "5", 8: "3"} | zeros(9, 14))}, {C.SYMPTOM_FREE}),
        ({"pain_returned_on": on(8)}, {C.SYMPTOM_FREE}),  # symptom-free again from day 9 only
        ({"pain_returned_on": on(7)}, set()),
        # the gate of painless days is not for those who still run, or never did
        ({"track": RunningTrack.STILL_RUNNING, "daily_worst": SOUND.daily_worst}, set()),
        ({"track": RunningTrack.NOT_A_RUNNER, "daily_worst": SOUND.daily_worst}, set()),
        ({"track": STOPPED, "daily_worst": SOUND.daily_worst}, {C.SYMPTOM_FREE}),
        # re-tests, where taken
        ({"lsi_percent": Decimal("89.9")}, {C.LIMB_SYMMETRY}),
        ({"lsi_percent": Decimal(90)}, set()),
        ({"step_down": StepDown(points=4, poor=True)}, {C.STEP_DOWN}),
        ({"step_down": StepDown(points=2, poor=False)}, set()),
    ],
)
def test_the_gate_to_running(change: dict[str, object], expected: set[CriterionCode]) -> None:
    assert unmet(dataclasses.replace(RUNNING, **change)) == expected  # type: ignore[arg-type]


def test_symptom_free_days_are_a_setting_down_to_none() -> None:
    none_asked = with_overrides({"symptom_free_days": 0})
    facts = dataclasses.replace(RUNNING, daily_worst=SOUND.daily_worst)

    assert unmet(facts, thresholds=none_asked) == set()


def test_before_running_a_retest_is_shown_and_does_not_decide() -> None:
    facts = dataclasses.replace(SOUND, lsi_percent=Decimal(500) / 7, step_down=StepDown(points=4, poor=True))

    found = gate(facts, on(14), DEFAULTS)

    assert found.open
    assert [criterion.text for criterion in found.noted] == [
        "lateral step-down 4 points, poor",
        "limb symmetry 71 %, 90 % needed",
    ]


# --- what must hold for all

PAIN = st.integers(0, 100).map(lambda tenths: Decimal(tenths) / 10)
VERDICTS = st.builds(verdict, st.sampled_from("GARI"), DAYS)
STAGES = st.builds(
    StageFacts,
    entered_on=st.integers(0, 10).map(on),
    min_days=st.integers(0, 14),
    max_weeks=st.none() | st.integers(1, 4),
    next_is_running=st.booleans(),
    track=st.sampled_from(RunningTrack),
    strength=st.lists(VERDICTS, max_size=20),
    runs=st.lists(RUN_VERDICTS, max_size=4),
    daily_worst=st.dictionaries(DAYS.map(on), PAIN.filter(lambda value: value < 3), max_size=35),
    paused_days=st.frozensets(DAYS.map(on), max_size=10),
)


@given(STAGES, DAYS)
def test_a_gate_is_open_exactly_when_nothing_is_unmet(facts: StageFacts, day: int) -> None:
    found = gate(facts, on(day), DEFAULTS)

    assert found.open == (not found.unmet)
    assert all(criterion.text for criterion in (*found.met, *found.unmet))
    codes = [criterion.code for criterion in (*found.met, *found.unmet)]
    assert len(set(codes)) == len(codes)


@given(STAGES, DAYS)
def test_a_red_today_never_opens_a_gate(facts: StageFacts, day: int) -> None:
    red = dataclasses.replace(facts, runs=[*facts.runs, verdict("R", day, Activity.RUN)])

    assert not gate(red, on(day), DEFAULTS).open


@given(STAGES, DAYS)
def test_stopping_running_never_makes_a_gate_easier(facts: StageFacts, day: int) -> None:
    running = dataclasses.replace(facts, track=RunningTrack.STILL_RUNNING)
    stopped = dataclasses.replace(facts, track=STOPPED)

    assert gate(running, on(day), DEFAULTS).open or not gate(stopped, on(day), DEFAULTS).open


@given(STAGES, st.integers(0, 20), st.lists(VERDICTS, max_size=5))
def test_what_happens_after_the_day_changes_nothing(
    facts: StageFacts, day: int, more: list[PainVerdict]
) -> None:
    later = [one for one in more if one.on > on(day)]
    longer = dataclasses.replace(facts, strength=[*facts.strength, *later])

    assert gate(longer, on(day), DEFAULTS) == gate(facts, on(day), DEFAULTS)
