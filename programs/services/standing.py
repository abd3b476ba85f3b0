"""How a program stands, written in the transaction of the review that found it."""

from __future__ import annotations

from collections.abc import Sequence

from programs.models import Program
from programs.models.standing import REVIEWED
from programs.rules import caseload
from programs.rules.stall import ReasonCode, State, Verdict
from programs.rules.stall.reasons import Adherence, adherence_of
from programs.rules.stall.windows import Timeline
from programs.services.facts import Case


def keep(reviewed: Sequence[tuple[Case, Verdict]]) -> None:
    """Write down what these reviews, each the newest of its program, found. One query."""
    Program.objects.bulk_update([_told(case, verdict) for case, verdict in reviewed], REVIEWED)


def adherence(case: Case) -> Adherence:
    """Strength sessions of the adherence window, done and prescribed."""
    return adherence_of(case.facts, Timeline.of(case.facts, case.on), case.thresholds)


def _told(case: Case, verdict: Verdict) -> Program:
    program, found = case.program, adherence(case)
    success = verdict.state is State.ON_TRACK
    due = caseload.due(case.facts, case.on, case.thresholds, success=success, assessed=case.assessed)
    program.reviewed_on = verdict.on
    program.review_state = verdict.state.value
    program.review_trend = verdict.trend.value if verdict.trend else ""
    program.review_week = verdict.week
    program.sessions_done, program.sessions_due = found.sessions, found.due
    program.gate_open_since = case.facts.gate_met_since
    program.akps_due_since, program.reassess_due_since = due.akps, due.reassess
    program.paused_long = any(r.code is ReasonCode.RESTART_OR_DISCHARGE for r in verdict.reasons)
    _note_success(program, verdict, success=success)
    return program


def _note_success(program: Program, verdict: Verdict, *, success: bool) -> None:
    """The first review that found success; one of the same day takes the place of the one before."""
    if program.succeeded_on == verdict.on:
        program.succeeded_on = program.success_week = None
    if success and program.succeeded_on is None:
        program.succeeded_on, program.success_week = verdict.on, verdict.week
