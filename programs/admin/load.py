"""The load of a program as its page shows it: gate, what the pain rule proposes, running, days off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from clinic.thresholds import FIELDS
from programs.admin.wording import PROPOSALS, Badge
from programs.models import LoadDecision, Pause, Program, Run
from programs.rules.pain import Proposal
from programs.rules.progression import (
    AGAINST_TEXTS,
    LADDER,
    Criterion,
    CriterionCode,
    GateVerdict,
    Lock,
    Move,
)
from programs.rules.progression import gate as judge
from programs.services import gates, proposals, running
from programs.services.proposals import Proposed
from programs.services.running import Running

DECISIONS_SHOWN = 6
RUNS_SHOWN = 6

CRITERIA = {
    CriterionCode.MINIMUM_DAYS: "Days in this stage",
    CriterionCode.GREENS: "Green sessions",
    CriterionCode.PAIN_NOT_RISING: "Worst pain not rising",
    CriterionCode.NO_RED: "No red session",
    CriterionCode.ADHERENCE: "Strength sessions done",
    CriterionCode.PAIN_LOW: "Worst pain low enough to run",
    CriterionCode.SYMPTOM_FREE: "Symptom-free days",
    CriterionCode.STEP_DOWN: "Lateral step-down",
    CriterionCode.LIMB_SYMMETRY: "Limb symmetry",
}
SOURCES = {
    CriterionCode.MINIMUM_DAYS: "this program's stage",
    CriterionCode.STEP_DOWN: "Piva 2006",
}

MOVES = {
    Move.UP: Badge("One step up", "success"),
    Move.REPEAT: Badge("Repeat the step", "info"),
    Move.DOWN: Badge("One step down", "warning"),
    Move.STOP: Badge("Stop until symptom-free", "danger"),
}

DONE = {
    Proposal.PROGRESS: "Progress it",
    Proposal.HOLD: "Note that it is held",
    Proposal.EASE: "Ease it",
}


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """One criterion of a gate with what was measured, what is needed and where that comes from."""

    name: str
    met: bool
    decides: bool
    measured: str
    needed: str
    source: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of the ladder: ``place`` is done, now or ahead."""

    number: int
    text: str
    source: str
    place: str


@dataclass(frozen=True, slots=True)
class RunAgainst:
    """A run that went against a lock or limit, as a fact."""

    run: Run
    why: str


@dataclass(slots=True)
class RunningCard:
    """The running track of the patient page."""

    state: Running
    badge: Badge | None
    apply_to: str
    apply_label: str
    on_hold: bool
    """No running, and nothing is proposed."""
    steps: Sequence[StepRow] = ()
    against: Sequence[RunAgainst] = ()
    decisions: Sequence[str] = ()
    shut: Sequence[Lock] = ()


@dataclass(slots=True)
class LoadCard:
    """Everything about the load of one active program; nothing is proposed while it is on hold."""

    gate: GateVerdict | None
    has_next: bool
    proposed: Proposed | None
    badge: Badge | None
    done: str
    running: RunningCard | None
    pauses: Sequence[Pause] = ()
    decisions: Sequence[str] = field(default_factory=list)


def load_card(program: Program, today: date, *, on_hold: bool) -> LoadCard:
    """In a fixed number of queries."""
    rows = gates.load(program)
    has_next = program.current_stage + 1 in {stage.number for stage in rows.stages}
    found = None if on_hold else proposals.proposed(program=program, today=today, rows=rows)
    strength = LoadDecision.objects.filter(program=program, activity="strength")
    return LoadCard(
        gate=judge(gates.stage_facts(program, rows, today), today, program.thresholds) if has_next else None,
        has_next=has_next,
        proposed=found,
        badge=PROPOSALS[found.proposal] if found else None,
        done=DONE[found.proposal] if found else "",
        running=running_card(program, today, rows, on_hold=on_hold),
        pauses=sorted(rows.pauses, key=lambda pause: pause.starts_on, reverse=True),
        decisions=[
            decision_text(decision) for decision in strength.select_related("decided_by")[:DECISIONS_SHOWN]
        ],
    )


