"""The starter library: complete against the written programs."""

from __future__ import annotations

import re

import pytest

from patients.vocabulary import Diagnosis, MuscleGroup
from programs.library import starter_library
from programs.rules.library import Dose, ExerciseKind, Library, Stage, Template
from programs.rules.matching import Driver

HIP_GROUPS = {MuscleGroup.HIP_ABDUCTORS, MuscleGroup.HIP_EXTERNAL_ROTATORS, MuscleGroup.HIP_EXTENSORS}

SLUGS = [
    "runners-knee",
    "runners-knee-hip-led",
    "runners-knee-quad-led",
    "runners-knee-load",
    "runners-knee-mechanics",
    "runners-knee-flexibility",
    "runners-knee-trunk",
    "patellar-tendinopathy",
    "itb-syndrome",
    "maintenance",
]


@pytest.fixture(scope="module")
def library() -> Library:
    return starter_library()


def template(library: Library, slug: str) -> Template:
    return next(t for t in library.templates if t.slug == slug)


def amount(dose: Dose) -> str:
    """A dose as written in the tables: "3 x 8 per side", "5 x 30-45 s daily"; "!" where it is our default."""
    low, high = (dose.reps_low, dose.reps_high) if dose.reps_low else (dose.seconds_low, dose.seconds_high)
    span = "" if low is None else str(low) if low == high else f"{low}-{high}"
    text = " x ".join(part for part in (str(dose.sets or ""), span) if part)
    text += " s" if dose.seconds_low else ""
    text += " per side" if dose.per_side else ""
    text += " daily" if dose.times_per_week == 7 else ""
    return text + (" !" if dose.source == "our default" else "")


def doses(library: Library, slug: str, number: int) -> dict[str, str]:
    stage = template(library, slug).stages[number - 1]
    return {dose.exercise: amount(dose) for dose in stage.doses}


BASE_1 = {
    "wall-sit": "5 x 30-45 s daily",
    "side-lying-hip-abduction": "2 x 15 per side",
    "calf-raise": "3 x 15",
}
BASE_2 = {
    "spanish-squat": "3 x 10",
    "step-down": "3 x 8 per side",
    "single-leg-bridge": "3 x 10 per side",
    "side-plank-hip-lift": "3 x 8 per side !",
}
BASE_3 = {
    "bulgarian-split-squat": "3 x 8 per side",
    "walking-lunge": "3 x 8 per side !",
    "single-leg-calf-raise": "3 x 10 per side !",
    "pogo-hops": "3 x 30 s",
}
BASE_4 = {
    "run-walk": "8 x 60 s",
    "bulgarian-split-squat": "3 x 8 per side",
    "step-down": "3 x 8 per side",
    "single-leg-calf-raise": "3 x 10 per side !",
}
STRETCHES = {
    "hamstring-stretch": "3 x 30 s per side !",
    "quadriceps-stretch": "3 x 30 s per side !",
    "strap-itb-stretch": "3 x 30 s per side !",
}
HIP_2 = {
    "step-down": "3 x 8 per side",
    "single-leg-bridge": "3 x 10 per side",
    "side-plank-hip-lift": "3 x 8 per side !",
    "lateral-band-walk": "3 x 10 per side !",
}
HIP_3 = {
    "bulgarian-split-squat": "3 x 8 per side",
    "pogo-hops": "3 x 30 s",
    "single-leg-squat": "3 x 8 per side !",
}
QUAD_1 = BASE_1 | {
    "straight-leg-raise": "2 x 10 per side !",
    "straight-leg-raise-out": "2 x 10 per side !",
    "terminal-knee-extension": "3 x 12 per side !",
}
QUAD_2 = {
    "spanish-squat": "3 x 10",
    "step-down": "3 x 8 per side",
    "single-leg-bridge": "3 x 10 per side",
    "step-up": "3 x 10 per side !",
}
GAIT = {"gait-cue-run": "600 s !"}
SQUEEZE = {"bridge-with-squeeze": "3 x 10 !"}
PLANKS = {"full-plank": "3", "side-plank": "3 per side"}

