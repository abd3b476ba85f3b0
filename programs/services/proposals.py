"""Progress, hold or ease strength work, as the 24-hour pain rule proposes: exactly, and by one click."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from clinic.models import User
from programs.models import Exercise, LoadDecision, Program, ProgramDose, Session, SessionExercise
from programs.rules.pain import (
    Activity,
    Light,
    Proposal,
    ProposalVerdict,
    held_back,
    overload,
    propose,
)
from programs.rules.progression import DoseFacts, StepFacts, StepKind, StrengthStep, strength_step
from programs.rules.progression import gate as judge
from programs.services import gates, plan
from programs.services.alerts import holding_back
from programs.services.due import review_again
from programs.services.plan import PlanError, check_not_held, lock


@dataclass(frozen=True, slots=True)
class Proposed:
    """What the sessions since the last step suggest, and what exactly one step would change."""

    verdict: ProposalVerdict
    step: StrengthStep

    @property
    def proposal(self) -> Proposal:
        return self.verdict.proposal

    @property
    def key(self) -> str:
        """Tells whether it is still the one that was on the screen."""
        changes = ",".join(f"{change.id}:{change.after}" for change in self.step.changes)
        return f"{self.proposal.value} {self.step.kind.value} {changes}".strip()


def proposed(*, program: Program, today: date, rows: gates.Rows | None = None) -> Proposed:
    """Of the strength sessions of this stage after the last step. ``rows`` where they are loaded."""
    rows = rows or gates.load(program)
    t = program.thresholds
    here = _sessions_since(program, rows.sessions)
    verdicts = gates.lights(here, Activity.STRENGTH, t)
    verdict = propose(verdicts, t)
    if verdict.proposal is Proposal.PROGRESS:
        verdict = held_back(verdict, holding_back(program.episode_id))
    red = next((row for row, v in zip(here, verdicts, strict=True) if v.light is Light.RED), None)
    stages = {stage.number for stage in rows.stages}
    has_next = program.current_stage + 1 in stages
    facts = StepFacts(
        doses=_doses(program, red if verdict.proposal is Proposal.EASE else None),
        gate_open=has_next and judge(gates.stage_facts(program, rows, today), today, t).open,
        has_previous=program.current_stage - 1 in stages,
        overloaded=overload(verdicts, today, t).overloaded,
    )
    return Proposed(verdict, strength_step(verdict.proposal, facts, t))


@transaction.atomic
def apply_proposal(
    *, program: Program, expected: str, by: User, now: datetime, today: date, note: str = ""
) -> str:
    """Do what is proposed for strength work; ``expected`` is the ``key`` that was on the screen.

    Returns what was done, in words.

    Raises:
        Denied: ``by`` may do no clinical work here.
        PlanError: ended, on hold, something else is proposed by now, or there is nothing to do.
    """
    program = lock(program, by)
    check_not_held(program)
    found = proposed(program=program, today=today)
    if found.key != expected:
        raise PlanError("expected", "The proposal has changed in the meantime: look at it again.")
    if found.step.kind is StepKind.NOTHING and found.proposal is not Proposal.HOLD:
        raise PlanError("expected", f"Nothing to change by itself: {found.step.why}.")
    if found.step.kind in (StepKind.STAGE_ON, StepKind.STAGE_BACK):
        changes = [_move(program, found, by, now, today, note)]
    else:
        changes = _change_doses(found)
    LoadDecision.objects.create(
        clinic=program.clinic,
        program=program,
        activity=Activity.STRENGTH,
        what=LoadDecision.What.DOSE if changes else LoadDecision.What.HOLD,
        proposal=found.proposal.value,
        changes=changes,
        grounds=list(found.verdict.reasons),
        reason=note.strip(),
        decided_on=today,
        decided_at=now,
        decided_by=by,
    )
    review_again(episode=program.episode, now=now)
    return "; ".join(changes) if changes else "The dose stays as it is"


def _change_doses(found: Proposed) -> list[str]:
    for change in found.step.changes:
        ProgramDose.objects.filter(pk=change.id).update(sets=change.after)
    return [change.text for change in found.step.changes]


def _move(program: Program, found: Proposed, by: User, now: datetime, today: date, note: str) -> str:
    ahead = 1 if found.step.kind is StepKind.STAGE_ON else -1
    why = "; ".join(("24-hour pain rule", *found.verdict.reasons, found.step.why, *([note] if note else [])))
    move = plan.move_stage(
        program=program,
        to_stage=program.current_stage + ahead,
        by=by,
        now=now,
        today=today,
        override_reason=why[:300],
    )
    return f"Now in stage {move.to_stage}"


def _sessions_since(program: Program, sessions: list[Session]) -> list[Session]:
    """Strength sessions of this stage after the last step, newest first."""
    steps = LoadDecision.objects.filter(
        program=program, activity=Activity.STRENGTH, what=LoadDecision.What.DOSE
    )
    last = steps.values_list("decided_at", flat=True).first()
    here = [
        row
        for row in sessions
        if row.is_strength
        and row.local_date >= program.stage_started_on
        and (last is None or row.occurred_at > last)
    ]
    return sorted(here, key=lambda row: row.occurred_at, reverse=True)


def _doses(program: Program, red: Session | None) -> tuple[DoseFacts, ...]:
    """The exercises in use in this stage, runs left out; which of them were done in the red session."""
    done = set(SessionExercise.objects.filter(session=red).values_list("dose", flat=True)) if red else set()
    rows = ProgramDose.objects.filter(
        stage__program=program, stage__number=program.current_stage, is_active=True
    )
    return tuple(
        DoseFacts(row.pk, row.exercise.name, row.sets, was_red=row.pk in done)
        for row in rows.exclude(exercise__kind=Exercise.Kind.RUNNING).select_related("exercise")
    )
