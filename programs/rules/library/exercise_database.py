"""Records of the public-domain Free Exercise DB as exercises of ours: what has no match is not guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from patients.vocabulary import MuscleGroup
from programs.rules.library.reading import Mistake, Part
from programs.rules.library.shapes import Exercise, ExerciseKind

MUSCLES = {
    "abdominals": MuscleGroup.TRUNK,
    "abductors": MuscleGroup.HIP_ABDUCTORS,
    "calves": MuscleGroup.CALF,
    "glutes": MuscleGroup.HIP_EXTENSORS,
    "lower back": MuscleGroup.TRUNK,
    "quadriceps": MuscleGroup.QUADRICEPS,
}
"""Its muscles that are a group of ours; of the others (hamstrings, adductors, the arms) we measure none."""

KINDS = {
    "strength": ExerciseKind.STRENGTH,
    "powerlifting": ExerciseKind.STRENGTH,
    "olympic weightlifting": ExerciseKind.STRENGTH,
    "strongman": ExerciseKind.STRENGTH,
    "plyometrics": ExerciseKind.PLYOMETRIC,
    "stretching": ExerciseKind.STRETCH,
}
"""Its categories that are a kind of ours; cardio is none."""

NO_EQUIPMENT = ("body only", "")
LONGEST_CUE, MOST_CUES = 300, 12
MOST_RECORDS = 500
SOURCE = "Free Exercise DB, public domain"
NOT_TAKEN = ("images", "alternateNames")


class DatabaseError(ValueError):
    """The data is none of that format: every mistake with its record."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(str(mistake) for mistake in mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class Found:
    """A record as an exercise of ours, and what was lost on the way; None where no kind fits."""

    name: str
    category: str
    exercise: Exercise | None
    muscles: tuple[str, ...]
    unmapped: tuple[str, ...]
    notices: tuple[str, ...]


def read_records(raw: Any) -> tuple[Found, ...]:
    """All records, in their order. Raises DatabaseError with every mistake found."""
    if isinstance(raw, dict):
        raw = [raw]  # its single files hold one record each
    if not isinstance(raw, list) or not raw:
        raise DatabaseError([Mistake("", "expected a list of records")])
    if len(raw) > MOST_RECORDS:
        raise DatabaseError([Mistake("", f"at most {MOST_RECORDS} records")])
    mistakes: list[Mistake] = []
    found = [_record(Part(_title(number, record), record, mistakes)) for number, record in enumerate(raw, 1)]
    if mistakes:
        raise DatabaseError(mistakes)
    return tuple(found)


def _title(number: int, record: Any) -> str:
    name = record.get("name") if isinstance(record, dict) else None
    return (
        f"record {number} ({name[:60]})"
        if isinstance(name, str) and name.isprintable()
        else f"record {number}"
    )


def _record(part: Part) -> Found:
    name, slug = part.text("name", 120, required=True), part.slug("id", required=True)
    category = part.text("category", 60, required=True)
    force = part.text("force", 20)
    equipment = part.text("equipment", 100)
    primary, secondary = part.texts("primaryMuscles", 40), part.texts("secondaryMuscles", 40)
    instructions = part.texts("instructions", 5000)
    part.ignore("level", "mechanic", *NOT_TAKEN)
    part.done()
    cues, notices = as_cues(instructions)
    kind = KINDS.get(category)
    if kind is ExerciseKind.STRENGTH and force == "static":
        kind = ExerciseKind.ISOMETRIC
    muscles = list(dict.fromkeys([*primary, *secondary]))
    trains = dict.fromkeys(MUSCLES[muscle] for muscle in muscles if muscle in MUSCLES)
    exercise = (
        None
        if kind is None
        else Exercise(
            slug=slug.lower().replace("_", "-"),
            name=name,
            kind=kind,
            muscle_groups=() if kind is ExerciseKind.STRETCH else tuple(trains),
            cues=cues,
            source=f"{SOURCE}: {slug}",
            equipment="" if equipment in NO_EQUIPMENT else equipment,
        )
    )
    return Found(
        name, category, exercise, tuple(muscles), tuple(m for m in muscles if m not in MUSCLES), notices
    )


def as_cues(instructions: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Short lines of the instructions, and what was done to long ones."""
    cues, notices = [], []
    for number, text in enumerate(filter(None, (" ".join(each.split()) for each in instructions)), 1):
        lines = _lines(text)
        if len(lines) > 1:
            notices.append(f"instruction {number} is split into {len(lines)} cues")
        for line in lines:
            if len(line) > LONGEST_CUE:
                notices.append(f"instruction {number} is cut after {LONGEST_CUE} characters")
            cues.append(line if len(line) <= LONGEST_CUE else f"{line[: LONGEST_CUE - 1].rstrip()}…")
    if len(cues) > MOST_CUES:
        notices.append(f"the last {len(cues) - MOST_CUES} cues are left out")
    return tuple(cues[:MOST_CUES]), tuple(notices)


def _lines(text: str) -> list[str]:
    """As it is, or where it is too long its sentences, as many on a line as fit."""
    if len(text) <= LONGEST_CUE:
        return [text]
    lines: list[str] = []
    for sentence in re.split(r"(?<=[.!?])\s*(?=[A-Z])", text):
        if lines and len(lines[-1]) + 1 + len(sentence) <= LONGEST_CUE:
            lines[-1] += f" {sentence}"
        else:
            lines.append(sentence)
    return lines
