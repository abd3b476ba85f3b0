"""How a patient's own program differs from the template it was copied from. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Change(StrEnum):
    """What kind of difference it is."""

    PROGRAM = "program"
    STAGE = "stage"
    ADDED = "added"
    TAKEN_OUT = "taken_out"
    REPLACED = "replaced"
    DOSE = "dose"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class PlanDose:
    """An exercise as dosed; ``exercise`` is its key in the library, ``key`` that of the row, ``place`` its
    rank among the exercises of the stage.
    """

    exercise: int
    name: str
    dose: str
    place: int
    key: int = 0


@dataclass(frozen=True, slots=True)
class PlanStage:
    """``gate`` says in words when the stage may be left; ``words`` are its other texts."""

    number: int
    name: str
    gate: str
    words: tuple[str, ...]
    doses: tuple[PlanDose, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """``key`` is that of the program's row, where there is one; ``stage`` 0 is the whole program."""

    change: Change
    stage: int
    text: str
    key: int = 0
    was: str = ""


type _Occurrence = tuple[int, int]
"""An exercise, and the how-manieth time it stands in the stage."""


def differences(template: Iterable[PlanStage], program: Iterable[PlanStage]) -> tuple[Difference, ...]:
    """Stage by stage. A stage the template does not have, or no longer has, is compared with an empty one."""
    before, after = ({stage.number: stage for stage in stages} for stages in (template, program))
    found: list[Difference] = []
    for number in sorted(before.keys() | after.keys()):
        empty = PlanStage(number, "", "", (), ())
        found += _of_stage(before.get(number, empty), after.get(number, empty))
    return tuple(found)


def _of_stage(before: PlanStage, after: PlanStage) -> Iterator[Difference]:
    number = after.number
    if before.name and not after.name:
        yield Difference(Change.STAGE, number, f"{before.name}: the stage is left out")
    elif after.name and not before.name:
        yield Difference(Change.STAGE, number, f"{after.name}: the stage was added")
    else:
        yield from _of_texts(before, after)
    was, now = _occurrences(before.doses), _occurrences(after.doses)
    gone = [dose for key, dose in was.items() if key not in now]
    new = [dose for key, dose in now.items() if key not in was]
    yield from _of_exercises(number, gone, new)
    for key in now.keys() & was.keys():
        if was[key].dose != now[key].dose:
            text = f"{now[key].name}: {now[key].dose} instead of {was[key].dose}"
            yield Difference(Change.DOSE, number, text, now[key].key, was[key].dose)
    if [key for key in was if key in now] != [key for key in now if key in was]:
        yield Difference(Change.ORDER, number, "Another order of the exercises")


def _of_texts(before: PlanStage, after: PlanStage) -> Iterator[Difference]:
    if before.name != after.name:
        yield Difference(Change.STAGE, after.number, f"Named {after.name} instead of {before.name}")
    if before.gate != after.gate:
        text = f"{after.gate} instead of {before.gate}"
        yield Difference(Change.STAGE, after.number, text, was=before.gate)
    if before.words != after.words:
        yield Difference(Change.STAGE, after.number, "Goal or advice reworded")


def _of_exercises(stage: int, gone: Sequence[PlanDose], new: Sequence[PlanDose]) -> Iterator[Difference]:
    """One that stands where another one stood replaces it."""
    places = {dose.place: dose for dose in gone}
    for dose in new:
        replaced = places.pop(dose.place, None)
        if replaced is None:
            yield Difference(Change.ADDED, stage, f"{dose.name} added, {dose.dose}", dose.key)
        else:
            text = f"{dose.name}, {dose.dose}, instead of {replaced.name}"
            yield Difference(Change.REPLACED, stage, text, dose.key, replaced.name)
    for dose in places.values():
        yield Difference(Change.TAKEN_OUT, stage, f"{dose.name} taken out")


def _occurrences(doses: Iterable[PlanDose]) -> dict[_Occurrence, PlanDose]:
    """In the order of their places."""
    seen: Counter[int] = Counter()
    found: dict[_Occurrence, PlanDose] = {}
    for dose in sorted(doses, key=lambda dose: dose.place):
        seen[dose.exercise] += 1
        found[dose.exercise, seen[dose.exercise]] = dose
    return found
