"""A template with its exercises as plain data: what a file of it holds, and what a version keeps.

A field that says nothing is left out. Paths count from 0, as code does: ``stages[1].exercises[2].sets``.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

from patients.vocabulary import Diagnosis, MuscleGroup
from programs.rules.library.reading import Mistake, Part
from programs.rules.library.shapes import DAILY, Dose, Exercise, ExerciseKind, Stage, Template
from programs.rules.matching import Driver

FORMAT = "knee-clinic-template/1"
MAX_STAGES, MAX_DOSES, MAX_EXERCISES = 12, 40, 200
MAX_EMPHASIS = 3
TWICE_A_DAY = 2 * DAILY


class DocumentError(ValueError):
    """The data is no template: every mistake with its path."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("; ".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Document:
    """A template and the exercises it uses; a dose names its exercise by slug."""

    template: Template
    exercises: tuple[Exercise, ...]


def as_plain(document: Document) -> dict[str, Any]:
    """What a file holds."""
    return {
        "format": FORMAT,
        "template": template_as_plain(document.template),
        "exercises": [exercise_as_plain(exercise) for exercise in document.exercises],
    }


def template_as_plain(template: Template) -> dict[str, Any]:
    """What one version of a template holds."""
    return _said(
        {
            "name": template.name,
            "slug": template.slug,
            "summary": template.summary,
            "diagnoses": [str(diagnosis) for diagnosis in template.diagnoses],
            "drivers": {str(driver): weight for driver, weight in template.drivers.items()},
            "strength_per_week": template.strength_per_week,
            "maintenance": template.maintenance,
            "quadriceps_only": template.quadriceps_only,
            "deep_flexion": template.deep_flexion,
            "stages": [_stage_as_plain(stage) for stage in template.stages],
        }
    )


def exercise_as_plain(exercise: Exercise) -> dict[str, Any]:
    """As a file holds it: what is empty is left out."""
    return _said(
        {
            "slug": exercise.slug,
            "name": exercise.name,
            "kind": str(exercise.kind),
            "muscle_groups": [str(group) for group in exercise.muscle_groups],
            "cues": list(exercise.cues),
            "equipment": exercise.equipment,
            "per_side": exercise.per_side,
            "easier": exercise.easier,
            "harder": exercise.harder,
            "tags": list(exercise.tags),
            "source": exercise.source,
        }
    )


def _stage_as_plain(stage: Stage) -> dict[str, Any]:
    return _said(
        {
            "number": stage.number,
            "name": stage.name,
            "goal": stage.goal,
            "advice": stage.advice,
            "min_days": stage.min_days,
            "max_weeks": stage.max_weeks,
            "is_running": stage.is_running,
            "exercises": [_dose_as_plain(dose) for dose in stage.doses],
        },
        always=("min_days",),
    )


def _dose_as_plain(dose: Dose) -> dict[str, Any]:
    return _said(
        {
            "exercise": dose.exercise,
            "sets": dose.sets,
            "reps_low": dose.reps_low,
            "reps_high": dose.reps_high,
            "seconds_low": dose.seconds_low,
            "seconds_high": dose.seconds_high,
            "per_side": dose.per_side,
            "times_per_week": dose.times_per_week,
            "tempo": dose.tempo,
            "note": dose.note,
            "source": dose.source,
        }
    )


def _said(fields: dict[str, Any], always: tuple[str, ...] = ()) -> dict[str, Any]:
    """Without what says nothing: empty texts and lists, numbers not given, no."""
    return {
        name: value
        for name, value in fields.items()
        if name in always or not (value is None or value is False or value in ("", [], {}))
    }


