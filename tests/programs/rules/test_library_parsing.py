"""The parser of a library's files, against broken data."""

from __future__ import annotations

import pytest

from patients.vocabulary import Diagnosis, MuscleGroup
from programs.library import FOLDER
from programs.rules.library import Dose, Library, LibraryError, parse_library
from programs.rules.matching import Driver

EXERCISE = """
[hop]
name = "Hop"
kind = "plyometric"
muscle_groups = ["calf"]
cues = ["Hop."]
equipment = "none"
source = "S0"
"""
STAGE = """
[[template.stage]]
number = 1
name = "One"
goal = "Hop."
advice = "Softly."
min_days = 7
doses = [{ exercise = "hop", sets = 3, reps = 10, source = "S0" }]
"""
TEMPLATE = """
[[template]]
slug = "hopping"
name = "Hopping"
summary = "Hops."
diagnoses = ["pfp"]
drivers = { calf_weakness = 2 }
"""
VARIANT = """
[[template]]
slug = "hopping-more"
extends = "hopping"
name = "More"
summary = "More hops."
diagnoses = ["pfp"]
drivers = {}
"""


def parse(exercises: str = EXERCISE, templates: str = TEMPLATE + STAGE, advice: str = "") -> Library:
    return parse_library(exercises=exercises, templates=templates, advice=advice)


