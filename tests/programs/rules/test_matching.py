"""Matching, on the starter library: intake -> ranking, for, against, untreated."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from decimal import Decimal

import pytest

from clinic.thresholds import DEFAULTS
from patients.vocabulary import (
    Diagnosis,
    LoadChange,
    MuscleGroup,
    PainLocation,
    RunningTrack,
    Side,
    TightStructure,
)
from programs.library import starter_library
from programs.rules.matching import (
    AssessmentFacts,
    Candidate,
    Driver,
    FlexibilityFact,
    Match,
    SidedValue,
    StrengthFact,
    match,
)

D = Decimal
RETRO = frozenset({PainLocation.RETROPATELLAR})
LEFT, RIGHT = Side.LEFT, Side.RIGHT
TEMPLATES = tuple(template.facts for template in starter_library().templates)

BASE = "runners-knee"
HIP, QUAD, LOAD = "runners-knee-hip-led", "runners-knee-quad-led", "runners-knee-load"
MECHANICS, FLEXIBILITY, TRUNK = "runners-knee-mechanics", "runners-knee-flexibility", "runners-knee-trunk"
PFP_TEMPLATES = {BASE, HIP, QUAD, LOAD, MECHANICS, FLEXIBILITY, TRUNK}


def facts(**found: object) -> AssessmentFacts:
    known = {"diagnosis": Diagnosis.PFP, "index_side": LEFT, "age": 34} | found
    return AssessmentFacts(**known)  # type: ignore[arg-type]


def deficit(group: str, side: Side = LEFT, figure: str = "LSI 78 %") -> StrengthFact:
    return StrengthFact(MuscleGroup(group), side, True, figure)


def adequate(group: str, side: Side = LEFT, figure: str = "LSI 97 %") -> StrengthFact:
    return StrengthFact(MuscleGroup(group), side, False, figure)


def tight(structure: str, side: Side = LEFT) -> FlexibilityFact:
    return FlexibilityFact(TightStructure(structure), side, True)


def candidate(result: Match, slug: str) -> Candidate:
    return next(c for c in result.ranking if c.slug == slug)


@dataclass(frozen=True)
class Case:
    """An intake, and for its first template what speaks for it, against it, and stays untreated."""

    name: str
    intake: AssessmentFacts
    first: list[str]
    speaks_for: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    untreated: tuple[str, ...] = ()


CASES = [
    Case(
        "nothing measured: the base program",
        facts(),
        [BASE, FLEXIBILITY, HIP, LOAD, MECHANICS, QUAD, TRUNK],
    ),
    Case(
        "hip abductors weak",
        facts(strength=(deficit("hip_abductors"),)),
        [HIP, BASE],
        speaks_for=("Hip weakness (Hip abductors left: LSI 78 %): its emphasis",),
    ),
    Case(
        "quadriceps weak, hip measured and strong",
        facts(strength=(deficit("quadriceps", figure="1.70 Nm/kg"), adequate("hip_abductors"))),
        [QUAD, BASE],
        speaks_for=("Quadriceps weakness (Quadriceps left: 1.70 Nm/kg): its emphasis",),
    ),
    Case(
        "hip and quadriceps weak: equal scores, hip first by slug; VMO is trained by the wall sit",
        facts(strength=(deficit("hip_abductors"), deficit("vmo"))),
        [HIP, QUAD, BASE],
        speaks_for=(
            "Hip weakness (Hip abductors left: LSI 78 %): its emphasis",
            "Quadriceps weakness (VMO left: LSI 78 %): also treated",
        ),
    ),
    Case(
        "distance raised, strength adequate: running plan first",
        facts(
            load_changes=(LoadChange.DISTANCE,),
            weekly_km_before=D(30),
            weekly_km_now=D(42),
            strength=(adequate("hip_abductors"), adequate("quadriceps")),
        ),
        [LOAD, BASE],
        speaks_for=(
            "Training load (42 km a week, 30 before onset; more distance before onset): its emphasis",
        ),
    ),
    Case(
        "hills added and a hip deficit: the deficit leads",
        facts(load_changes=(LoadChange.HILLS,), strength=(deficit("hip_extensors"),)),
        [HIP, BASE],
        speaks_for=(
            "Hip weakness (Hip extensors left: LSI 78 %): its emphasis",
            "Training load (more hills before onset): also treated",
        ),
    ),
    Case(
        "both knees hurt and nothing else is found: load",
        facts(both_knees=True, strength=(adequate("quadriceps"), adequate("hip_abductors"))),
        [LOAD, BASE],
        speaks_for=("Training load (both knees hurt): its emphasis",),
    ),
    Case(
        "both knees hurt, and a low cadence: load still leads",
        facts(both_knees=True, cadence_spm=158),
        [LOAD, MECHANICS],
        speaks_for=("Training load (both knees hurt): its emphasis",),
        untreated=("Running mechanics (cadence 158 at easy pace, below 165)",),
    ),
    Case(
        "both knees hurt and a deficit: the running plan first is for adequate strength",
        facts(both_knees=True, strength=(deficit("hip_abductors", RIGHT, "1.1 Nm/kg"),)),
        [HIP],
        speaks_for=(
            "Training load (both knees hurt): also treated",
            "Hip weakness (Hip abductors right: 1.1 Nm/kg): its emphasis",
        ),
    ),
    Case(
        "both knees hurt, weak quadriceps, poor step-down, low cadence, distance cut: what treats all four",
        facts(
            both_knees=True,
            strength=(deficit("quadriceps", figure="1.93 Nm/kg"), deficit("quadriceps", RIGHT, "1.41 Nm/kg")),
            step_down=(SidedValue(LEFT, D(4)),),
            cadence_spm=158,
            weekly_km_before=D(45),
            weekly_km_now=D(20),
        ),
        [MECHANICS, QUAD],
        speaks_for=(
            "Training load (both knees hurt): also treated",
            "Quadriceps weakness (Quadriceps left: 1.93 Nm/kg; Quadriceps right: 1.41 Nm/kg): also treated",
            "Running mechanics (cadence 158 at easy pace, below 165): its emphasis",
            "Hip weakness (step-down left poor, 4 of 6): also treated",
        ),
    ),
    Case(
        "low cadence",
        facts(cadence_spm=158),
        [MECHANICS, BASE],
        speaks_for=("Running mechanics (cadence 158 at easy pace, below 165): its emphasis",),
    ),
    Case(
        "crossover and pelvic drop seen; worn shoes stay untreated",
        facts(crossover=True, pelvic_drop=True, shoe_km=900),
        [MECHANICS, BASE],
        speaks_for=("Running mechanics (crossover gait; pelvic drop): its emphasis",),
        untreated=("Footwear (shoes 900 km, above 805); change the shoes",),
    ),
    Case(
        "tight hamstrings",
        facts(flexibility=(tight("hamstrings"),)),
        [FLEXIBILITY, BASE],
        speaks_for=("Tightness (Hamstrings left tight): its emphasis",),
    ),
    Case(
        "only the ITB tight: too little to lead",
        facts(flexibility=(tight("itb"),)),
        [BASE, FLEXIBILITY],
        untreated=("Tightness (ITB left tight)",),
    ),
    Case(
        "weak trunk, tested on the other side: the trunk has no side",
        facts(strength=(deficit("trunk", RIGHT, "grade 4 of 5"),)),
        [TRUNK, BASE],
        speaks_for=("Trunk weakness (Trunk right: grade 4 of 5): its emphasis",),
    ),
    Case(
        "poor step-down, pronated foot, high kneecap: hip-led, the rest untreated",
        facts(
            step_down=(SidedValue(LEFT, D(4)),),
            fpi6=(SidedValue(LEFT, D(7)),),
            patella=("patella alta",),
        ),
        [HIP, BASE],
        speaks_for=("Hip weakness (step-down left poor, 4 of 6): its emphasis",),
        untreated=(
            "Foot pronation (FPI-6 left +7); orthotics may be tried; strength comes first",
            "Patellar alignment (patella alta); tape, brace or sleeve help short-term (S1, S4)",
        ),
    ),
    Case(
        "calf and foot weak: the calf is in every plan, the foot in none",
        facts(strength=(deficit("calf"), deficit("foot"))),
        [BASE, FLEXIBILITY],
        speaks_for=("Calf weakness (Calf left: LSI 78 %): also treated",),
        untreated=("Foot left: LSI 78 %: no exercise for it",),
    ),
    Case(
        "deficits on the other side only: no reason",
        facts(strength=(deficit("hip_abductors", RIGHT),), flexibility=(tight("calf", RIGHT),)),
        [BASE, FLEXIBILITY],
    ),
    Case(
        "stopped running after a break: the load program still leads, with a word against it",
        facts(load_changes=(LoadChange.BREAK,), running_track=RunningTrack.STOPPED),
        [LOAD, BASE],
        speaks_for=("Training load (running again after a break before onset): its emphasis",),
        against=("Starts from the running plan, and there is no running to cut now",),
    ),
    Case(
        "patellar tendinopathy: its one program",
        facts(diagnosis=Diagnosis.PATELLAR_TENDINOPATHY, strength=(deficit("quadriceps"),)),
        ["patellar-tendinopathy"],
        speaks_for=("Quadriceps weakness (Quadriceps left: LSI 78 %): its emphasis",),
    ),
    Case(
        "ITB syndrome with pelvic drop",
        facts(diagnosis=Diagnosis.ITB_SYNDROME, pelvic_drop=True, strength=(adequate("hip_abductors"),)),
        ["itb-syndrome"],
        speaks_for=("Running mechanics (pelvic drop): its emphasis",),
        against=("Emphasises hip weakness: measured, no deficit (Hip abductors left: LSI 97 %)",),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_intake_gives_the_ranking_with_its_reasons(case: Case) -> None:
    result = match(case.intake, TEMPLATES)

    assert result.refer is None
    assert [c.slug for c in result.ranking][: len(case.first)] == case.first
    best = result.ranking[0]
    assert best.speaks_for == case.speaks_for
    assert best.against == case.against
    assert best.untreated == case.untreated


class TestRefer:
    @pytest.mark.parametrize(
        ("intake", "reasons"),
        [
            (facts(open_red_flags=("knee locks",)), ("Open red flag: knee locks",)),
            (
                facts(open_red_flags=("locks", "fever")),
                ("Open red flag: fever", "Open red flag: locks"),
            ),
            (facts(age=17), ("Under 18: examine the hip first (internal rotation, gait)",)),
            (
                facts(age=12, hip_examined=True, hip_findings=True),
                (
                    "Under 18 with a limp, hip pain or lost hip rotation: "
                    "no weight-bearing, image the hip today",
                ),
            ),
        ],
    )
    def test_nothing_is_ranked_and_the_reason_is_given(
        self, intake: AssessmentFacts, reasons: tuple[str, ...]
    ) -> None:
        intake = dataclasses.replace(intake, strength=(deficit("hip_abductors"),))
        found = match(intake, TEMPLATES)
        assert found.next_steps
        assert found == Match(refer=reasons, drivers=(), ranking=(), notes=(), next_steps=found.next_steps)

    @pytest.mark.parametrize("intake", [facts(age=17, hip_examined=True), facts(age=18)])
    def test_an_examined_hip_or_18_years_allow_a_match(self, intake: AssessmentFacts) -> None:
        result = match(intake, TEMPLATES)
        assert result.refer is None
        assert result.ranking

    def test_an_unknown_age_is_noted(self) -> None:
        assert any("under 18" in note for note in match(facts(age=None), TEMPLATES).notes)
        assert not any("under 18" in note for note in match(facts(age=34), TEMPLATES).notes)


class TestDiagnosis:
    def test_pfp_is_offered_its_seven_programs_and_not_the_maintenance_one(self) -> None:
        assert {c.slug for c in match(facts(), TEMPLATES).ranking} == PFP_TEMPLATES

    def test_other_knee_pain_has_no_program_and_says_so(self) -> None:
        result = match(facts(diagnosis=Diagnosis.OTHER_KNEE), TEMPLATES)
        assert result.refer is None
        assert result.ranking == ()
        assert "No template is for this diagnosis (Other knee pain)" in result.notes


class TestWarnings:
    def test_quadriceps_only_work_with_a_measured_hip_deficit(self) -> None:
        intake = facts(diagnosis=Diagnosis.PATELLAR_TENDINOPATHY, strength=(deficit("hip_abductors"),))
        (tendon,) = match(intake, TEMPLATES).ranking
        assert tendon.warnings == (
            "Quadriceps-only work beside a measured hip deficit (Hip abductors left: LSI 78 %)",
        )

    @pytest.mark.parametrize(
        "intake",
        [
            facts(diagnosis=Diagnosis.PATELLAR_TENDINOPATHY, strength=(adequate("hip_abductors"),)),
            facts(diagnosis=Diagnosis.PATELLAR_TENDINOPATHY, step_down=(SidedValue(LEFT, D(6)),)),
            facts(diagnosis=Diagnosis.PATELLAR_TENDINOPATHY, strength=(deficit("quadriceps"),)),
        ],
    )
    def test_no_warning_without_a_measured_hip_deficit(self, intake: AssessmentFacts) -> None:
        assert match(intake, TEMPLATES).ranking[0].warnings == ()

    def test_a_plan_with_hip_work_is_not_warned_about(self) -> None:
        ranking = match(facts(strength=(deficit("hip_abductors"),)), TEMPLATES).ranking
        assert all(c.warnings == () for c in ranking)

    def test_deep_knee_flexion_in_a_flare(self) -> None:
        assert all(
            "deep knee flexion" in c.warnings[0] for c in match(facts(in_flare=True), TEMPLATES).ranking
        )
        itb = match(facts(in_flare=True, diagnosis=Diagnosis.ITB_SYNDROME), TEMPLATES).ranking[0]
        assert itb.warnings == ()


class TestEvidence:
    @pytest.mark.parametrize(
        ("at", "beyond", "driver"),
        [
            ({"cadence_spm": 165}, {"cadence_spm": 164}, Driver.RUNNING_MECHANICS),
            ({"shoe_km": 805}, {"shoe_km": 806}, Driver.FOOTWEAR),
            ({"shoe_age_months": 6}, {"shoe_age_months": 7}, Driver.FOOTWEAR),
            ({"shoe_wrong_fit": False}, {"shoe_wrong_fit": True}, Driver.FOOTWEAR),
            ({"load_changes": ()}, {"load_changes": (LoadChange.SHOES,)}, Driver.FOOTWEAR),
            (
                {"load_changes": (LoadChange.SHOES,)},
                {"load_changes": (LoadChange.SPEED,)},
                Driver.TRAINING_LOAD,
            ),
            (
                {"weekly_km_before": D(20), "weekly_km_now": D(26)},
                {"weekly_km_before": D(20), "weekly_km_now": D("26.1")},
                Driver.TRAINING_LOAD,
            ),
            (
                {"weekly_km_before": D("9.9"), "weekly_km_now": D(20)},
                {"weekly_km_before": D(10), "weekly_km_now": D(20)},
                Driver.TRAINING_LOAD,
            ),
            (
                {"step_down": (SidedValue(LEFT, D(3)),)},
                {"step_down": (SidedValue(LEFT, D(4)),)},
                Driver.HIP_WEAKNESS,
            ),
            (
                {"step_down": (SidedValue(RIGHT, D(6)),)},
                {"step_down": (SidedValue(LEFT, D(6)),)},
                Driver.HIP_WEAKNESS,
            ),
            ({"fpi6": (SidedValue(LEFT, D(5)),)}, {"fpi6": (SidedValue(LEFT, D(6)),)}, Driver.FOOT_PRONATION),
            ({"overstriding": False}, {"overstriding": True}, Driver.RUNNING_MECHANICS),
            ({"hip_adduction": False}, {"hip_adduction": True}, Driver.RUNNING_MECHANICS),
        ],
    )
    def test_a_driver_begins_just_beyond_its_limit(self, at: dict, beyond: dict, driver: Driver) -> None:
        assert driver not in {f.driver for f in match(facts(**at), TEMPLATES).drivers}
        assert driver in {f.driver for f in match(facts(**beyond), TEMPLATES).drivers}

    def test_limits_are_settings(self) -> None:
        strict = dataclasses.replace(DEFAULTS, low_cadence=175)
        result = match(facts(cadence_spm=170), TEMPLATES, thresholds=strict)
        assert result.ranking[0].slug == MECHANICS

    def test_what_was_measured_in_order_speaks_against_its_program(self) -> None:
        intake = facts(
            strength=(adequate("hip_abductors"), deficit("quadriceps")),
            flexibility=(FlexibilityFact(TightStructure.CALF, LEFT, False),),
            cadence_spm=172,
        )
        result = match(intake, TEMPLATES)
        assert candidate(result, HIP).against == (
            "Emphasises hip weakness: measured, no deficit (Hip abductors left: LSI 97 %)",
        )
        assert candidate(result, FLEXIBILITY).against == ("Emphasises tightness: tested, nothing tight",)
        assert candidate(result, MECHANICS).against == (
            "Emphasises running mechanics: cadence 172 at easy pace, nothing seen",
        )
        assert candidate(result, TRUNK).against == ("Emphasises trunk weakness: nothing found",)
        # In order costs more than never measured: the trunk was not tested, so it stands before them.
        assert candidate(result, TRUNK).score > candidate(result, HIP).score

    def test_an_external_rotator_deficit_is_untreated_where_no_exercise_trains_it(self) -> None:
        result = match(facts(strength=(deficit("hip_external_rotators"),)), TEMPLATES)
        assert candidate(result, HIP).untreated == ()
        assert candidate(result, BASE).untreated == (
            "Hip external rotators left: LSI 78 %: no exercise for it",
        )

    def test_many_signs_do_not_add_up_to_a_measured_deficit(self) -> None:
        signs = facts(
            strength=(deficit("hip_abductors"),),
            overstriding=True,
            crossover=True,
            pelvic_drop=True,
            hip_adduction=True,
            flexibility=(tight("hamstrings"), tight("quadriceps"), tight("calf"), tight("itb")),
        )
        assert match(signs, TEMPLATES).ranking[0].slug == HIP

    @pytest.mark.parametrize(
        ("km", "said"), [(D(27), "27 km a week, 45 before"), (D("27.1"), ""), (D(45), "")]
    )
    def test_a_distance_cut_already_speaks_against_cutting_it(self, km: Decimal, said: str) -> None:
        intake = facts(both_knees=True, weekly_km_before=D(45), weekly_km_now=km)
        against = candidate(match(intake, TEMPLATES), LOAD).against
        assert [said in text for text in against] == ([True] if said else [])

    def test_the_running_plan_first_names_the_deficit_against_it(self) -> None:
        intake = facts(both_knees=True, strength=(deficit("quadriceps"),))
        assert candidate(match(intake, TEMPLATES), LOAD).against[0] == (
            "For a load error with adequate strength: Quadriceps left: LSI 78 %"
        )

    def test_a_measured_driver_left_untreated_costs(self) -> None:
        both = match(facts(cadence_spm=150, strength=(deficit("hip_abductors"),)), TEMPLATES)
        alone = match(facts(strength=(deficit("hip_abductors"),)), TEMPLATES)
        assert candidate(both, HIP).score < candidate(alone, HIP).score

    def test_the_itb_weighs_less_than_another_tight_muscle(self) -> None:
        itb = candidate(match(facts(flexibility=(tight("itb"),)), TEMPLATES), FLEXIBILITY)
        hamstrings = candidate(match(facts(flexibility=(tight("hamstrings"),)), TEMPLATES), FLEXIBILITY)
        assert itb.score < hamstrings.score
        assert itb.against == ("Emphasises tightness: little speaks for it (Tightness (ITB left tight))",)

    def test_deficits_of_the_other_side_are_shown(self) -> None:
        result = match(facts(strength=(deficit("hip_abductors", RIGHT),)), TEMPLATES)
        assert result.drivers == ()
        assert "Other side: Hip abductors right: LSI 78 %" in result.notes


class TestBestFit:
    def test_the_first_fits_best_where_something_speaks_for_it(self) -> None:
        found = match(facts(strength=(deficit("hip_abductors"),), locations=RETRO), TEMPLATES)
        assert (found.best_fit, found.no_best_fit) == (HIP, "")

    @pytest.mark.parametrize("diagnosis", [Diagnosis.PFP, Diagnosis.ITB_SYNDROME])
    def test_none_does_while_the_diagnosis_does_not_explain_the_pain(self, diagnosis: Diagnosis) -> None:
        intake = facts(
            diagnosis=diagnosis,
            strength=(deficit("hip_abductors"),),
            locations=frozenset({PainLocation.BELOW_PATELLA}),
        )
        found = match(intake, TEMPLATES)
        assert found.ranking
        assert found.best_fit is None
        assert found.no_best_fit == (
            f"{diagnosis.label} does not explain the pain here: Just below the kneecap. Re-screen"
        )

    def test_none_does_where_nothing_speaks_for_it(self) -> None:
        found = match(facts(locations=RETRO), TEMPLATES)
        assert found.best_fit is None
        assert "Nothing found speaks for the first" in found.no_best_fit

    def test_pain_at_one_place_that_is_explained_is_enough(self) -> None:
        places = RETRO | {PainLocation.MEDIAL}
        assert match(facts(cadence_spm=150, locations=places), TEMPLATES).best_fit == MECHANICS