def parse_document(raw: Any) -> Document:
    """A template from plain data. Raises DocumentError with every mistake found."""
    part = Part.root(raw)
    form = part.text("format", 60, required=True)
    if form and form != FORMAT:
        part.say("format", f"expected {FORMAT}")
    exercises = tuple(_exercise(each) for each in part.parts("exercises", MAX_EXERCISES))
    known = {exercise.slug for exercise in exercises}
    if len(known) < len(exercises):
        part.say("exercises", "each slug stands once")
    template = _template(part.part("template"), known)
    part.done()
    if part.mistakes:
        raise DocumentError(tuple(part.mistakes))
    return Document(template, exercises)


def _template(part: Part, known: Set[str]) -> Template:
    template = Template(
        name=part.text("name", 120, required=True),
        slug=part.slug("slug", required=True),
        summary=part.text("summary", 5000),
        diagnoses=tuple(part.terms("diagnoses", Diagnosis)),
        drivers=_drivers(part.part("drivers")),
        strength_per_week=part.number("strength_per_week", 1, DAILY) or 3,
        maintenance=part.flag("maintenance"),
        quadriceps_only=part.flag("quadriceps_only"),
        deep_flexion=part.flag("deep_flexion"),
        stages=_stages(part, known),
        trains=frozenset(),
    )
    part.done()
    if not template.diagnoses:
        part.say("diagnoses", "are missing")
    return template


def parse_stages(raw: Any, known: Set[str]) -> tuple[Stage, ...]:
    """Stages alone, as a template's plain data has them; ``known`` are the exercises that they may name.

    Raises DocumentError with every mistake found.
    """
    part = Part.root({"stages": raw})
    stages = _stages(part, known)
    if part.mistakes:
        raise DocumentError(tuple(part.mistakes))
    return stages


def _stages(part: Part, known: Set[str]) -> tuple[Stage, ...]:
    stages = tuple(
        _stage(each, number, known) for number, each in enumerate(part.parts("stages", MAX_STAGES), 1)
    )
    if not stages:
        part.say("stages", "are missing")
    return stages


def _drivers(part: Part) -> dict[Driver, int]:
    given = {driver: part.number(str(driver), 1, MAX_EMPHASIS) for driver in Driver}
    part.done()
    return {driver: weight for driver, weight in given.items() if weight}


def _stage(part: Part, expected: int, known: Set[str]) -> Stage:
    number = part.number("number", 1, MAX_STAGES, required=True)
    if number and number != expected:
        part.say("number", f"stages count 1, 2, 3 in order: expected {expected}")
    stage = Stage(
        number=expected,
        name=part.text("name", 120, required=True),
        goal=part.text("goal", 2000),
        advice=part.text("advice", 10000),
        min_days=part.number("min_days", 0, 1000, required=True) or 0,
        max_weeks=part.number("max_weeks", 0, 1000),
        is_running=part.flag("is_running"),
        doses=tuple(
            _dose(each, position, known)
            for position, each in enumerate(part.parts("exercises", MAX_DOSES), 1)
        ),
    )
    part.done()
    return stage


def _dose(part: Part, position: int, known: Set[str]) -> Dose:
    dose = Dose(
        exercise=part.slug("exercise", required=True),
        position=position,
        sets=part.number("sets", 1, 20),
        reps_low=part.number("reps_low", 0, 200),
        reps_high=part.number("reps_high", 0, 200),
        seconds_low=part.number("seconds_low", 0, 7200),
        seconds_high=part.number("seconds_high", 0, 7200),
        per_side=part.flag("per_side"),
        times_per_week=part.number("times_per_week", 1, TWICE_A_DAY) or 3,
        tempo=part.text("tempo", 80),
        note=part.text("note", 300),
        source=part.text("source", 100),
    )
    part.done()
    if dose.exercise and dose.exercise not in known:
        part.say("exercise", "this file has no such exercise")
    for kind, low, high in (
        ("reps", dose.reps_low, dose.reps_high),
        ("seconds", dose.seconds_low, dose.seconds_high),
    ):
        if low and high and low > high:
            part.say(f"{kind}_high", f"must not be below the lower number ({low})")
    return dose


