"""What the starter library is made of. Field names are those of the models they fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from patients.vocabulary import Diagnosis, MuscleGroup
from programs.rules.matching import TAGGED, Driver, TemplateFacts

DEEP_FLEXION = "deep_knee_flexion"
TAGS = frozenset({DEEP_FLEXION, *TAGGED})
DAILY = 7


class ExerciseKind(StrEnum):
    STRENGTH = "strength"
    ISOMETRIC = "isometric"
    PLYOMETRIC = "plyometric"
    STRETCH = "stretch"
    RUNNING = "running"
    MOBILITY = "mobility"


STRENGTHENING = frozenset({ExerciseKind.STRENGTH, ExerciseKind.ISOMETRIC, ExerciseKind.PLYOMETRIC})
HIP_GROUPS = frozenset(
    {MuscleGroup.HIP_ABDUCTORS, MuscleGroup.HIP_EXTERNAL_ROTATORS, MuscleGroup.HIP_EXTENSORS}
)


@dataclass(frozen=True, slots=True)
class Exercise:
    """``easier`` and ``harder`` are slugs of its neighbours, "" where there is none."""

    slug: str
    name: str
    kind: ExerciseKind
    muscle_groups: tuple[MuscleGroup, ...]
    cues: tuple[str, ...]
    source: str
    equipment: str = ""
    per_side: bool = False
    easier: str = ""
    harder: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dose:
    """How much of an exercise: ``sets`` of repetitions or of seconds, low to high; 7 a week is daily."""

    exercise: str
    position: int
    sets: int | None
    reps_low: int | None
    reps_high: int | None
    seconds_low: int | None
    seconds_high: int | None
    per_side: bool
    times_per_week: int
    tempo: str
    note: str
    source: str


@dataclass(frozen=True, slots=True)
class Stage:
    """``max_weeks`` is None where a stage has no end of its own (return to running, maintenance)."""

    number: int
    name: str
    goal: str
    advice: str
    min_days: int
    max_weeks: int | None
    is_running: bool
    doses: tuple[Dose, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A program to copy from. ``quadriceps_only`` and ``deep_flexion`` follow from its exercises."""

    slug: str
    name: str
    summary: str
    diagnoses: tuple[Diagnosis, ...]
    drivers: Mapping[Driver, int]
    maintenance: bool
    strength_per_week: int
    stages: tuple[Stage, ...]
    trains: frozenset[MuscleGroup]
    quadriceps_only: bool
    deep_flexion: bool

    @property
    def facts(self) -> TemplateFacts:
        """The template as the match sees it."""
        return TemplateFacts(
            slug=self.slug,
            name=self.name,
            diagnoses=frozenset(self.diagnoses),
            drivers=self.drivers,
            trains=self.trains,
            quadriceps_only=self.quadriceps_only,
            deep_flexion=self.deep_flexion,
            maintenance=self.maintenance,
        )


@dataclass(frozen=True, slots=True)
class Advice:
    """A text around the edges of the program: it supports the exercises and does not replace them."""

    slug: str
    title: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Library:
    """Everything in the order of the files; each slug stands once."""

    exercises: tuple[Exercise, ...]
    templates: tuple[Template, ...]
    advice: tuple[Advice, ...]
