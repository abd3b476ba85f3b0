"""Whether a program answers what was measured: each need, and the exercises that are for it.

Pure. A need is a strength deficit of either side, or another driver that the match finds by measuring and an
exercise can treat: a poor step-down, a tight muscle, a low cadence. Whether an exercise is there now (the
stall rule's question) or in any stage (the question before a program is sent) is up to who asks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from clinic.thresholds import DEFAULTS, Thresholds
from patients.vocabulary import MuscleGroup, Term, TightStructure
from programs.rules.matching.drivers import GROUPS_OF, Driver, low_cadence, poor_step_downs, tight_structures
from programs.rules.matching.facts import AssessmentFacts, StrengthFact


class Skill(Term):
    """What is treated that is no muscle group's strength. Of the lateral structures nothing is asked (S3)."""

    HIP_CONTROL = "hip_control"
    HAMSTRING_LENGTH = "hamstring_length"
    QUADRICEPS_LENGTH = "quadriceps_length"
    CALF_LENGTH = "calf_length"
    RUNNING_FORM = "running_form"


type Target = MuscleGroup | Skill
"""What an exercise can be for."""

TARGETS: tuple[Target, ...] = (*MuscleGroup, *Skill)
TAGGED: tuple[Skill, ...] = tuple(skill for skill in Skill if skill is not Skill.HIP_CONTROL)
"""An exercise says by a tag that it is for one of these."""
LENGTH_OF: Mapping[TightStructure, Skill] = {
    TightStructure.HAMSTRINGS: Skill.HAMSTRING_LENGTH,
    TightStructure.QUADRICEPS: Skill.QUADRICEPS_LENGTH,
    TightStructure.CALF: Skill.CALF_LENGTH,
}


def targets(strengthens: Collection[MuscleGroup], tags: Iterable[str]) -> frozenset[Target]:
    """What an exercise with these muscle groups and tags is for: strong hips control a step-down."""
    skills = {Skill(tag) for tag in tags if tag in TAGGED}
    if GROUPS_OF[Driver.HIP_WEAKNESS].intersection(strengthens):
        skills.add(Skill.HIP_CONTROL)
    return frozenset({*strengthens, *skills})


def target_of(code: str) -> Target | None:
    """The one of this code."""
    return next((target for target in TARGETS if target == code), None)


@dataclass(frozen=True, slots=True)
class Need:
    """Something to treat, and the measurement that says so, in words."""

    target: Target
    text: str


@dataclass(frozen=True, slots=True)
class PlannedExercise:
    """An exercise of a program and what it is for: a stretch strengthens no muscle group."""

    name: str
    targets: frozenset[Target]


@dataclass(frozen=True, slots=True)
class PlannedStage:
    number: int
    name: str
    exercises: tuple[PlannedExercise, ...]


@dataclass(frozen=True, slots=True)
class StageCover:
    """The names of the exercises of one stage that are for a need; empty: none is."""

    number: int
    name: str
    exercises: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """A need: the measurements behind it, what is for it stage by stage, or why nothing is."""

    group: Target
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


def deficits(strength: Iterable[StrengthFact]) -> tuple[Need, ...]:
    """A need for each measured deficit of either side."""
    return tuple(Need(test.muscle_group, test.text) for test in strength if test.deficit)


def other_needs(facts: AssessmentFacts, thresholds: Thresholds = DEFAULTS) -> tuple[Need, ...]:
    """What else was measured and can be treated, where it counts: of the index side, or of both that hurt."""
    needs = [Need(Skill.HIP_CONTROL, text) for _, text in poor_step_downs(facts)]
    needs += [
        Need(LENGTH_OF[test.structure], text)
        for test, text in tight_structures(facts)
        if test.structure in LENGTH_OF
    ]
    if text := low_cadence(facts, thresholds):
        needs.append(Need(Skill.RUNNING_FORM, text))
    return tuple(needs)


def coverage(
    needs: Iterable[Need], stages: Iterable[PlannedStage], reasons: Mapping[Target, str] | None = None
) -> tuple[Covered, ...]:
    """Each thing there is a need for, muscle groups first."""
    stages, reasons = sorted(stages, key=lambda stage: stage.number), reasons or {}
    needs = list(needs)
    return tuple(
        Covered(
            group=target,
            deficits=tuple(sorted({need.text for need in needs if need.target == target})),
            stages=tuple(_cover(stage, target) for stage in stages),
            reason=reasons.get(target, ""),
        )
        for target in TARGETS
        if any(need.target == target for need in needs)
    )


def untargeted(
    strength: Iterable[StrengthFact], exercises: Iterable[PlannedExercise]
) -> tuple[StrengthFact, ...]:
    """The deficits that none of these exercises targets."""
    targeted = frozenset[Target]().union(*(exercise.targets for exercise in exercises))
    return tuple(test for test in strength if test.deficit and test.muscle_group not in targeted)


def _cover(stage: PlannedStage, target: Target) -> StageCover:
    names = [exercise.name for exercise in stage.exercises if target in exercise.targets]
    return StageCover(stage.number, stage.name, tuple(dict.fromkeys(names)))
