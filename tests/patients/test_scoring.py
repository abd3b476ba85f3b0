"""Scores, derived strength values, real changes and plausible ranges, against hand-worked numbers."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.thresholds import DEFAULTS
from patients.scoring import (
    AKPS_ITEMS,
    KOOS_PF_ITEMS,
    LEFS_ITEMS,
    RANGES,
    ChangeKind,
    Reading,
    ScoringError,
    StepDownGrade,
    StrengthVerdict,
    Taken,
    Value,
    akps_red_flags,
    akps_score,
    check_range,
    groc_meaning,
    is_real_change,
    judge_strength,
    koos_pf_score,
    lefs_score,
    limb_symmetry,
    nm_per_kg,
    percent_body_weight,
    psfs_score,
    q_angle_note,
    score,
    step_down_grade,
    step_down_score,
    torque_nm,
)
from patients.vocabulary import MuscleGroup, OutcomeMeasure, Sex, Side, StrengthMethod, StrengthUnit

D = Decimal
BEST_AKPS = {code: item.points[0] for code, item in AKPS_ITEMS.items()}
WORST_AKPS = {code: item.points[-1] for code, item in AKPS_ITEMS.items()}

# The points as published (PMC10362729), written out a second time on purpose.
PUBLISHED_AKPS = {
    "limp": "5/3/0",
    "support": "5/3/0",
    "walking": "5/3/2/0",
    "stairs": "10/8/5/0",
    "squat": "5/4/3/2/0",
    "run": "10/8/6/3/0",
    "jump": "10/7/2/0",
    "sitting": "10/8/6/4/0",
    "pain": "10/8/6/3/0",
    "swelling": "10/8/6/4/0",
    "patellar_movement": "10/6/4/2/0",
    "thigh_atrophy": "5/3/0",
    "flexion_deficiency": "5/3/0",
}


class TestAkps:
    def test_item_points_are_the_published_ones(self) -> None:
        assert {code: "/".join(map(str, item.points)) for code, item in AKPS_ITEMS.items()} == PUBLISHED_AKPS

    def test_best_is_100_and_worst_is_0(self) -> None:
        assert akps_score(BEST_AKPS) == 100
        assert akps_score(WORST_AKPS) == 0

    def test_a_hand_worked_score(self) -> None:
        # 100 - 2 (limp) - 2 (stairs) - 4 (run) - 4 (sitting) - 7 (pain) = 81
        answers = BEST_AKPS | {"limp": 3, "stairs": 8, "run": 6, "sitting": 6, "pain": 3}
        assert akps_score(answers) == 81

    @pytest.mark.parametrize(
        ("answers", "field"),
        [
            (BEST_AKPS | {"limp": 4}, "limp"),
            (BEST_AKPS | {"squat": "5"}, "squat"),
            (BEST_AKPS | {"limp": True}, "limp"),
            (BEST_AKPS | {"humming": 5}, "humming"),
            ({code: points for code, points in BEST_AKPS.items() if code != "jump"}, "jump"),
        ],
    )
    def test_unknown_option_unknown_item_and_missing_item_are_refused(
        self, answers: dict, field: str
    ) -> None:
        with pytest.raises(ScoringError) as error:
            akps_score(answers)
        assert error.value.field == field

    @pytest.mark.parametrize(
        ("change", "flags"),
        [
            ({}, ()),
            ({"swelling": 8}, ()),
            ({"swelling": 6}, ("swelling",)),
            ({"patellar_movement": 6}, ("patellar_movement",)),
            ({"swelling": 0, "patellar_movement": 0}, ("swelling", "patellar_movement")),
        ],
    )
    def test_swelling_and_subluxation_answers_raise_red_flags(self, change: dict, flags: tuple) -> None:
        assert akps_red_flags(BEST_AKPS | change) == flags

    def test_a_questionnaire_that_is_not_complete_hides_no_red_flag(self) -> None:
        assert akps_red_flags({"swelling": 0}) == ("swelling",)

    @given(st.fixed_dictionaries({code: st.sampled_from(item.points) for code, item in AKPS_ITEMS.items()}))
    def test_any_valid_answers_give_0_to_100(self, answers: dict[str, int]) -> None:
        assert 0 <= akps_score(answers) <= 100


class TestOtherQuestionnaires:
    def test_koos_pf_is_100_without_problems_and_0_with_extreme_ones(self) -> None:
        assert koos_pf_score(dict.fromkeys(KOOS_PF_ITEMS, 0)) == 100
        assert koos_pf_score(dict.fromkeys(KOOS_PF_ITEMS, 4)) == 0
        assert len(KOOS_PF_ITEMS) == 11

    def test_koos_pf_in_tenths(self) -> None:
        # 100 - 15/44 x 100 = 65.909...
        answers = dict.fromkeys(KOOS_PF_ITEMS, 1) | {"pf1": 3, "pf2": 3}
        assert koos_pf_score(answers) == D("65.9")

    def test_koos_pf_item_of_5_is_refused(self) -> None:
        with pytest.raises(ScoringError, match="pf11"):
            koos_pf_score(dict.fromkeys(KOOS_PF_ITEMS, 0) | {"pf11": 5})

    def test_true_is_no_answer_of_1_point(self) -> None:
        with pytest.raises(ScoringError, match="pf1"):
            koos_pf_score(dict.fromkeys(KOOS_PF_ITEMS, 0) | {"pf1": True})

    def test_lefs_sums_20_items(self) -> None:
        assert lefs_score(dict.fromkeys(LEFS_ITEMS, 4)) == 80
        assert lefs_score(dict.fromkeys(LEFS_ITEMS, 4) | {"lefs20": 1}) == 77

    @pytest.mark.parametrize(("visit", "published"), [(0, 50), (1, 58), (2, 54), (3, 58)])
    def test_lefs_gives_the_totals_of_a_published_case(self, visit: int, published: int) -> None:
        # Each item at four visits and the totals as printed: BMJ Case Reports, table 1 "Lower Extremity
        # Functional Scale", casereports.bmj.com/highwire/markup/238681.
        items = (
            "1322 2333 4444 4444 4444 1434 2122 3443 1112 4444 "
            "4444 1342 4443 3332 3444 3102 0002 3002 1412 2333"
        )
        answers = {code: int(row[visit]) for code, row in zip(LEFS_ITEMS, items.split(), strict=True)}
        assert lefs_score(answers) == published

    def test_psfs_is_the_mean_ability_rounded_half_up(self) -> None:
        assert psfs_score({"stairs": 4, "running": "3", "squat": D("5.5")}) == D("4.2")  # 4.1666...
        assert psfs_score({"stairs": D("0.1"), "running": D("0.2")}) == D("0.2")  # 0.15

    @pytest.mark.parametrize("raw", [D("10.1"), D("-0.1"), "NaN", "much", 3.5, None])
    def test_psfs_ability_must_be_a_decimal_of_0_to_10(self, raw: object) -> None:
        with pytest.raises(ScoringError) as error:
            psfs_score({"stairs": raw})
        assert error.value.field == "stairs"

    def test_psfs_needs_an_activity(self) -> None:
        with pytest.raises(ScoringError, match="psfs"):
            psfs_score({})

    @pytest.mark.parametrize(
        ("value", "meaning"),
        [(7, "much improved"), (5, "much improved"), (4, "improved"), (0, "unchanged"), (-1, "worse")],
    )
    def test_groc_in_words(self, value: int, meaning: str) -> None:
        assert groc_meaning(value) == meaning

    def test_groc_of_8_is_refused(self) -> None:
        with pytest.raises(ScoringError, match="groc"):
            groc_meaning(8)

    def test_score_serves_every_outcome_measure(self) -> None:
        assert score("akps", BEST_AKPS) == D(100)
        assert score(OutcomeMeasure.KOOS_PF, dict.fromkeys(KOOS_PF_ITEMS, 2)) == D(50)
        assert score("psfs", {"stairs": 4}) == D(4)
        assert score("lefs", dict.fromkeys(LEFS_ITEMS, 2)) == D(40)
        assert score("groc", {"groc": -3}) == D(-3)
        with pytest.raises(ScoringError, match="measure"):
            score("womac", {})


def reading(value: str, unit: str = "N", **changes: object) -> Reading:
    base = Reading(
        MuscleGroup.QUADRICEPS,
        Side.LEFT,
        StrengthMethod.HANDHELD,
        D(value),
        StrengthUnit(unit),
        position="seated",
    )
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]


class TestStrengthUnits:
    def test_torque_is_force_times_lever_arm(self) -> None:
        assert torque_nm(reading("400", lever_arm_m=D("0.35"))) == D(140)

    def test_kgf_is_turned_into_newtons_exactly(self) -> None:
        assert torque_nm(reading("10", "kgf", lever_arm_m=D("0.4"))) == D("39.2266")

    def test_nm_per_kg(self) -> None:
        assert nm_per_kg(reading("400", lever_arm_m=D("0.35")), D(56)) == D("2.5")
        assert nm_per_kg(reading("150", "Nm"), D(60)) == D("2.5")

    def test_percent_of_body_weight(self) -> None:
        assert percent_body_weight(reading("15", "kgf"), D(60)) == D(25)

    @pytest.mark.parametrize(
        ("call", "field"),
        [
            (lambda: torque_nm(reading("400")), "lever_arm_m"),
            (lambda: torque_nm(reading("400", lever_arm_m=D(0))), "lever_arm_m"),
            (lambda: torque_nm(reading("4", "grade")), "unit"),
            (lambda: percent_body_weight(reading("100", "Nm"), D(60)), "unit"),
            (lambda: nm_per_kg(reading("100", "Nm"), D(0)), "body_mass_kg"),
        ],
    )
    def test_what_cannot_be_derived_is_refused_by_field(self, call, field: str) -> None:
        with pytest.raises(ScoringError) as error:
            call()
        assert error.value.field == field


class TestLimbSymmetry:
    def test_is_involved_over_uninvolved(self) -> None:
        result = limb_symmetry(reading("180"), reading("240", side=Side.RIGHT), both_knees_painful=False)
        assert result.lsi == D(75)

    def test_compares_torques_where_the_lever_arms_differ(self) -> None:
        # 200 x 0.30 = 60; 200 x 0.40 = 80
        involved, other = reading("200", lever_arm_m=D("0.3")), reading("200", lever_arm_m=D("0.4"))
        assert limb_symmetry(involved, other, both_knees_painful=False).lsi == D(75)

    @pytest.mark.parametrize(
        ("other", "both", "reason"),
        [
            (reading("240"), True, "both knees hurt"),
            (None, False, "not tested"),
            (reading("0"), False, "measured 0"),
            (reading("24", "kgf"), False, "different unit"),
            (reading("240", position="prone"), False, "different position"),
            (reading("240", method=StrengthMethod.ISOKINETIC), False, "different method"),
            (reading("240", lever_arm_m=D("0.4")), False, "lever arm"),
        ],
    )
    def test_is_refused_with_the_reason(self, other: Reading | None, both: bool, reason: str) -> None:
        result = limb_symmetry(reading("180"), other, both_knees_painful=both)
        assert result.lsi is None
        assert reason in result.reason

    def test_does_not_apply_to_the_trunk(self) -> None:
        trunk = reading("180", muscle_group=MuscleGroup.TRUNK)
        assert "trunk" in limb_symmetry(trunk, trunk, both_knees_painful=False).reason


def judge(involved: Reading, other: Reading | None, **changes: object):
    known = {"both_knees_painful": False, "sex": Sex.FEMALE, "body_mass_kg": D(60)} | changes
    return judge_strength(involved, other, **known)  # type: ignore[arg-type]


class TestStrengthDeficit:
    @pytest.mark.parametrize(
        ("involved", "deficit"), [("89.9", True), ("90", False), ("90.1", False), ("89.9999", True)]
    )
    def test_lsi_below_90_percent_is_a_deficit(self, involved: str, deficit: bool) -> None:
        verdict = judge(reading(involved), reading("100"), sex=Sex.OTHER)
        assert verdict.deficit is deficit

    def test_an_lsi_just_below_the_threshold_never_reads_as_the_threshold(self) -> None:
        assert judge(reading("89.9999"), reading("100")).figure == "LSI 89 % (deficit below 90 %)"

    def test_the_lsi_threshold_is_a_setting(self) -> None:
        strict = dataclasses.replace(DEFAULTS, lsi_deficit_below=95)
        assert judge(reading("92"), reading("100"), thresholds=strict).deficit is True

    @pytest.mark.parametrize(
        ("sex", "torque", "deficit"),
        [
            (Sex.FEMALE, "124.7", True),  # 2.078 Nm/kg
            (Sex.FEMALE, "124.8", False),  # 2.08
            (Sex.MALE, "175.1", True),  # 2.918
            (Sex.MALE, "175.2", False),  # 2.92
        ],
    )
    def test_both_knees_painful_counts_against_the_norm(self, sex: Sex, torque: str, deficit: bool) -> None:
        verdict = judge(reading(torque, "Nm"), reading(torque, "Nm"), both_knees_painful=True, sex=sex)
        assert verdict.deficit is deficit
        assert "Nm/kg" in verdict.figure

    def test_below_norm_is_a_deficit_even_with_even_sides(self) -> None:
        verdict = judge(reading("100", "Nm"), reading("100", "Nm"))
        assert verdict.deficit is True
        assert verdict.figure == "1.66 Nm/kg (norm from 2.08)"

    def test_without_anything_to_compare_with_there_is_no_verdict(self) -> None:
        hip = reading("100", muscle_group=MuscleGroup.HIP_ABDUCTORS)
        verdict = judge(hip, hip, both_knees_painful=True)
        assert verdict.deficit is None
        assert "both knees hurt" in verdict.figure

    @pytest.mark.parametrize(
        "changes", [{"method": StrengthMethod.ISOKINETIC}, {"muscle_group": MuscleGroup.CALF}]
    )
    def test_the_knee_extension_norm_is_for_isometric_knee_extension_only(self, changes: dict) -> None:
        assert judge(reading("100", "Nm", **changes), None).deficit is None

    @pytest.mark.parametrize(("grade", "deficit"), [("4", True), ("5", False)])
    def test_a_manual_grade_below_5_is_a_deficit(self, grade: str, deficit: bool) -> None:
        manual = reading(grade, "grade", method=StrengthMethod.MANUAL)
        assert judge(manual, None) == StrengthVerdict(deficit, f"grade {grade} of 5")


class TestStepDown:
    @pytest.mark.parametrize(
        ("points", "total", "grade"),
        [
            ((0, 0, 0, 0, 0), 0, StepDownGrade.GOOD),
            ((1, 0, 0, 0, 0), 1, StepDownGrade.GOOD),
            ((0, 1, 1, 0, 0), 2, StepDownGrade.MEDIUM),
            ((0, 0, 1, 2, 0), 3, StepDownGrade.MEDIUM),
            ((0, 1, 1, 2, 0), 4, StepDownGrade.POOR),
            ((1, 1, 1, 2, 1), 6, StepDownGrade.POOR),
        ],
    )
    def test_items_sum_to_a_grade(self, points: tuple, total: int, grade: StepDownGrade) -> None:
        items = dict(zip(("arm", "trunk", "pelvis", "knee", "steady_stance"), points, strict=True))
        assert step_down_score(items) == total
        assert step_down_grade(total) is grade

    @pytest.mark.parametrize(
        ("change", "field"),
        [({"arm": 2}, "arm"), ({"knee": 3}, "knee"), ({"trunk": None}, "trunk"), ({"x": 1}, "x")],
    )
    def test_impossible_items_are_refused(self, change: dict, field: str) -> None:
        with pytest.raises(ScoringError) as error:
            step_down_score({"arm": 0, "trunk": 0, "pelvis": 0, "knee": 0, "steady_stance": 0} | change)
        assert error.value.field == field

    def test_a_total_of_7_is_refused(self) -> None:
        with pytest.raises(ScoringError):
            step_down_grade(7)


@pytest.mark.parametrize(
    ("degrees", "sex", "expected"),
    [
        ("18.7", Sex.MALE, "within the reference 8.3 to 18.7"),
        ("18.8", Sex.MALE, "above the reference"),
        ("11", Sex.FEMALE, "below the reference 11.1 to 20.7"),
        ("15", Sex.OTHER, "no reference"),
    ],
)
def test_q_angle_is_shown_against_its_reference(degrees: str, sex: Sex, expected: str) -> None:
    assert expected in q_angle_note(D(degrees), sex)


def change(measure: str, before: str, after: str):
    return is_real_change(measure, Value(D(before)), Value(D(after)))


class TestRealChange:
    @pytest.mark.parametrize(
        ("measure", "before", "after", "kind"),
        [
            ("nprs", "6", "4", ChangeKind.IMPROVED),
            ("nprs", "6", "4.1", ChangeKind.NOT_REAL),
            ("nprs", "4", "6", ChangeKind.WORSE),
            ("akps", "60", "67", ChangeKind.NOT_REAL),
            ("akps", "60", "68", ChangeKind.WITHIN_ERROR),
            ("akps", "60", "72", ChangeKind.WITHIN_ERROR),
            ("akps", "60", "73", ChangeKind.IMPROVED),
            ("akps", "72", "60", ChangeKind.NOT_REAL),
            ("akps", "73", "60", ChangeKind.WORSE),
            ("koos_pf", "50", "65.9", ChangeKind.NOT_REAL),
            ("koos_pf", "50", "66", ChangeKind.IMPROVED),
            ("psfs", "4", "5.2", ChangeKind.NOT_REAL),
            ("psfs", "4", "5.3", ChangeKind.IMPROVED),
            ("lefs", "50", "58", ChangeKind.NOT_REAL),
            ("lefs", "50", "59", ChangeKind.IMPROVED),
            ("q_angle", "15", "17.9", ChangeKind.NOT_REAL),
            ("q_angle", "15", "18", ChangeKind.CHANGED),
            ("strength", "100", "150", ChangeKind.NOT_JUDGED),
            ("step_down", "5", "2", ChangeKind.NOT_JUDGED),
        ],
    )
    def test_at_and_around_the_measurement_error(
        self, measure: str, before: str, after: str, kind: ChangeKind
    ) -> None:
        assert change(measure, before, after).kind is kind

    def test_says_so_in_words(self) -> None:
        assert change("lefs", "50", "58").text == "LEFS +8: not a real change, smaller than 9 (MDC 9)."
        assert change("akps", "60", "68").text.startswith("AKPS +8: improved, within measurement error")

    @pytest.mark.parametrize(
        ("taken", "word"),
        [
            (Taken(method="isokinetic"), "with a different method (not noted, then isokinetic)"),
            (Taken(position="standing"), "with a different position"),
            (Taken(unit="kgf"), "with a different unit"),
            (Taken(fixation="belt"), "with a different fixation"),
            (Taken(lever_arm="0.35 m"), "with a different lever arm"),
            (Taken(detail="contracted"), "differently (not noted, then contracted)"),
        ],
    )
    def test_values_taken_differently_are_refused_with_the_reason(self, taken: Taken, word: str) -> None:
        result = is_real_change("q_angle", Value(D(10)), Value(D(20), taken))
        assert result.kind is ChangeKind.REFUSED
        assert result.difference is None
        assert f"taken {word}" in result.text

    def test_the_q_angle_error_is_a_setting(self) -> None:
        strict = dataclasses.replace(DEFAULTS, q_angle_error=D(5))
        result = is_real_change("q_angle", Value(D(15)), Value(D(19)), thresholds=strict)
        assert result.kind is ChangeKind.NOT_REAL

    @pytest.mark.parametrize("measure", ["groc", "womac"])
    def test_a_measure_that_is_not_compared_is_refused(self, measure: str) -> None:
        with pytest.raises(ScoringError, match="measure"):
            change(measure, "1", "2")

    @given(
        before=st.decimals(0, 100, places=1),
        after=st.decimals(0, 100, places=1),
        measure=st.sampled_from(["nprs", "koos_pf", "psfs", "lefs"]),
    )
    def test_going_back_mirrors_the_verdict(self, before: Decimal, after: Decimal, measure: str) -> None:
        mirror = {ChangeKind.IMPROVED: ChangeKind.WORSE, ChangeKind.WORSE: ChangeKind.IMPROVED}
        there = is_real_change(measure, Value(before), Value(after)).kind
        back = is_real_change(measure, Value(after), Value(before)).kind
        assert back is mirror.get(there, there)


class TestPlausibleRanges:
    @pytest.mark.parametrize("measure", RANGES)
    def test_usual_limits_lie_inside_the_hard_ones(self, measure: str) -> None:
        limits = RANGES[measure]
        assert limits.low <= limits.usual_low < limits.usual_high <= limits.high

    @pytest.mark.parametrize("measure", RANGES)
    def test_limits_are_inclusive_and_beyond_them_is_refused(self, measure: str) -> None:
        limits = RANGES[measure]
        check_range(measure, limits.low)
        check_range(measure, limits.high)
        for impossible in (limits.low - D("0.01"), limits.high + D("0.01")):
            with pytest.raises(ScoringError) as error:
                check_range(measure, impossible, field="value")
            assert error.value.field == "value"

    def test_unusual_values_are_asked_about(self) -> None:
        assert check_range("q_angle", D(25)) == ""
        assert check_range("q_angle", D("25.1")) == (
            "Q-angle 25.1 is unusual (usually 5 to 25 degrees). Is it right?"
        )

    @pytest.mark.parametrize("raw", ["NaN", "Infinity", True, 1.5, None])
    def test_what_is_no_exact_number_is_refused(self, raw: object) -> None:
        with pytest.raises(ScoringError):
            check_range("pain", raw)

    def test_an_unknown_measure_is_refused(self) -> None:
        with pytest.raises(ScoringError, match="no known range"):
            check_range("charm", 1)
