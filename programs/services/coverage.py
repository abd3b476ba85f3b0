"""Whether a case's program has an exercise for each measured deficit, or a written reason why not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from patients.models import Assessment, Episode
from patients.vocabulary import MuscleGroup
from programs.models import Program, ProgramDose
from programs.rules.matching import Covered, PlannedExercise, PlannedStage, StrengthFact
from programs.rules.matching import coverage as judge
from programs.services.matching import strength_facts


def coverage(*, program: Program) -> tuple[Covered, ...]:
    """Each strength deficit of the latest assessment that tested strength, stage by stage."""
    stages = program.stages.prefetch_related("doses__exercise")
    return judge(
        measured(program.episode),
        [
            PlannedStage(
                stage.number, stage.name, planned(dose for dose in stage.doses.all() if dose.is_active)
            )
            for stage in stages
        ],
        reasons_of(program),
    )


def measured(episode: Episode) -> tuple[StrengthFact, ...]:
    """The judged strength tests of the latest assessment that has any."""
    tested = Assessment.objects.filter(episode=episode, strength_tests__isnull=False)
    latest = tested.order_by("-assessed_on", "-pk").prefetch_related("strength_tests").first()
    if latest is None:
        return ()
    latest.episode = episode
    return strength_facts(latest)


def planned(doses: Iterable[ProgramDose]) -> tuple[PlannedExercise, ...]:
    """What the rule needs of a program's exercises."""
    return tuple(PlannedExercise(dose.exercise.name, dose.exercise.strengthens) for dose in doses)


def reasons_of(program: Program) -> dict[MuscleGroup, str]:
    """Why a deficit has no exercise, as written down for this program."""
    stored: Mapping[str, str] = json.loads(program.untreated_reasons or "{}")
    return {MuscleGroup(group): reason for group, reason in stored.items()}
