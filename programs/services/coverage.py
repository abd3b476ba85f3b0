"""Whether a case's program has an exercise for each measured deficit, or a written reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clinic.errors import FieldError
from patients.models import Assessment, Episode
from patients.vocabulary import MuscleGroup
from programs.models import Program, ProgramDose
from programs.rules.matching import Covered, PlannedExercise, PlannedStage, StrengthFact
from programs.rules.matching import coverage as judge
from programs.services.matching import strength_facts

REASON_LENGTH = 500


class ReasonError(FieldError):
    """The reason can't be kept like that; the field is ``reason_<muscle group>``."""


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
    lines = (line.partition(": ") for line in program.untreated_reasons.splitlines())
    return {MuscleGroup(group): reason for group, _, reason in lines if group in set(MuscleGroup)}


def write_reasons(program: Program, reasons: Mapping[str, str]) -> None:
    """Keep why a deficit has no exercise, by muscle group; an empty text takes it back.

    Raises:
        ReasonError: no such muscle group, or a text that is too long.
    """
    kept = {str(group): reason for group, reason in reasons_of(program).items()}
    for group, reason in reasons.items():
        if group not in set(MuscleGroup):
            raise ReasonError(f"reason_{group}", "There is no such muscle group.")
        if len(reason) > REASON_LENGTH:
            raise ReasonError(f"reason_{group}", f"At most {REASON_LENGTH} characters.")
        kept[group] = " ".join(reason.split())
    program.untreated_reasons = "\n".join(
        f"{group}: {reason}" for group, reason in sorted(kept.items()) if reason
    )
    program.save(update_fields=["untreated_reasons"])
