"""Whether a program has an exercise for each measured deficit, or a reason why not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.vocabulary import MuscleGroup, Side, TightStructure
from programs.rules.matching import (
    TARGETS,
    FlexibilityFact,
    PlannedExercise,
    PlannedStage,
    SidedValue,
    Skill,
    StrengthFact,
    coverage,
    deficits,
    other_needs,
    targets,
    untargeted,
)
from tests.programs.rules.test_matching import facts

HIP, CALF, TRUNK = MuscleGroup.HIP_ABDUCTORS, MuscleGroup.CALF, MuscleGroup.TRUNK


def weak(group: MuscleGroup, side: Side = Side.LEFT, figure: str = "LSI 80 %") -> StrengthFact:
    return StrengthFact(group, side, True, figure)


def exercise(name: str, *groups: MuscleGroup) -> PlannedExercise:
    return PlannedExercise(name, frozenset(groups))


def stage(number: int, *exercises: PlannedExercise) -> PlannedStage:
    return PlannedStage(number, f"Stage {number}", exercises)


def test_a_deficit_is_shown_with_the_exercises_that_target_it_in_each_stage() -> None:
    stages = [
        stage(2, exercise("Band walk", HIP), exercise("Calf raise", CALF)),
        stage(1, exercise("Wall sit", MuscleGroup.QUADRICEPS)),
    ]

    [hip] = coverage(deficits([weak(HIP)]), stages)

    assert [(cover.number, cover.exercises) for cover in hip.stages] == [(1, ()), (2, ("Band walk",))]
    assert (hip.has_exercise, hip.is_open, hip.first_stage) == (True, False, 2)
    assert hip.deficits == ("Hip abductors left: LSI 80 %",)


def test_a_deficit_without_an_exercise_is_open_until_a_reason_is_written() -> None:
    [trunk] = coverage(deficits([weak(TRUNK)]), [stage(1, exercise("Calf raise", CALF))])
    [reasoned] = coverage(deficits([weak(TRUNK)]), [stage(1)], {TRUNK: "Trains it with her coach"})
    [blank] = coverage(deficits([weak(TRUNK)]), [stage(1)], {TRUNK: "  "})

    assert trunk.is_open
    assert not reasoned.is_open
    assert reasoned.reason == "Trains it with her coach"
    assert blank.is_open


def test_both_sides_of_a_muscle_group_are_one_line() -> None:
    [hip] = coverage(deficits([weak(HIP, Side.RIGHT, "LSI 70 %"), weak(HIP, Side.LEFT)]), [])

    assert hip.deficits == ("Hip abductors left: LSI 80 %", "Hip abductors right: LSI 70 %")


def test_what_was_measured_in_order_asks_for_no_exercise() -> None:
    assert coverage(deficits([StrengthFact(HIP, Side.LEFT, False, "LSI 97 %")]), []) == ()


groups = st.sampled_from(MuscleGroup)
tests_ = st.lists(st.builds(StrengthFact, groups, st.sampled_from(Side), st.booleans(), st.just("LSI 80 %")))
exercises = st.lists(
    st.builds(PlannedExercise, st.sampled_from("abcd"), st.frozensets(groups, max_size=3)), max_size=5
)
plans = st.lists(exercises, max_size=4).map(
    lambda found: [stage(number, *each) for number, each in enumerate(found, start=1)]
)
reasons = st.dictionaries(groups, st.sampled_from(["", " ", "Not now"]))


@given(tests_, plans, reasons)
def test_every_deficit_is_there_once_and_nothing_else(
    tests: list[StrengthFact], stages: list[PlannedStage], why: dict[MuscleGroup, str]
) -> None:
    found = [covered.group for covered in coverage(deficits(tests), stages, why)]

    assert found == [group for group in MuscleGroup if group in {t.muscle_group for t in tests if t.deficit}]


@given(tests_, plans, reasons)
def test_a_deficit_is_open_if_and_only_if_nothing_targets_it_and_nobody_said_why(
    tests: list[StrengthFact], stages: list[PlannedStage], why: dict[MuscleGroup, str]
) -> None:
    targeted = {group for s in stages for e in s.exercises for group in e.targets}

    for covered in coverage(deficits(tests), stages, why):
        assert covered.is_open == (covered.group not in targeted and not why.get(covered.group, "").strip())


@given(tests_, plans, st.randoms())
def test_the_order_of_inputs_changes_nothing(
    tests: list[StrengthFact], stages: list[PlannedStage], chance: object
) -> None:
    before = coverage(deficits(tests), stages)
    chance.shuffle(tests)  # type: ignore[attr-defined]
    chance.shuffle(stages)  # type: ignore[attr-defined]

    assert coverage(deficits(tests), stages) == before


@given(tests_, exercises)
def test_the_stall_rules_question_is_the_same_asked_of_one_stage(
    tests: list[StrengthFact], planned: list[PlannedExercise]
) -> None:
    left_over = {test.muscle_group for test in untargeted(tests, planned)}

    assert left_over == {c.group for c in coverage(deficits(tests), [stage(1, *planned)]) if c.is_open}


LEFT, RIGHT = Side.LEFT, Side.RIGHT


@pytest.mark.parametrize(
    ("found", "needed"),
    [
        ({"step_down": (SidedValue(LEFT, Decimal(4)),)}, {Skill.HIP_CONTROL: "step-down left poor, 4 of 6"}),
        ({"step_down": (SidedValue(LEFT, Decimal(3)), SidedValue(RIGHT, Decimal(6)))}, {}),
        (
            {"flexibility": (FlexibilityFact(TightStructure.HAMSTRINGS, LEFT, True),)},
            {Skill.HAMSTRING_LENGTH: "Hamstrings left tight"},
        ),
        (
            {"flexibility": (FlexibilityFact(TightStructure.CALF, RIGHT, True),), "both_knees": True},
            {Skill.CALF_LENGTH: "Calf right tight"},
        ),
        ({"flexibility": (FlexibilityFact(TightStructure.HAMSTRINGS, RIGHT, True),)}, {}),
        ({"flexibility": (FlexibilityFact(TightStructure.HAMSTRINGS, LEFT, False),)}, {}),
        ({"flexibility": (FlexibilityFact(TightStructure.ITB, LEFT, True),)}, {}),
        ({"cadence_spm": 164}, {Skill.RUNNING_FORM: "cadence 164 at easy pace, below 165"}),
        ({"cadence_spm": 165}, {}),
        ({"crossover": True, "shoe_km": 2000, "patella": ("patella alta",)}, {}),
    ],
)
def test_what_else_was_measured_and_an_exercise_can_treat_is_a_need(
    found: dict[str, Any], needed: dict[Skill, str]
) -> None:
    assert {need.target: need.text for need in other_needs(facts(**found))} == needed


@pytest.mark.parametrize(
    ("groups", "tags", "treated"),
    [
        ({HIP}, [], {Skill.HIP_CONTROL}),
        ({MuscleGroup.QUADRICEPS, CALF}, [], set()),
        (set(), ["hamstring_length"], {Skill.HAMSTRING_LENGTH}),
        (set(), ["deep_knee_flexion", "hip_control", "anything"], set()),
    ],
)
def test_what_an_exercise_is_for(groups: set[MuscleGroup], tags: list[str], treated: set[Skill]) -> None:
    found = targets(groups, tags)

    assert found == groups | treated
    needs = other_needs(
        facts(
            step_down=(SidedValue(LEFT, Decimal(6)),),
            flexibility=(FlexibilityFact(TightStructure.HAMSTRINGS, LEFT, True),),
        )
    )
    covered = coverage(needs, [stage(1, PlannedExercise("It", found))])
    assert {row.group for row in covered if row.has_exercise} == treated
    assert {row.group for row in covered} == {Skill.HIP_CONTROL, Skill.HAMSTRING_LENGTH}


def test_no_two_things_to_treat_have_one_code() -> None:
    assert len({str(target) for target in TARGETS}) == len(TARGETS)
