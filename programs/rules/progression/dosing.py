"""What one step is for strength work, said exactly: sets of each exercise, or a stage. It is our default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from clinic.thresholds import Thresholds
from programs.rules.pain import Proposal


class StepKind(StrEnum):
    """What changes."""

    STAGE_ON = "stage_on"
    STAGE_BACK = "stage_back"
    SETS = "sets"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class DoseFacts:
    """An exercise in use in the present stage. ``was_red``: done in the session that asks to ease."""

    id: int
    name: str
    sets: int | None
    was_red: bool = False


@dataclass(frozen=True, slots=True)
class SetsChange:
    """The sets of one exercise, before and after."""

    id: int
    name: str
    before: int
    after: int

    @property
    def text(self) -> str:
        return f"{self.name}: {self.before} to {self.after} {'set' if self.after == 1 else 'sets'}"


@dataclass(frozen=True, slots=True)
class StrengthStep:
    """One step, ready to be confirmed; ``why`` says how it was chosen, ``kept`` which exercises stay."""

    kind: StepKind
    why: str
    changes: tuple[SetsChange, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepFacts:
    """Where the program stands: whether the gate ahead is open, and whether there is a stage behind."""

    doses: Sequence[DoseFacts]
    gate_open: bool
    has_previous: bool
    overloaded: bool


def strength_step(proposal: Proposal, facts: StepFacts, thresholds: Thresholds) -> StrengthStep:
    """Progress: the next stage if its gate is open, else more sets. Ease: fewer sets of what was done in the
    red session; after two reds close to each other the stage before.
    """
    if proposal is Proposal.HOLD:
        return StrengthStep(StepKind.NOTHING, "the dose stays as it is")
    if proposal is Proposal.PROGRESS:
        if facts.gate_open:
            return StrengthStep(StepKind.STAGE_ON, "the gate to the next stage is open")
        return _sets(
            facts.doses, +thresholds.dose_step_sets, thresholds, "no next stage is open: more of the same"
        )
    if facts.overloaded and facts.has_previous:
        days = thresholds.overload_days
        why = f"{thresholds.overload_reds} red sessions or more in {days} days: one stage back"
        return StrengthStep(StepKind.STAGE_BACK, why)
    red = [dose for dose in facts.doses if dose.was_red]
    return _sets(
        red or facts.doses, -thresholds.dose_step_sets, thresholds, "less of what was done in the red session"
    )


def _sets(doses: Sequence[DoseFacts], by: int, t: Thresholds, why: str) -> StrengthStep:
    changes, kept = [], []
    for dose in doses:
        limit = max(dose.sets or 0, t.dose_max_sets) if by > 0 else 1
        after = min((dose.sets or 0) + by, limit) if by > 0 else max((dose.sets or 0) + by, limit)
        if dose.sets is None or after == dose.sets:
            kept.append(dose.name)
        else:
            changes.append(SetsChange(dose.id, dose.name, dose.sets, after))
    if not changes:
        end = f"{t.dose_max_sets} sets" if by > 0 else "one set"
        return StrengthStep(
            StepKind.NOTHING, f"every exercise is at {end} already: adapt it by hand", (), tuple(kept)
        )
    return StrengthStep(StepKind.SETS, why, tuple(changes), tuple(kept))
