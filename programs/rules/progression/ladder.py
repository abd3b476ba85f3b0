"""A change on the ladder that a clinician asks for: allowed, allowed with a written reason, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from clinic.thresholds import Thresholds
from programs.rules.progression.running import (
    LADDER,
    LadderFacts,
    LadderMove,
    Move,
    Opening,
)

FIRST, LAST = LADDER[0].number, LADDER[-1].number


@dataclass(frozen=True, slots=True)
class StepChange:
    """``refused`` says why it cannot be at all; ``against`` what a written reason must answer."""

    refused: str = ""
    against: tuple[str, ...] = ()


def start_ladder(to_step: int, opening: Opening) -> StepChange:
    """From no running at all: the first step, once the symptom-free days are met or a reason is written."""
    if to_step != FIRST:
        return StepChange(refused=f"The ladder starts with step {FIRST}: steps are not skipped.")
    return StepChange(against=() if opening.open else opening.reasons)


def change_step(
    facts: LadderFacts, to_step: int | None, move: LadderMove, today: date, thresholds: Thresholds
) -> StepChange:
    """From one step to another; None stops the ladder. Less is always allowed.

    Up goes one step at a time and at most once in ``ladder_step_days``, whatever is written: else hills and
    speed would open before flat ground is known to be well.
    """
    if to_step is None:
        return StepChange()
    if not FIRST <= to_step <= LAST:
        return StepChange(refused=f"The ladder has the steps {FIRST} to {LAST}.")
    if to_step <= facts.step:
        return StepChange()
    if to_step > facts.step + 1:
        return StepChange(refused="Steps of the ladder are not skipped: one at a time.")
    due = earliest_up(facts, thresholds)
    if today < due:
        days = thresholds.ladder_step_days
        return StepChange(refused=f"At most one step up in {days} days: from {due:%-d %b %Y} on.")
    return StepChange(against=() if move.move is Move.UP else move.reasons)


def earliest_up(facts: LadderFacts, thresholds: Thresholds) -> date:
    """The first day on which the present step may give way to the next."""
    return facts.step_since + timedelta(days=thresholds.ladder_step_days)
