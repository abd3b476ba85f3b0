"""The starter library's format: three TOML texts in, frozen dataclasses out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from patients.vocabulary import Diagnosis, MuscleGroup
from programs.rules.library.entry import Entry, LibraryError
from programs.rules.library.shapes import (
    DAILY,
    DEEP_FLEXION,
    HIP_GROUPS,
    STRENGTHENING,
    TAGS,
    Advice,
    Dose,
    Exercise,
    ExerciseKind,
    Library,
    Stage,
    Template,
)
from programs.rules.matching import Driver

EXERCISES, TEMPLATES, ADVICE = "exercises.toml", "templates.toml", "advice.toml"
STRENGTH_PER_WEEK = 3  # S2; where a template or dose says nothing else
MAX_EMPHASIS = 3


def parse_library(*, exercises: str, templates: str, advice: str) -> Library:
    """The library from its three TOML texts; LibraryError at the first mistake."""
    tips = {slug: _advice(slug, raw) for slug, raw in _toml(ADVICE, advice).items()}
    moves = {slug: _exercise(slug, raw) for slug, raw in _toml(EXERCISES, exercises).items()}
    for move in moves.values():
        for field in ("easier", "harder"):
            if (neighbour := getattr(move, field)) and neighbour not in moves:
                raise LibraryError(EXERCISES, move.slug, field, f"no exercise {neighbour!r}")
    return Library(tuple(moves.values()), _templates(templates, _Shelf(moves, tips)), tuple(tips.values()))


def _toml(file: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LibraryError(file, "", "", str(error)) from None


def _advice(slug: str, raw: Any) -> Advice:
    entry = Entry(ADVICE, slug, raw)
    advice = Advice(slug, entry.take("title", str), entry.take("text", str), entry.take("source", str))
    entry.done()
    return advice


def _exercise(slug: str, raw: Any) -> Exercise:
    entry = Entry(EXERCISES, slug, raw)
    exercise = Exercise(
        slug=slug,
        name=entry.take("name", str),
        kind=entry.term("kind", ExerciseKind),
        muscle_groups=entry.terms("muscle_groups", MuscleGroup),
        cues=entry.texts("cues"),
        source=entry.take("source", str),
        equipment=_equipment(entry),
        per_side=entry.take("per_side", bool, False),
        easier=entry.take("easier", str, ""),
        harder=entry.take("harder", str, ""),
        tags=tuple(entry.known("tags", tag, TAGS, "tag") for tag in entry.texts("tags")),
    )
    entry.done()
    if not exercise.cues:
        raise entry.error("cues", "are missing")
    if exercise.kind in STRENGTHENING and not exercise.muscle_groups:
        raise entry.error("muscle_groups", "are missing")
    return exercise


def _equipment(entry: Entry) -> str:
    """Said of each exercise: "none" where it needs none."""
    equipment = entry.take("equipment", str)
    return "" if equipment == "none" else equipment


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What a template may refer to."""

    exercises: Mapping[str, Exercise]
    advice: Mapping[str, Advice]


def _templates(text: str, shelf: _Shelf) -> tuple[Template, ...]:
    raw_stages: dict[str, list[dict[str, Any]]] = {}
    templates: list[Template] = []
    for raw in Entry(TEMPLATES, "", _toml(TEMPLATES, text)).take("template", list):
        entry = Entry(TEMPLATES, str(raw.get("slug", "")) if isinstance(raw, dict) else "", raw)
        slug = entry.take("slug", str)
        if slug in raw_stages:
            raise entry.error("slug", "stands twice")
        stages = entry.take("stage", list, [])
        if base := entry.take("extends", str, ""):
            entry.known("extends", base, raw_stages, "template before it")
            stages = _extended(raw_stages[base], stages, entry)
        templates.append(_template(entry, stages, shelf))
        raw_stages[slug] = stages
    return tuple(templates)


def _extended(base: list[dict[str, Any]], own: list[Any], entry: Entry) -> list[dict[str, Any]]:
    """The base's stages with what a variant says otherwise: ``doses`` replaces, ``more_doses`` adds."""
    changes = {_number(change, entry): dict(change) for change in own}
    stages = []
    for stage in base:
        change = changes.pop(stage["number"], {})
        doses = [*change.pop("doses", stage["doses"]), *change.pop("more_doses", [])]
        stages.append({**stage, **change, "doses": doses})
    if changes:
        raise entry.error("stage", f"the template it extends has no stage {next(iter(changes))}")
    return stages


