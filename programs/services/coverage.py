"""Whether a case's program has an exercise for each thing measured to treat, or a written reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clinic.errors import FieldError
from patients.models import Assessment, Episode
from programs.models import Program, ProgramDose
from programs.rules.matching import (
    Covered,
    Need,
    PlannedExercise,
    PlannedStage,
    Target,
    deficits,
    other_needs,
    target_of,
)
from programs.rules.matching import coverage as judge
from programs.services.matching import TESTS, facts_of_all, latest_strength

REASON_LENGTH = 500


class ReasonError(FieldError):
    """The reason can't be kept like that; the field is ``reason_<what it is of>``."""


def coverage(*, program: Program) -> tuple[Covered, ...]:
    """Each deficit that was measured and not found gone since, and what else the match would treat, stage by
    stage.
    """
    stages = program.stages.prefetch_related("doses__exercise")
    return judge(
        _needs(program.episode),
        [
            PlannedStage(
                stage.number, stage.name, planned(dose for dose in stage.doses.all() if dose.is_active)
            )
            for stage in stages
        ],
        reasons_of(program),
    )


def _needs(episode: Episode) -> tuple[Need, ...]:
    """Of each item of the case's assessments the latest."""
    tested = Assessment.objects.filter(episode=episode).order_by("assessed_on", "pk")
    assessments = list(tested.prefetch_related(*TESTS))
    for assessment in assessments:
        assessment.episode = episode
    if not assessments:
        return ()
    return (
        *deficits(latest_strength(assessments)),
        *other_needs(facts_of_all(assessments), episode.thresholds),
    )


def planned(doses: Iterable[ProgramDose]) -> tuple[PlannedExercise, ...]:
    """What the rule needs of a program's exercises."""
    return tuple(PlannedExercise(dose.exercise.name, dose.exercise.targets) for dose in doses)


def reasons_of(program: Program) -> dict[Target, str]:
    """Why a deficit has no exercise, as written down for this program."""
    lines = (line.partition(": ") for line in program.untreated_reasons.splitlines())
    return {target: reason for code, _, reason in lines if (target := target_of(code))}


def write_reasons(program: Program, reasons: Mapping[str, str]) -> None:
    """Keep why a deficit has no exercise, by what it is of; an empty text takes it back.

    Raises:
        ReasonError: there is no such thing to treat, or a text that is too long.
    """
    kept = {str(group): reason for group, reason in reasons_of(program).items()}
    for group, reason in reasons.items():
        if target_of(group) is None:
            raise ReasonError(f"reason_{group}", "There is no such thing to treat.")
        kept[group] = " ".join(reason.split())
        if len(kept[group]) > REASON_LENGTH:
            raise ReasonError(f"reason_{group}", f"At most {REASON_LENGTH} characters.")
    program.untreated_reasons = "\n".join(
        f"{group}: {reason}" for group, reason in sorted(kept.items()) if reason
    )
    program.save(update_fields=["untreated_reasons"])
