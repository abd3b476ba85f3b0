"""Whether a program has an exercise for each measured deficit, or a reason why not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from patients.vocabulary import MuscleGroup, Side
from programs.rules.matching import PlannedExercise, PlannedStage, StrengthFact, coverage, untargeted

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

    [hip] = coverage([weak(HIP)], stages)

    assert [(cover.number, cover.exercises) for cover in hip.stages] == [(1, ()), (2, ("Band walk",))]
    assert (hip.has_exercise, hip.is_open, hip.first_stage) == (True, False, 2)
    assert hip.deficits == ("Hip abductors left: LSI 80 %",)


def test_a_deficit_without_an_exercise_is_open_until_a_reason_is_written() -> None:
    [trunk] = coverage([weak(TRUNK)], [stage(1, exercise("Calf raise", CALF))])
    [reasoned] = coverage([weak(TRUNK)], [stage(1)], {TRUNK: "Trains it with her coach"})
    [blank] = coverage([weak(TRUNK)], [stage(1)], {TRUNK: "  "})

    assert trunk.is_open
    assert not reasoned.is_open
    assert reasoned.reason == "Trains it with her coach"
    assert blank.is_open


def test_both_sides_of_a_muscle_group_are_one_line() -> None:
    [hip] = coverage([weak(HIP, Side.RIGHT, "LSI 70 %"), weak(HIP, Side.LEFT)], [])

    assert hip.deficits == ("Hip abductors left: LSI 80 %", "Hip abductors right: LSI 70 %")


def test_what_was_measured_in_order_asks_for_no_exercise() -> None:
    assert coverage([StrengthFact(HIP, Side.LEFT, False, "LSI 97 %")], []) == ()


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
    found = [covered.group for covered in coverage(tests, stages, why)]

    assert found == [group for group in MuscleGroup if group in {t.muscle_group for t in tests if t.deficit}]


@given(tests_, plans, reasons)
def test_a_deficit_is_open_if_and_only_if_nothing_targets_it_and_nobody_said_why(
    tests: list[StrengthFact], stages: list[PlannedStage], why: dict[MuscleGroup, str]
) -> None:
    targeted = {group for s in stages for e in s.exercises for group in e.strengthens}

    for covered in coverage(tests, stages, why):
        assert covered.is_open == (covered.group not in targeted and not why.get(covered.group, "").strip())


@given(tests_, plans, st.randoms())
def test_the_order_of_inputs_changes_nothing(
    tests: list[StrengthFact], stages: list[PlannedStage], chance: object
) -> None:
    before = coverage(tests, stages)
    chance.shuffle(tests)  # type: ignore[attr-defined]
    chance.shuffle(stages)  # type: ignore[attr-defined]

    assert coverage(tests, stages) == before


@given(tests_, exercises)
def test_the_stall_rules_question_is_the_same_asked_of_one_stage(
    tests: list[StrengthFact], planned: list[PlannedExercise]
) -> None:
    left_over = {test.muscle_group for test in untargeted(tests, planned)}

    assert left_over == {c.group for c in coverage(tests, [stage(1, *planned)]) if c.is_open}
