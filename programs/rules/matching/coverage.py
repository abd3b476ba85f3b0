"""Whether a program answers what was measured: each strength deficit, and the exercises that target it.

Pure. An exercise targets a deficit if it strengthens that muscle group; whether it does so now (the stall
rule's question) or in any stage (the question before a program is sent) is up to who asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from patients.vocabulary import MuscleGroup
from programs.rules.matching.drivers import StrengthFact


@dataclass(frozen=True, slots=True)
class PlannedExercise:
    """An exercise of a program and the muscle groups it strengthens: a stretch strengthens none."""

    name: str
    strengthens: frozenset[MuscleGroup]


@dataclass(frozen=True, slots=True)
class PlannedStage:
    number: int
    name: str
    exercises: tuple[PlannedExercise, ...]


@dataclass(frozen=True, slots=True)
class StageCover:
    """The names of the exercises of one stage that target a deficit; empty: none does."""

    number: int
    name: str
    exercises: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """A measured deficit: the measurements behind it, what targets it stage by stage, or why nothing does."""

    group: MuscleGroup
    deficits: tuple[str, ...]
    stages: tuple[StageCover, ...]
    reason: str = ""

    @property
    def has_exercise(self) -> bool:
        return any(stage.exercises for stage in self.stages)

    @property
    def is_open(self) -> bool:
        """Neither an exercise nor a reason: the program can't be sent like that."""
        return not (self.has_exercise or self.reason.strip())

    @property
    def first_stage(self) -> int | None:
        return next((stage.number for stage in self.stages if stage.exercises), None)


def coverage(
    strength: Iterable[StrengthFact],
    stages: Iterable[PlannedStage],
    reasons: Mapping[MuscleGroup, str] | None = None,
) -> tuple[Covered, ...]:
    """Each muscle group with a measured deficit of either side, in the order of the vocabulary."""
    stages, reasons = sorted(stages, key=lambda stage: stage.number), reasons or {}
    deficits = [test for test in strength if test.deficit]
    return tuple(
        Covered(
            group=group,
            deficits=tuple(sorted({test.text for test in deficits if test.muscle_group == group})),
            stages=tuple(_cover(stage, group) for stage in stages),
            reason=reasons.get(group, ""),
        )
        for group in MuscleGroup
        if any(test.muscle_group == group for test in deficits)
    )


def untargeted(
    strength: Iterable[StrengthFact], exercises: Iterable[PlannedExercise]
) -> tuple[StrengthFact, ...]:
    """The deficits that none of these exercises targets."""
    strengthened = frozenset[MuscleGroup]().union(*(exercise.strengthens for exercise in exercises))
    return tuple(test for test in strength if test.deficit and test.muscle_group not in strengthened)


def _cover(stage: PlannedStage, group: MuscleGroup) -> StageCover:
    names = [exercise.name for exercise in stage.exercises if group in exercise.strengthens]
    return StageCover(stage.number, stage.name, tuple(dict.fromkeys(names)))
