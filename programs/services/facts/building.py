"""The facts of one case, from its rows. Nothing is decided here."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from clinic.thresholds import Thresholds
from patients.models import Assessment
from patients.vocabulary import AssessmentKind
from programs.models import Alert, DayPain, Pause, Program, StageMove
from programs.rules import progression, stall
from programs.rules.matching import untargeted
from programs.rules.pain import Activity, Light, PainVerdict, ready_since
from programs.services import gates
from programs.services.coverage import planned
from programs.services.facts.drift import where_it_hurts
from programs.services.facts.rows import CaseRows, other_side, read, until
from programs.services.matching import latest_strength

WORST_RECALL_DAYS = 3  # what the assessment's questions ask for
WEEK_RECALL_DAYS = 7

PAUSE_KINDS = {
    Pause.Kind.HOLIDAY: stall.PauseKind.HOLIDAY,
    Pause.Kind.ILLNESS: stall.PauseKind.ILLNESS,
    Pause.Kind.OTHER: stall.PauseKind.HOLIDAY,
}


@dataclass(frozen=True, slots=True)
class Case:
    """A program under review: the day, the facts, the thresholds in force for it.

    ``notes`` are findings that ask for a look but set no state: new pain in the other knee. ``assessed`` are
    the days of the case's assessments, of any date.
    """

    program: Program
    on: date
    thresholds: Thresholds
    facts: stall.CaseFacts
    notes: tuple[str, ...] = ()
    assessed: tuple[date, ...] = ()


def load(programs: Sequence[Program], days: Mapping[int, date]) -> list[Case]:
    """The facts of each program's case as of its day (``days`` by program id; the patient's local date).

    The programs come with ``episode__patient`` and ``episode__clinic__policy`` selected, one a case.
    """
    rows = read(programs)
    return [_case(program, days[program.pk], rows[program.episode_id]) for program in programs]


def load_days(programs: Sequence[Program], days: Sequence[date]) -> Iterator[list[Case]]:
    """For each program its case as of each of the days on which it was under way; read once for all days."""
    rows = read(programs)
    for program in programs:
        end = program.ended_on or date.max
        under_way = [on for on in days if program.started_on <= on < end]
        yield [_case(program, on, rows[program.episode_id]) for on in under_way]


def _case(present: Program, on: date, rows: CaseRows) -> Case:
    program = _as_of(present, on, rows.moves)
    t = program.thresholds
    strength = [row for row in rows.sessions if row.is_strength]
    strength_lights = gates.lights(strength, Activity.STRENGTH, t)
    run_lights = gates.lights(rows.runs, Activity.RUN, t)
    moved = where_it_hurts(program, on, rows, t)
    facts = stall.CaseFacts(
        started_on=rows.programs[0].started_on,
        clock_started_on=_clock_started_on(rows.programs, on),
        prescribed_per_week=program.strength_per_week,
        index=_index_knee(program, rows),
        other=_other_knee(program, rows),
        requests=_requests(program, rows),
        pauses=_pauses(program, rows),
        red_flags=_red_flags(on, rows.red_flags),
        akps=tuple(stall.AkpsScore(score.taken_on, int(score.value)) for score in rows.akps),
        first_session_on=min((row.local_date for row in rows.sessions), default=None),
        sessions=tuple(
            stall.StrengthSession(verdict.on, verdict.light is Light.RED) for verdict in strength_lights
        ),
        runs=tuple(
            stall.Run(row.local_date, row.distance_km, verdict.light is Light.RED)
            for row, verdict in zip(rows.runs, run_lights, strict=True)
        ),
        on_ladder=program.ladder_step is not None,
        gate_met_since=_gate_met_since(program, on, rows, t),
        ready_since=_ready_since(program, on, strength_lights, t),
        last_progressed_on=max(
            (m.moved_on for m in rows.moves if m.to_stage > m.from_stage and m.moved_on <= on), default=None
        ),
        untreated_deficits=_untreated_deficits(program, on, rows),
        drift=moved.drift,
        undeliverable=program.episode.patient.email_bounced_at is not None,
    )
    assessed = tuple(assessment.assessed_on for assessment in rows.assessments)
    return Case(present, on, t, facts, moved.notes, assessed)


def _as_of(program: Program, on: date, moves: Sequence[StageMove]) -> Program:
    """The program in the stage it was in on that day."""
    later = sorted((move for move in moves if move.moved_on > on), key=lambda move: (move.moved_on, move.pk))
    if not later:
        return program
    before = [move.moved_on for move in moves if move.moved_on <= on]
    then = copy.copy(program)
    then.current_stage = later[0].from_stage
    then.stage_started_on = max(before, default=program.started_on)
    return then


def _clock_started_on(programs: Sequence[Program], on: date) -> date:
    """The case's first start, or its one new fair trial."""
    trials = [p.fair_trial_on for p in programs if p.fair_trial_on is not None and p.fair_trial_on <= on]
    return max(trials, default=programs[0].started_on)