CONTENT = {
    "runners-knee": [BASE_1, BASE_2, BASE_3, BASE_4],
    "runners-knee-hip-led": [BASE_1 | {"clamshell": "2 x 15 per side !"}, HIP_2, HIP_3, BASE_4],
    "runners-knee-quad-led": [QUAD_1, QUAD_2, BASE_3, BASE_4],
    "runners-knee-load": [
        BASE_1 | {"easy-run": " !"},
        BASE_2 | {"easy-run": " !"},
        BASE_3 | {"easy-run": " !"},
        BASE_4,
    ],
    "runners-knee-mechanics": [
        BASE_1 | {"metronome-run": "600 s !"},
        BASE_2 | {"metronome-run": "600 s !"} | GAIT,
        BASE_3 | GAIT,
        BASE_4,
    ],
    "runners-knee-flexibility": [
        BASE_1 | STRETCHES,
        BASE_2 | STRETCHES,
        BASE_3 | STRETCHES,
        BASE_4 | STRETCHES,
    ],
    "runners-knee-trunk": [
        BASE_1 | {"knee-plank": "3"} | SQUEEZE,
        BASE_2 | PLANKS | SQUEEZE,
        BASE_3 | PLANKS | {"single-leg-bridge": "3 x 10 per side"},
        BASE_4,
    ],
    "patellar-tendinopathy": [
        {"wall-sit-90": "5 x 30-45 s daily !"},
        {"leg-press": "4 x 8-15 !"},
        {"leg-press": "4 x 6 !", "jumps": "3 x 10 !"},
        {"run-walk": "8 x 60 s !", "leg-press": "4 x 6 !"},
    ],
    "itb-syndrome": [
        {
            "side-lying-hip-abduction": "2 x 15 per side !",
            "clamshell": "2 x 15 per side !",
            "easy-run": " !",
        },
        {
            "lateral-band-walk": "3 x 10 per side !",
            "side-plank-hip-lift": "3 x 8 per side !",
            "single-leg-bridge": "3 x 10 per side !",
        },
        {"run-walk": "8 x 60 s !", "single-leg-squat": "3 x 8 per side !"},
    ],
    "maintenance": [
        {
            "step-down": "3 x 8 per side",
            "side-plank": "3 per side",
            "single-leg-calf-raise": "3 x 10 per side !",
        }
        | STRETCHES
    ],
}


WEEKS = {
    **{slug: [(7, 2), (21, 4), (21, 4), (7, None)] for slug in SLUGS if slug.startswith("runners-knee")},
    "patellar-tendinopathy": [(7, 2), (21, 6), (21, 6), (7, None)],
    "itb-syndrome": [(7, 2), (21, 4), (7, None)],
    "maintenance": [(28, None)],
}
"""Least days and most weeks of each stage."""

OFTEN = [
    ("runners-knee", 4, "run-walk", 3, "2 minutes of walking"),
    ("runners-knee", 4, "step-down", 2, ""),
    ("runners-knee", 3, "single-leg-calf-raise", 3, "then with weight"),
    ("runners-knee", 3, "walking-lunge", 3, "past the toes"),
    ("runners-knee-load", 1, "easy-run", 3, "40 % less distance a week than before, for 2 weeks"),
    ("runners-knee-load", 2, "easy-run", 3, "at most 10 % more distance a week while green"),
    ("runners-knee-mechanics", 1, "metronome-run", 2, "below 165 at easy pace: 5 % more"),
    ("runners-knee-mechanics", 2, "metronome-run", 2, "then 10 % more"),
    ("runners-knee-flexibility", 1, "strap-itb-stretch", 3, ""),
    ("runners-knee-trunk", 2, "side-plank", 3, "until form fails"),
    ("patellar-tendinopathy", 2, "leg-press", 3, "from 4 x 15 down to 4 x 8"),
    ("itb-syndrome", 1, "easy-run", 3, "before the onset distance"),
    ("maintenance", 1, "step-down", 2, "2-3 times a week"),
]