class TestParser:
    def test_a_small_library(self) -> None:
        library = parse()
        (hopping,) = library.templates
        assert hopping.drivers == {Driver.CALF_WEAKNESS: 2}
        assert hopping.trains == {MuscleGroup.CALF}
        assert hopping.stages[0].doses == (Dose("hop", 1, 3, 10, 10, None, None, False, 3, "", "", "S0"),)

    def test_the_match_sees_the_same_template(self) -> None:
        facts = parse().templates[0].facts
        assert (facts.slug, facts.diagnoses, facts.trains) == ("hopping", {Diagnosis.PFP}, {MuscleGroup.CALF})

    def test_a_stretch_of_a_muscle_does_not_train_it(self) -> None:
        (hopping,) = parse(exercises=EXERCISE.replace("plyometric", "stretch")).templates
        assert hopping.trains == frozenset()

    def test_a_variant_inherits_replaces_and_adds(self) -> None:
        dose = '{ exercise = "hop", note = "ad lib", source = "S0" }'
        more = f'[[template.stage]]\nnumber = 1\ngoal = "More."\nmore_doses = [{dose}]'
        base, variant = parse(templates=TEMPLATE + STAGE + VARIANT + more).templates
        assert (variant.stages[0].name, variant.stages[0].goal) == ("One", "More.")
        assert [d.position for d in variant.stages[0].doses] == [1, 2]
        assert len(base.stages[0].doses) == 1

    @pytest.mark.parametrize(
        ("part", "old", "new", "error"),
        [
            ("exercises", 'equipment = "none"', "", "exercises.toml: hop: equipment: is missing"),
            ("exercises", 'name = "Hop"', "", "exercises.toml: hop: name: is missing"),
            ("exercises", 'name = "Hop"', 'name = ""', "exercises.toml: hop: name: is empty"),
            ("exercises", 'name = "Hop"', "name = 3", "exercises.toml: hop: name: expected str, got 3"),
            ("exercises", "plyometric", "dance", "exercises.toml: hop: kind: expected one of strength,"),
            (
                "exercises",
                '"calf"',
                '"ear"',
                "exercises.toml: hop: muscle_groups: expected one of hip_abductors,",
            ),
            ("exercises", '["calf"]', "[]", "exercises.toml: hop: muscle_groups: are missing"),
            ("exercises", '["Hop."]', "[]", "exercises.toml: hop: cues: are missing"),
            (
                "exercises",
                "source =",
                "easier = 'sit'\nsource =",
                "exercises.toml: hop: easier: no exercise 'sit'",
            ),
            ("exercises", "source =", "tags = ['x']\nsource =", "exercises.toml: hop: tags: no tag 'x'"),
            (
                "exercises",
                "source =",
                "colour = 1\nsource =",
                "exercises.toml: hop: colour: is not a known field",
            ),
            ("exercises", "[hop]", "[hop", "exercises.toml: "),
            ("exercises", "[hop]", "x = 1\n[hop]", "exercises.toml: x: expected a table, got 1"),
            ("templates", 'slug = "hopping"', "", "templates.toml: slug: is missing"),
            ("templates", '["pfp"]', '["gout"]', "templates.toml: hopping: diagnoses: expected one of pfp,"),
            ("templates", '["pfp"]', "[]", "templates.toml: hopping: diagnoses: are missing"),
            (
                "templates",
                "calf_weakness = 2",
                "calf_weakness = 4",
                "hopping: drivers calf_weakness: an emphasis is 1",
            ),
            (
                "templates",
                "calf_weakness",
                "moon",
                "templates.toml: hopping: drivers moon: is not a known field",
            ),
            (
                "templates",
                "number = 1",
                "number = 2",
                "hopping: stage 1 number: stages count 1, 2, 3 in order",
            ),
            (
                "templates",
                "min_days = 7",
                "min_days = 0",
                "hopping: stage 1 min_days: must be 1 or more, got 0",
            ),
            (
                "templates",
                "min_days = 7",
                'min_days = 7\ntexts = ["x"]',
                "hopping: stage 1 texts: no advice 'x'",
            ),
            ("templates", '"hop"', '"skip"', "hopping: stage 1 dose 1 exercise: no exercise 'skip'"),
            (
                "templates",
                "reps = 10",
                "reps = [10, 8]",
                "stage 1 dose 1 reps: expected a number or [low, high]",
            ),
            (
                "templates",
                "reps = 10",
                "reps = 10, seconds = 5",
                "an amount is in reps or in seconds, not both",
            ),
            ("templates", "reps = 10, ", "", "stage 1 dose 1 reps: needs reps, seconds or a note"),
            ("templates", "sets = 3", "sets = true", "stage 1 dose 1 sets: expected int, got True"),
            (
                "templates",
                "sets = 3",
                "sets = 3, times_per_week = 8",
                "times_per_week: at most 7 (daily), got 8",
            ),
            ("templates", ', source = "S0" }', " }", "hopping: stage 1 dose 1 source: is missing"),
            (
                "templates",
                'name = "One"',
                'name = "One"\nmood = 1',
                "hopping: stage 1 mood: is not a known field",
            ),
        ],
    )
    def test_a_mistake_is_named_with_file_slug_and_field(
        self, part: str, old: str, new: str, error: str
    ) -> None:
        good = {"exercises": EXERCISE, "templates": TEMPLATE + STAGE}
        assert old in good[part]
        with pytest.raises(LibraryError) as caught:
            parse(**good | {part: good[part].replace(old, new, 1)})
        assert error in str(caught.value)

    @pytest.mark.parametrize(
        ("templates", "error"),
        [
            ("", "templates.toml: template: is missing"),
            ("template = [1]", "templates.toml: expected a table, got 1"),
            (TEMPLATE, "templates.toml: hopping: stages: are missing"),
            (TEMPLATE + STAGE + TEMPLATE + STAGE, "templates.toml: hopping: slug: stands twice"),
            (VARIANT, "templates.toml: hopping-more: extends: no template before it 'hopping'"),
            (
                TEMPLATE + STAGE + VARIANT + "[[template.stage]]\nnumber = 2",
                "hopping-more: stage: the template it extends has no stage 2",
            ),
        ],
    )
    def test_broken_templates_are_refused(self, templates: str, error: str) -> None:
        with pytest.raises(LibraryError) as caught:
            parse(templates=templates)
        assert error in str(caught.value)

    def test_advice_needs_its_text(self) -> None:
        with pytest.raises(LibraryError, match=r"advice\.toml: ice: text: is missing"):
            parse(advice='[ice]\ntitle = "Ice"\nsource = "S0"')

    def test_the_files_stand_beside_the_package(self) -> None:
        assert {p.name for p in FOLDER.glob("*.toml")} == {
            *("advice.toml", "drawings.toml", "exercises.toml", "templates.toml")
        }