def _intake_last(program: Program, rows: CaseRows) -> list[Assessment]:
    """Assessments before the start, the one whose pain is to be the baseline last: the intake's, if it is
    not too old for that, else the latest of another kind that is not (clinical.md 7).
    """
    start, oldest = rows.programs[0].started_on, program.thresholds.intake_max_age_days

    def rank(assessment: Assessment) -> tuple[bool, bool]:
        serves = (start - assessment.assessed_on).days <= oldest
        return serves, assessment.kind == AssessmentKind.INTAKE

    return sorted(until(start, rows.assessments), key=rank)  # stable: the latest last among equals


def _index_knee(program: Program, rows: CaseRows) -> stall.Knee:
    intake = None
    for assessment in _intake_last(program, rows):
        if assessment.worst_pain is not None:
            intake = stall.IntakePain(assessment.assessed_on, assessment.worst_pain, WORST_RECALL_DAYS)
        elif assessment.worst_pain_week is not None:
            intake = stall.IntakePain(assessment.assessed_on, assessment.worst_pain_week, WEEK_RECALL_DAYS)
    return stall.Knee(_answers(rows.days, program.episode.index_side), intake)


def _other_knee(program: Program, rows: CaseRows) -> stall.Knee | None:
    """The other knee, if anything was ever said of it."""
    intake = None
    for assessment in _intake_last(program, rows):
        if assessment.other_knee_worst_pain is not None:
            worst = assessment.other_knee_worst_pain
            intake = stall.IntakePain(assessment.assessed_on, worst, WORST_RECALL_DAYS)
    answers = _answers(rows.days, other_side(program.episode.index_side))
    return stall.Knee(answers, intake) if answers or intake else None


def _answers(days: Iterable[DayPain], side: str) -> tuple[stall.PainAnswer, ...]:
    found = ((day.on, day.worst(side), day.usual(side), day.recall_days) for day in days)
    return tuple(
        stall.PainAnswer(on, worst, usual, recall) for on, worst, usual, recall in found if worst is not None
    )


def _requests(program: Program, rows: CaseRows) -> tuple[stall.CheckInRequest, ...]:
    zone = ZoneInfo(program.episode.patient.timezone)
    return tuple(
        stall.CheckInRequest(
            due_on=request.local_date,
            missed_on=_local(request.missed_at, zone),
            answered_on=_local(request.answered_at, zone) if request.answered_at else None,
        )
        for request in rows.requests
    )


def _pauses(program: Program, rows: CaseRows) -> tuple[stall.Pause, ...]:
    zone = ZoneInfo(program.episode.patient.timezone)
    pauses = [
        stall.Pause(PAUSE_KINDS[Pause.Kind(row.kind)], row.starts_on, row.ends_on, row.note)
        for row in rows.pauses
    ]
    for hold in rows.holds:
        back = _local(hold.cleared_at, zone) if hold.cleared_at else None
        pauses.append(stall.Pause(stall.PauseKind.HOLD, _local(hold.since, zone), back, hold.reason))
    return tuple(pauses)


def _red_flags(on: date, alerts: Iterable[Alert]) -> tuple[stall.RedFlag, ...]:
    """Symptoms of the alerts that were open on that day."""
    return tuple(
        stall.RedFlag(entry["code"], alert.opened_on, f"{entry['text']} ({entry['source']})")
        for alert in alerts
        if alert.resolved_on is None or alert.resolved_on > on
        for entry in alert.evidence
    )


def _gate_met_since(program: Program, on: date, rows: CaseRows, t: Thresholds) -> date | None:
    """Since when the gate to the next stage has been open; the last stage has none."""
    numbers = {stage.number for stage in rows.stages}
    if not {program.current_stage, program.current_stage + 1} <= numbers:
        return None
    retests = [a for a in rows.assessments if program.stage_started_on <= a.assessed_on <= on]
    gate_rows = gates.Rows(
        stages=rows.stages,
        days=rows.days,
        sessions=[row for row in rows.sessions if row.program_id == program.pk],
        runs=[row for row in rows.runs if row.program_id == program.pk],
        pauses=[row for row in rows.pauses if row.program_id == program.pk],
        holds=[row for row in rows.holds if row.program_id == program.pk],
        retests=retests[::-1],
    )
    return progression.open_since(gates.stage_facts(program, gate_rows, on), on, t)


def _ready_since(program: Program, on: date, verdicts: Iterable[PainVerdict], t: Thresholds) -> date | None:
    """Greens of an earlier stage say nothing about this one."""
    return ready_since([v for v in verdicts if program.stage_started_on <= v.on <= on], t)


def _untreated_deficits(program: Program, on: date, rows: CaseRows) -> tuple[str, ...]:
    """Strength deficits, measured and not found gone since, which no exercise now targets."""
    tested = until(on, rows.assessments)
    for assessment in tested:
        assessment.episode = program.episode  # loaded already: no query for each case
    doses = [dose for dose in rows.doses if dose.stage.number == program.current_stage]
    return tuple(test.text for test in untargeted(latest_strength(tested), planned(doses)))


def _local(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()