def criteria_rows(gate: GateVerdict) -> list[CriterionRow]:
    """Unmet ones first, then met, then re-tests that decide nothing here."""
    deciding = [_criterion(criterion) for criterion in (*gate.unmet, *gate.met)]
    return [*deciding, *(_criterion(criterion, decides=False) for criterion in gate.noted)]


def running_card(
    program: Program, today: date, rows: gates.Rows, *, on_hold: bool = False
) -> RunningCard | None:
    """The running track; None for who does not run."""
    state = running.state_of(program=program, today=today, rows=rows)
    if state is None:
        return None
    on_hold = on_hold or any(hold.cleared_at is None for hold in rows.holds)
    card = RunningCard(state, badge=None, apply_to="", apply_label="", on_hold=on_hold)
    card.shut = [lock for lock in state.locks if not lock.open]
    card.against = [
        RunAgainst(run, "; ".join(AGAINST_TEXTS.get(code, code) for code in run.against))
        for run in state.runs_against[:RUNS_SHOWN]
    ]
    card.decisions = [decision_text(decision) for decision in state.decisions[:DECISIONS_SHOWN]]
    if state.step is not None:
        card.steps = _steps(state.step.number)
    if not on_hold:
        card.badge = MOVES[state.move.move] if state.move else None
        card.apply_to, card.apply_label = _one_click(state)
    return card


def decision_text(decision: LoadDecision) -> str:
    """What was decided, by whom and when, with the reason."""
    words = {
        LoadDecision.What.DOSE: "; ".join(decision.changes),
        LoadDecision.What.HOLD: "Held",
        LoadDecision.What.LADDER: _ladder_text(decision),
        LoadDecision.What.TRACK: f"{_words(decision.before)} to {_words(decision.after).lower()}",
        LoadDecision.What.TERRAIN: f"Opened: {_words(decision.after).lower()}",
    }[LoadDecision.What(decision.what)]
    why = decision.reason or "; ".join(decision.grounds)
    text = f"{decision.decided_on:%-d %b %Y}, {decision.decided_by}: {words}"
    return f"{text} ({why})" if why else text


def _ladder_text(decision: LoadDecision) -> str:
    if not decision.after:
        return f"Ladder stopped at step {decision.before}"
    if not decision.before:
        return "Ladder opened with step 1"
    return f"Step {decision.before} to {decision.after}"


def _words(code: str) -> str:
    return code.replace("_", " ").capitalize()


def _criterion(criterion: Criterion, *, decides: bool = True) -> CriterionRow:
    sources = dict.fromkeys(FIELDS[key].metadata["source"] for key in criterion.keys)
    return CriterionRow(
        name=CRITERIA[criterion.code],
        met=criterion.met,
        decides=decides,
        measured=criterion.measured,
        needed=criterion.needed,
        source=", ".join(sources) or SOURCES.get(criterion.code, ""),
    )


def _steps(present: int) -> list[StepRow]:
    places = {True: "done", False: "ahead"}
    return [
        StepRow(
            step.number,
            step.text,
            step.source,
            "now" if step.number == present else places[step.number < present],
        )
        for step in LADDER
    ]


def _one_click(state: Running) -> tuple[str, str]:
    """What the button does, and what it says; empty where nothing is to be done."""
    if state.opening is not None:
        return ("step:1", "Open the ladder with step 1") if state.opening.open else ("", "")
    if state.move is None or state.move.move is Move.REPEAT:
        return "", ""
    if state.move.move is Move.STOP:
        return "stop", "Stop the ladder"
    way = "Up" if state.move.move is Move.UP else "Down"
    return f"step:{state.move.step}", f"{way} to step {state.move.step}"