def _exercise(part: Part) -> Exercise:
    exercise = Exercise(
        slug=part.slug("slug", required=True),
        name=part.text("name", 120, required=True),
        kind=part.term("kind", ExerciseKind) or ExerciseKind.STRENGTH,
        muscle_groups=tuple(part.terms("muscle_groups", MuscleGroup)),
        cues=tuple(part.texts("cues", 300)),
        equipment=part.text("equipment", 200),
        per_side=part.flag("per_side"),
        easier=part.slug("easier"),
        harder=part.slug("harder"),
        tags=tuple(part.texts("tags", 40)),
        source=part.text("source", 200),
    )
    part.done()
    return exercise


def differences(ours: Exercise, theirs: Exercise) -> tuple[str, ...]:
    """The fields in which two exercises differ, whatever their slugs."""
    mine, other = exercise_as_plain(replace(ours, slug="")), exercise_as_plain(replace(theirs, slug=""))
    return tuple(
        name for name in (*mine, *(n for n in other if n not in mine)) if mine.get(name) != other.get(name)
    )


def changes(old: Mapping[str, Any], new: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """What changed between two versions of a template, in words. ``names`` of exercises by slug."""
    found = [
        f"{name.replace('_', ' ').capitalize()} changed"
        for name in (*old, *(n for n in new if n not in old))
        if name not in ("stages", "slug") and old.get(name) != new.get(name)
    ]
    before = {stage["number"]: stage for stage in old.get("stages", [])}
    after = {stage["number"]: stage for stage in new.get("stages", [])}
    for number in sorted(before.keys() | after.keys()):
        if number not in after:
            found.append(f"Stage {number} taken out")
        elif number not in before:
            found.append(f"Stage {number} added: {after[number]['name']}")
        else:
            found += [
                f"Stage {number}: {text}" for text in _stage_changes(before[number], after[number], names)
            ]
    return found


def _stage_changes(old: Mapping[str, Any], new: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    found = [
        f"{name.replace('_', ' ')} changed"
        for name in (*old, *(n for n in new if n not in old))
        if name != "exercises" and old.get(name) != new.get(name)
    ]
    before, after = _doses(old), _doses(new)
    for key in (*before, *(k for k in after if k not in before)):
        name = names.get(key[0], key[0])
        if key not in after:
            found.append(f"{name} taken out")
        elif key not in before:
            found.append(f"{name} added, {_amount(after[key])}")
        elif before[key] != after[key]:
            found.append(f"{name}: {_amount(before[key])} is now {_amount(after[key])}")
    if not found and old != new:
        found.append("exercises in another order")
    return found


def _doses(stage: Mapping[str, Any]) -> dict[tuple[str, int], Mapping[str, Any]]:
    """By exercise, and which time it stands there."""
    found: dict[tuple[str, int], Mapping[str, Any]] = {}
    for dose in stage.get("exercises", []):
        slug = dose["exercise"]
        found[slug, sum(key[0] == slug for key in found)] = dose
    return found


def _amount(dose: Mapping[str, Any]) -> str:
    """``3 x 8 per side, 3 x a week, slow``."""
    reps, seconds = _span(dose, "reps"), _span(dose, "seconds")
    amount = " x ".join(
        part for part in (str(dose.get("sets", "")), reps or (f"{seconds} s" if seconds else "")) if part
    )
    side = "per side" if dose.get("per_side") else ""
    often = "daily" if dose["times_per_week"] == DAILY else f"{dose['times_per_week']} x a week"
    return ", ".join(filter(None, (f"{amount} {side}".strip(), often, dose.get("tempo"), dose.get("note"))))


def _span(dose: Mapping[str, Any], kind: str) -> str:
    low, high = dose.get(f"{kind}_low"), dose.get(f"{kind}_high")
    if low is None:
        return "" if high is None else f"up to {high}"
    return f"{low}-{high}" if high is not None and high != low else str(low)
