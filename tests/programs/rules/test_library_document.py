"""A template as plain data and as YAML: out and in again exactly, and every mistake with its path."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.vocabulary import Diagnosis, MuscleGroup
from programs.library import starter_library
from programs.rules.library import (
    Document,
    DocumentError,
    Dose,
    Exercise,
    ExerciseKind,
    Stage,
    Template,
    as_plain,
    changes,
    differences,
    parse_document,
    template_as_plain,
)
from programs.rules.matching import Driver
from programs.services.library.yaml_text import dump_yaml, load_yaml

SLUGS = ["wall-sit", "step-down", "no", "1", "null", "0x1F", "1e3", "2026-11-22"]
PRINTABLE = st.characters(exclude_categories=("C", "Zl", "Zp"), include_characters="\n\t")


def texts(longest: int, least: int = 0) -> st.SearchStrategy[str]:
    tricky = st.sampled_from(
        ["no", "yes", "~", "1", "1:30", "- a", "a: b", "# x", "%", "*a", "&a", " a ", "'\""]
    )
    return st.one_of(st.text(PRINTABLE, min_size=least, max_size=min(longest, 40)), tricky)


def numbers(least: int, most: int) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(least, most)


exercises = st.builds(
    Exercise,
    slug=st.sampled_from(SLUGS),
    name=texts(120, 1),
    kind=st.sampled_from(ExerciseKind),
    muscle_groups=st.lists(st.sampled_from(MuscleGroup), max_size=3).map(tuple),
    cues=st.lists(texts(300, 1), max_size=3).map(tuple),
    source=texts(200),
    equipment=texts(200),
    per_side=st.booleans(),
    easier=st.sampled_from(["", *SLUGS]),
    harder=st.sampled_from(["", *SLUGS]),
    tags=st.lists(texts(40, 1), max_size=2).map(tuple),
)


def doses(slugs: list[str]) -> st.SearchStrategy[Dose]:
    return st.builds(
        Dose,
        exercise=st.sampled_from(slugs),
        position=st.just(0),
        sets=numbers(1, 20),
        reps_low=numbers(0, 8),
        reps_high=numbers(8, 200),
        seconds_low=numbers(0, 30),
        seconds_high=numbers(30, 7200),
        per_side=st.booleans(),
        times_per_week=st.integers(1, 14),
        tempo=texts(80),
        note=texts(300),
        source=texts(100),
    )


@st.composite
def documents(draw: st.DrawFn) -> Document:
    used = draw(st.lists(exercises, min_size=1, max_size=3, unique_by=lambda each: each.slug))
    stages = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        drawn = draw(st.lists(doses([each.slug for each in used]), max_size=3))
        placed = tuple(replace(dose, position=place) for place, dose in enumerate(drawn, 1))
        stages.append(
            Stage(
                number=number,
                name=draw(texts(120, 1)),
                goal=draw(texts(2000)),
                advice=draw(texts(10000)),
                min_days=draw(st.integers(0, 1000)),
                max_weeks=draw(numbers(0, 1000)),
                is_running=draw(st.booleans()),
                doses=placed,
            )
        )
    template = Template(
        slug=draw(st.sampled_from(SLUGS)),
        name=draw(texts(120, 1)),
        summary=draw(texts(5000)),
        diagnoses=tuple(draw(st.lists(st.sampled_from(Diagnosis), min_size=1, max_size=2))),
        drivers=draw(st.dictionaries(st.sampled_from(Driver), st.integers(1, 3), max_size=3)),
        maintenance=draw(st.booleans()),
        strength_per_week=draw(st.integers(1, 7)),
        stages=tuple(stages),
        trains=frozenset(),
        quadriceps_only=draw(st.booleans()),
        deep_flexion=draw(st.booleans()),
    )
    return Document(template, tuple(used))


@given(documents())
def test_out_as_yaml_and_in_again_it_is_exactly_the_same(document: Document) -> None:
    plain, lines = load_yaml(dump_yaml(as_plain(document)))
    assert parse_document(plain) == document
    assert lines["template.stages[0].number"] > 1


@pytest.fixture(scope="module")
def starter() -> list[Document]:
    library = starter_library()
    by_slug = {exercise.slug: exercise for exercise in library.exercises}
    return [
        Document(
            replace(template, trains=frozenset()),
            tuple(
                by_slug[slug]
                for slug in dict.fromkeys(d.exercise for stage in template.stages for d in stage.doses)
            ),
        )
        for template in library.templates
    ]


def test_each_starter_template_goes_out_and_in_again(starter: list[Document]) -> None:
    for document in starter:
        assert parse_document(load_yaml(dump_yaml(as_plain(document)))[0]) == document


MISTAKES: list[tuple[list[Any], Any, str]] = [
    (["format"], "x", "format: expected knee-clinic-template/1"),
    (["colour"], 1, "colour: is not a known field"),
    (["template", "name"], "", "template.name: is missing"),
    (["template", "name"], 3, "template.name: expected text: put it in quotes"),
    (["template", "name"], "x" * 121, "template.name: at most 120 characters"),
    (["template", "name"], "a\0", "template.name: holds characters that cannot be shown"),
    (["template", "slug"], "a b", "template.slug: expected letters, digits and hyphens"),
    (["template", "diagnoses"], ["gout"], "template.diagnoses[0]: expected one of pfp,"),
    (["template", "diagnoses"], [], "template.diagnoses: are missing"),
    (["template", "drivers"], {"moon": 1}, "template.drivers.moon: is not a known field"),
    (["template", "drivers"], {"tightness": 4}, "drivers.tightness: expected a whole number from 1 to 3"),
    (["template", "stages"], [], "template.stages: are missing"),
    (["template", "stages"], 3, "template.stages: expected a list"),
    (["template", "stages", 1, "number"], 3, "stages[1].number: stages count 1, 2, 3 in order: expected 2"),
    (["template", "stages", 1, "exercises", 2, "sets"], 0, "stages[1].exercises[2].sets: expected a whole"),
    (["template", "stages", 1, "exercises", 2, "sets"], True, "stages[1].exercises[2].sets: expected a"),
    (["template", "stages", 0, "exercises", 0], 5, "stages[0].exercises[0]: expected fields with values"),
    (["template", "stages", 0, "exercises", 0, "exercise"], "moon", "exercise: this file has no such"),
    (["template", "stages", 0, "exercises", 0, "seconds_high"], 5, "seconds_high: must not be below the"),
    (["template", "stages", 0, "is_running"], "yes", "is_running: expected true or false"),
    (["exercises", 0, "kind"], "magic", "exercises[0].kind: expected one of strength,"),
    (["exercises", 0, "cues"], ["x" * 301], "exercises[0].cues[0]: at most 300 characters"),
    (["exercises", 1, "slug"], "wall-sit", "exercises: each slug stands once"),
]


@pytest.mark.parametrize(("path", "value", "said"), MISTAKES)
def test_a_mistake_is_named_by_its_path(
    starter: list[Document], path: list[Any], value: Any, said: str
) -> None:
    plain: Any = copy.deepcopy(as_plain(starter[0]))
    place = plain
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(DocumentError) as caught:
        parse_document(plain)
    assert said in str(caught.value)


def test_every_mistake_is_named_at_once_and_no_endless_list(starter: list[Document]) -> None:
    plain: Any = copy.deepcopy(as_plain(starter[0]))
    for stage in plain["template"]["stages"]:
        stage["number"] = 9
        for dose in stage["exercises"]:
            dose |= {f"x{n}": 1 for n in range(20)}
    with pytest.raises(DocumentError) as caught:
        parse_document(plain)
    assert len(caught.value.mistakes) == 50


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda c: st.lists(c) | st.dictionaries(st.text(), c),
    )
)
def test_anything_else_is_refused_and_never_an_accident(raw: Any) -> None:
    with pytest.raises(DocumentError):
        parse_document(raw)


class TestChanges:
    def test_are_said_in_words(self, starter: list[Document]) -> None:
        old = template_as_plain(starter[0].template)
        new: Any = copy.deepcopy(old)
        stages = new["stages"]
        new["name"] = "Another"
        stages[0]["exercises"][1]["sets"] = 3
        stages[1]["exercises"].pop()
        stages[1]["min_days"] = 14
        stages[2]["exercises"].append({"exercise": "jumps", "sets": 3, "reps_low": 10, "times_per_week": 2})
        stages[2]["exercises"][0]["note"] = "slowly"
        del stages[3]
        assert changes(old, new, {"jumps": "Jumps"}) == [
            "Name changed",
            "Stage 1: side-lying-hip-abduction: 2 x 15 per side, 3 x a week is now "
            "3 x 15 per side, 3 x a week",
            "Stage 2: min days changed",
            "Stage 2: side-plank-hip-lift taken out",
            "Stage 3: bulgarian-split-squat: 3 x 8 per side, 3 x a week, add light dumbbells once bodyweight "
            "is easy is now 3 x 8 per side, 3 x a week, slowly",
            "Stage 3: Jumps added, 3 x 10, 2 x a week",
            "Stage 4 taken out",
        ]
        assert changes(new, old, {})[-1] == "Stage 4 added: Return to running"

    def test_of_the_same_are_none_and_of_another_order_one(self, starter: list[Document]) -> None:
        old = template_as_plain(starter[0].template)
        new: Any = copy.deepcopy(old)
        assert changes(old, new, {}) == []
        new["stages"][0]["exercises"].reverse()
        assert changes(old, new, {}) == ["Stage 1: exercises in another order"]

    @given(documents(), documents())
    def test_between_two_that_differ_there_is_always_one(self, one: Document, other: Document) -> None:
        old, new = template_as_plain(one.template), template_as_plain(other.template)
        old.pop("slug"), new.pop("slug")
        assert bool(changes(old, new, {})) == (old != new)


def test_exercises_differ_by_what_they_say_whatever_their_slug(starter: list[Document]) -> None:
    wall_sit = starter[0].exercises[0]
    assert differences(wall_sit, replace(wall_sit, slug="other")) == ()
    assert differences(wall_sit, replace(wall_sit, per_side=True, harder="")) == ("harder", "per_side")