def _number(change: Any, entry: Entry) -> int:
    return entry.part("stage", change).take("number", int)


def _template(entry: Entry, raw_stages: list[Any], shelf: _Shelf) -> Template:
    per_week = entry.count("strength_per_week", STRENGTH_PER_WEEK)
    stages = tuple(
        _stage(entry.part(f"stage {number}", raw), number, per_week, shelf)
        for number, raw in enumerate(raw_stages, start=1)
    )
    used = [shelf.exercises[dose.exercise] for stage in stages for dose in stage.doses]
    trains = frozenset(group for e in used if e.kind in STRENGTHENING for group in e.muscle_groups)
    template = Template(
        slug=entry.slug,
        name=entry.take("name", str),
        summary=entry.take("summary", str),
        diagnoses=entry.terms("diagnoses", Diagnosis),
        drivers=_drivers(entry),
        maintenance=entry.take("maintenance", bool, False),
        strength_per_week=per_week,
        stages=stages,
        trains=trains,
        quadriceps_only=MuscleGroup.QUADRICEPS in trains and not trains & HIP_GROUPS,
        deep_flexion=any(DEEP_FLEXION in exercise.tags for exercise in used),
    )
    entry.done()
    for field in ("stages", "diagnoses"):
        if not getattr(template, field):
            raise entry.error(field, "are missing")
    return template


def _drivers(entry: Entry) -> dict[Driver, int]:
    raw = entry.take("drivers", dict)
    drivers = entry.part("drivers", raw)
    weights = {driver: drivers.count(driver) for driver in Driver if driver in raw}
    drivers.done()
    for driver, weight in weights.items():
        if weight > MAX_EMPHASIS:
            raise drivers.error(driver, f"an emphasis is 1 to {MAX_EMPHASIS}, got {weight}")
    return weights


def _stage(entry: Entry, number: int, per_week: int, shelf: _Shelf) -> Stage:
    if entry.take("number", int) != number:
        raise entry.error("number", f"stages count 1, 2, 3 in order; expected {number}")
    tips = [shelf.advice[entry.known("texts", tip, shelf.advice, "advice")] for tip in entry.texts("texts")]
    stage = Stage(
        number=number,
        name=entry.take("name", str),
        goal=entry.take("goal", str),
        advice="\n\n".join([entry.take("advice", str), *(f"{tip.title}: {tip.text}" for tip in tips)]),
        min_days=entry.count("min_days"),
        max_weeks=entry.optional_count("max_weeks"),
        is_running=entry.take("is_running", bool, False),
        doses=tuple(
            _dose(entry.part(f"dose {position}", raw), position, per_week, shelf)
            for position, raw in enumerate(entry.take("doses", list), start=1)
        ),
    )
    entry.done()
    if not stage.doses:
        raise entry.error("doses", "are missing")
    return stage


def _dose(entry: Entry, position: int, per_week: int, shelf: _Shelf) -> Dose:
    exercise = shelf.exercises[
        entry.known("exercise", entry.take("exercise", str), shelf.exercises, "exercise")
    ]
    reps, seconds = entry.span("reps"), entry.span("seconds")
    dose = Dose(
        exercise=exercise.slug,
        position=position,
        sets=entry.optional_count("sets"),
        reps_low=reps[0],
        reps_high=reps[1],
        seconds_low=seconds[0],
        seconds_high=seconds[1],
        per_side=exercise.per_side,
        times_per_week=entry.count("times_per_week", per_week),
        tempo=entry.take("tempo", str, ""),
        note=entry.take("note", str, ""),
        source=entry.take("source", str),
    )
    entry.done()
    if dose.reps_low and dose.seconds_low:
        raise entry.error("reps", "an amount is in reps or in seconds, not both")
    if not (dose.reps_low or dose.seconds_low or dose.note):
        raise entry.error("reps", "needs reps, seconds or a note that says how much")
    if dose.times_per_week > DAILY:
        raise entry.error("times_per_week", f"at most {DAILY} (daily), got {dose.times_per_week}")
    return dose