class TestStarterLibrary:
    @pytest.mark.parametrize("slug", SLUGS)
    def test_each_program_has_its_weeks(self, library: Library, slug: str) -> None:
        assert [(s.min_days, s.max_weeks) for s in template(library, slug).stages] == WEEKS[slug]

    @pytest.mark.parametrize(("slug", "number", "exercise", "times", "note"), OFTEN)
    def test_how_often_and_how_is_as_written(
        self, library: Library, slug: str, number: int, exercise: str, times: int, note: str
    ) -> None:
        (dose,) = (d for d in template(library, slug).stages[number - 1].doses if d.exercise == exercise)
        assert dose.times_per_week == times
        assert note in dose.note

    def test_has_every_template_in_order_the_first_is_runners_knee(self, library: Library) -> None:
        assert [t.slug for t in library.templates] == SLUGS

    @pytest.mark.parametrize(
        ("slug", "number"), [(s, n) for s in SLUGS for n in range(1, len(CONTENT[s]) + 1)]
    )
    def test_a_stage_holds_the_doses_of_the_written_program(
        self, library: Library, slug: str, number: int
    ) -> None:
        assert doses(library, slug, number) == CONTENT[slug][number - 1]
        assert len(template(library, slug).stages) == len(CONTENT[slug])

    def test_the_four_stages_with_their_weeks(self, library: Library) -> None:
        stages = template(library, "runners-knee").stages
        assert [(s.name, s.min_days, s.max_weeks, s.is_running) for s in stages] == [
            ("Settle", 7, 2, False),
            ("Foundation", 21, 4, False),
            ("Range and speed", 21, 4, False),
            ("Return to running", 7, None, True),
        ]

    @pytest.mark.parametrize("slug", [s for s in SLUGS if s.startswith("runners-knee")])
    def test_variants_keep_the_base_stages(self, library: Library, slug: str) -> None:
        def frame(stage: Stage) -> tuple:
            return stage.number, stage.name, stage.goal, stage.min_days, stage.max_weeks, stage.is_running

        base = template(library, "runners-knee").stages
        assert [frame(s) for s in template(library, slug).stages] == [frame(s) for s in base]

    def test_strength_is_three_times_a_week_twice_for_a_load_error(self, library: Library) -> None:
        per_week = {t.slug: t.strength_per_week for t in library.templates}
        assert per_week == dict.fromkeys(SLUGS, 3) | {"runners-knee-load": 2, "maintenance": 2}
        assert self.frequencies(library, "runners-knee") == {
            "wall-sit": 7,
            "side-lying-hip-abduction": 3,
            "calf-raise": 3,
        }
        assert self.frequencies(library, "runners-knee-load") == {
            "wall-sit": 7,
            "side-lying-hip-abduction": 2,
            "calf-raise": 2,
            "easy-run": 3,
        }

    @staticmethod
    def frequencies(library: Library, slug: str) -> dict[str, int]:
        return {d.exercise: d.times_per_week for d in template(library, slug).stages[0].doses}

    def test_no_stage_asks_for_more_than_three_ladder_runs_or_two_metronome_runs(
        self, library: Library
    ) -> None:
        for stage in (stage for t in library.templates for stage in t.stages):
            for dose in stage.doses:
                assert dose.exercise != "run-walk" or dose.times_per_week == 3
                assert dose.exercise != "metronome-run" or dose.times_per_week == 2

    def test_each_stage_of_every_pfp_program_trains_the_hip(self, library: Library) -> None:
        groups = {e.slug: set(e.muscle_groups) for e in library.exercises}
        for t in library.templates:
            if Diagnosis.PFP in t.diagnoses:
                for stage in t.stages:
                    assert any(groups[dose.exercise] & HIP_GROUPS for dose in stage.doses), (
                        t.slug,
                        stage.number,
                    )

    def test_the_tendon_program_is_the_only_quadriceps_only_one(self, library: Library) -> None:
        assert [t.slug for t in library.templates if t.quadriceps_only] == ["patellar-tendinopathy"]

    def test_deep_knee_flexion_is_known_where_it_is(self, library: Library) -> None:
        assert [t.slug for t in library.templates if not t.deep_flexion] == ["itb-syndrome", "maintenance"]

    def test_each_variant_has_its_own_main_driver(self, library: Library) -> None:
        leads = {t.slug: [d for d, emphasis in t.drivers.items() if emphasis == 3] for t in library.templates}
        assert leads == {
            "runners-knee": [],
            "runners-knee-hip-led": [Driver.HIP_WEAKNESS],
            "runners-knee-quad-led": [Driver.QUADRICEPS_WEAKNESS],
            "runners-knee-load": [Driver.TRAINING_LOAD],
            "runners-knee-mechanics": [Driver.RUNNING_MECHANICS],
            "runners-knee-flexibility": [Driver.TIGHTNESS],
            "runners-knee-trunk": [Driver.TRUNK_WEAKNESS],
            "patellar-tendinopathy": [Driver.QUADRICEPS_WEAKNESS],
            "itb-syndrome": [Driver.HIP_WEAKNESS],
            "maintenance": [],
        }

    def test_only_maintenance_is_for_after_discharge(self, library: Library) -> None:
        assert [t.slug for t in library.templates if t.maintenance] == ["maintenance"]

    def test_running_advice_is_in_the_words_of_the_program(self, library: Library) -> None:
        settle, *_, running = template(library, "runners-knee").stages
        assert "30 to 50 % less, no steep downhills and no intervals" in settle.advice
        assert "Ice and elevation: They calm" in settle.advice
        assert "downhills very last" in running.advice
        load = template(library, "runners-knee-load").stages
        assert "40 % less for 2 weeks" in load[0].advice
        assert "at most 10 % distance a week" in load[1].advice

    def test_who_has_stopped_is_not_told_to_run(self, library: Library) -> None:
        """The app shows a stage's advice to everybody: before the stage of running it says whom it means."""
        told = {
            (t.slug, stage.number): stage.advice.splitlines()[0]
            for t in library.templates
            if not t.maintenance
            for stage in t.stages
            if not stage.is_running and re.search(r"\b(run|runs|running|distance)\b", stage.advice)
        }
        del told["patellar-tendinopathy", 3]  # "running comes after the jumps": nobody is told to run
        assert len(told) > 10
        for where, text in told.items():
            assert re.split(r"\b(?:run|runs|running|distance)\b", text)[0].endswith("If you still "), where

    def test_advice_around_the_edges_is_complete_and_used(self, library: Library) -> None:
        assert [a.slug for a in library.advice] == ["ice", "support", "orthotics", "shoes", "sleep", "stride"]
        texts = "\n".join(stage.advice for t in library.templates for stage in t.stages)
        assert [a.slug for a in library.advice if a.text not in texts] == []

    def test_every_exercise_has_short_cues_and_a_source(self, library: Library) -> None:
        for exercise in library.exercises:
            assert 3 <= len(exercise.cues) <= 4, exercise.slug
            assert all(len(cue) <= 80 for cue in exercise.cues), exercise.slug
            assert exercise.source, exercise.slug

    def test_harder_never_leads_back_in_a_circle(self, library: Library) -> None:
        by_slug = {e.slug: e for e in library.exercises}
        for exercise in library.exercises:
            chain = [exercise.slug]
            while harder := by_slug[chain[-1]].harder:
                assert harder not in chain, f"{exercise.slug} gets harder in a circle"
                chain.append(harder)

    def test_easier_and_harder_name_each_other(self, library: Library) -> None:
        by_slug = {e.slug: e for e in library.exercises}
        for exercise in library.exercises:
            assert not exercise.harder or by_slug[exercise.harder].easier == exercise.slug, exercise.slug
            assert not exercise.easier or by_slug[exercise.easier].harder == exercise.slug, exercise.slug

    def test_every_exercise_has_an_easier_or_a_harder_one_but_stretches(self, library: Library) -> None:
        """A stretch is dosed by its pull."""
        alone = {e.slug for e in library.exercises if not (e.easier or e.harder)}
        assert alone == {"hamstring-stretch", "quadriceps-stretch", "strap-itb-stretch"}

    def test_what_is_done_side_by_side_says_so(self, library: Library) -> None:
        both_at_once = {e.slug for e in library.exercises if not e.per_side}
        assert both_at_once == {
            *("wall-sit", "wall-sit-90", "squat-to-chair", "spanish-squat", "leg-press"),
            *("bridge-with-squeeze", "knee-plank", "full-plank", "calf-raise", "pogo-hops", "jumps"),
            *("run-walk", "easy-run", "metronome-run", "gait-cue-run"),
        }

    def test_the_others_say_what_they_need(self, library: Library) -> None:
        bare = {e.slug for e in library.exercises if not e.equipment}
        assert bare == {
            *("straight-leg-raise", "straight-leg-raise-out", "single-leg-squat", "walking-lunge"),
            *("side-lying-hip-abduction", "clamshell", "single-leg-bridge", "knee-plank", "full-plank"),
            *("side-plank", "side-plank-hip-lift", "calf-raise", "jumps", "quadriceps-stretch"),
            *("run-walk", "easy-run", "gait-cue-run"),
        }

    def test_unused_exercises_are_the_next_step_of_a_used_one(self, library: Library) -> None:
        used = {dose.exercise for t in library.templates for stage in t.stages for dose in stage.doses}
        neighbours = {n for e in library.exercises if e.slug in used for n in (e.easier, e.harder)}
        assert {e.slug for e in library.exercises} - used <= neighbours | {"clamshell-banded"}

    def test_texts_fit_their_columns(self, library: Library) -> None:
        for exercise in library.exercises:
            assert len(exercise.slug) <= 80
            assert len(exercise.name) <= 120
            assert len(exercise.equipment) <= 200
        for t in library.templates:
            assert len(t.name) <= 120
            for dose in (dose for stage in t.stages for dose in stage.doses):
                assert len(dose.note) <= 300
                assert len(dose.tempo) <= 80
                assert len(dose.source) <= 100

    def test_stretches_and_runs_train_no_muscle_group(self, library: Library) -> None:
        for exercise in library.exercises:
            strengthens = exercise.kind not in {
                ExerciseKind.STRETCH,
                ExerciseKind.RUNNING,
                ExerciseKind.MOBILITY,
            }
            assert bool(exercise.muscle_groups) == strengthens, exercise.slug
