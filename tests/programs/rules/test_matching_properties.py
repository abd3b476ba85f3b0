"""What holds of the match whatever an intake found."""

from __future__ import annotations

import dataclasses
import random
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from patients.vocabulary import (
    Diagnosis,
    LoadChange,
    MuscleGroup,
    RunningTrack,
    Side,
    TightStructure,
)
from programs.library import starter_library
from programs.rules.matching import (
    AssessmentFacts,
    Driver,
    FlexibilityFact,
    SidedValue,
    StrengthFact,
    TemplateFacts,
    match,
)

TEMPLATES = tuple(template.facts for template in starter_library().templates)

GROUPS = st.sampled_from(MuscleGroup)
SIDES = st.sampled_from(Side)
INTAKES = st.builds(
    AssessmentFacts,
    diagnosis=st.sampled_from(Diagnosis),
    index_side=SIDES,
    both_knees=st.booleans(),
    age=st.none() | st.integers(8, 80),
    open_red_flags=st.just(()) | st.just(("locks",)),
    hip_examined=st.booleans(),
    strength=st.lists(
        st.builds(StrengthFact, GROUPS, SIDES, st.booleans(), st.sampled_from(["LSI 70 %", "LSI 95 %"])),
        max_size=6,
    ).map(tuple),
    flexibility=st.lists(
        st.builds(FlexibilityFact, st.sampled_from(TightStructure), SIDES, st.booleans()), max_size=4
    ).map(tuple),
    step_down=st.lists(st.builds(SidedValue, SIDES, st.integers(0, 6).map(Decimal)), max_size=2).map(tuple),
    fpi6=st.lists(st.builds(SidedValue, SIDES, st.integers(-12, 12).map(Decimal)), max_size=2).map(tuple),
    patella=st.lists(st.sampled_from(["patella alta", "tilt"]), unique=True).map(tuple),
    cadence_spm=st.none() | st.integers(140, 190),
    crossover=st.booleans(),
    weekly_km_now=st.none() | st.integers(0, 90).map(Decimal),
    weekly_km_before=st.none() | st.integers(0, 90).map(Decimal),
    load_changes=st.lists(st.sampled_from(LoadChange), unique=True).map(tuple),
    shoe_km=st.none() | st.integers(0, 1500),
    running_track=st.sampled_from(RunningTrack),
    in_flare=st.booleans(),
)
MADE_UP = st.lists(
    st.builds(
        TemplateFacts,
        slug=st.sampled_from(["a", "b", "c", "d", "e"]),
        name=st.just("made up"),
        diagnoses=st.frozensets(st.sampled_from(Diagnosis)),
        drivers=st.dictionaries(st.sampled_from(Driver), st.integers(1, 3)),
        trains=st.frozensets(GROUPS),
        quadriceps_only=st.booleans(),
        deep_flexion=st.booleans(),
        maintenance=st.booleans(),
    ),
    unique_by=lambda template: template.slug,
).map(tuple)


def shuffled(intake: AssessmentFacts, seed: int) -> AssessmentFacts:
    lists = ("strength", "flexibility", "step_down", "fpi6", "patella", "load_changes", "open_red_flags")
    dice = random.Random(seed)
    return dataclasses.replace(
        intake, **{name: tuple(dice.sample(value := getattr(intake, name), len(value))) for name in lists}
    )


class TestProperties:
    @given(INTAKES, MADE_UP)
    def test_never_a_template_across_a_diagnosis_nor_a_maintenance_one(
        self, intake: AssessmentFacts, templates: tuple[TemplateFacts, ...]
    ) -> None:
        result = match(intake, templates)
        by_slug = {t.slug: t for t in templates}
        for ranked in result.ranking:
            assert intake.diagnosis in by_slug[ranked.slug].diagnoses
            assert not by_slug[ranked.slug].maintenance

    @given(INTAKES, MADE_UP, st.integers())
    def test_the_order_of_inputs_changes_nothing(
        self, intake: AssessmentFacts, templates: tuple[TemplateFacts, ...], seed: int
    ) -> None:
        mixed = tuple(random.Random(seed).sample(templates, len(templates)))
        assert match(intake, templates) == match(shuffled(intake, seed), mixed)

    @given(INTAKES)
    def test_a_ranking_or_a_reason_to_refer_never_both(self, intake: AssessmentFacts) -> None:
        result = match(intake, TEMPLATES)
        flagged = bool(intake.open_red_flags)
        hip_first = intake.age is not None and intake.age < 18 and not intake.hip_examined
        assert (result.refer is not None) == (flagged or hip_first)
        assert result.refer is None or result.ranking == ()

    @given(INTAKES, st.lists(st.builds(SidedValue, SIDES, st.integers(5, 30).map(Decimal))).map(tuple))
    def test_the_q_angle_is_shown_and_never_changes_drivers_or_ranking(
        self, intake: AssessmentFacts, q_angles: tuple[SidedValue, ...]
    ) -> None:
        without, with_them = (
            match(intake, TEMPLATES),
            match(dataclasses.replace(intake, q_angles=q_angles), TEMPLATES),
        )
        assert (with_them.refer, with_them.drivers, with_them.ranking) == (
            without.refer,
            without.drivers,
            without.ranking,
        )
        if without.refer is None:
            shown = sum(note.startswith("Q-angle") for note in with_them.notes)
            assert shown == len(q_angles)

    @given(INTAKES)
    def test_every_found_driver_is_accounted_for_in_every_candidate(self, intake: AssessmentFacts) -> None:
        result = match(intake, TEMPLATES)
        for ranked in result.ranking:
            said = " ".join(ranked.speaks_for + ranked.against + ranked.untreated)
            assert all(any(text in said for text in found.evidence) for found in result.drivers)

    @given(INTAKES)
    def test_scores_descend_and_equal_ones_stand_by_slug(self, intake: AssessmentFacts) -> None:
        keys = [(-c.score, c.slug) for c in match(intake, TEMPLATES).ranking]
        assert keys == sorted(keys)

    @given(INTAKES)
    def test_pain_in_both_knees_always_finds_a_load_driver(self, intake: AssessmentFacts) -> None:
        result = match(dataclasses.replace(intake, both_knees=True), TEMPLATES)
        assert result.refer is not None or result.drivers[0].driver is Driver.TRAINING_LOAD
