"""Whether the next stage is open: rows to facts, the gate rule, its verdict unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from clinic.thresholds import Thresholds
from patients.models import Assessment
from patients.scoring import StepDownGrade, limb_symmetry, step_down_grade, step_down_score
from patients.scoring.errors import ScoringError
from patients.scoring.movement import STEP_DOWN_ITEMS
from patients.vocabulary import MovementKind, RunningTrack
from programs.models import (
    Answer,
    DayPain,
    Hold,
    Pause,
    Program,
    ProgramStage,
    Run,
    Session,
    worst_by_date,
)
from programs.rules.pain import Activity, PainVerdict, SessionFacts, light
from programs.rules.progression import GateVerdict, StageFacts, StepDown
from programs.rules.progression import gate as judge
from programs.services.matching import other_side, reading_of


@dataclass(frozen=True, slots=True)
class Rows:
    """One program's rows, loaded: corrected ones left out, of any order; ``days`` are the case's."""

    stages: list[ProgramStage]
    days: list[DayPain]
    sessions: list[Session]
    runs: list[Run]
    pauses: list[Pause]
    holds: list[Hold]
    retests: Sequence[Assessment] = ()
    """The assessments since the stage began, newest first."""


def gate(*, program: Program, today: date) -> GateVerdict:
    """Judge the gate from the present stage to the next as of ``today``, the patient's local date."""
    return judge(stage_facts(program, load(program), today), today, program.thresholds)


def load(program: Program) -> Rows:
    """Everything the gate needs, for one program."""
    retests = Assessment.objects.filter(
        episode=program.episode_id, assessed_on__gte=program.stage_started_on
    ).prefetch_related("movement_tests", "strength_tests")
    return Rows(
        stages=list(program.stages.all()),
        days=Answer.objects.filter(episode=program.episode_id).by_day(),
        sessions=list(Session.objects.current().filter(program=program)),
        runs=list(Run.objects.current().filter(program=program)),
        pauses=list(program.pauses.all()),
        holds=list(program.holds.all()),
        retests=list(retests.order_by("-assessed_on", "-pk")),
    )


def stage_facts(program: Program, rows: Rows, today: date) -> StageFacts:
    """The present stage as the gate rule sees it."""
    thresholds = program.thresholds
    episode = program.episode
    stages = {stage.number: stage for stage in rows.stages}
    here, following = stages[program.current_stage], stages.get(program.current_stage + 1)
    return StageFacts(
        entered_on=program.stage_started_on,
        min_days=here.min_days,
        max_weeks=here.max_weeks,
        next_is_running=bool(following and following.is_running),
        track=RunningTrack(episode.running_track),
        strength=lights((row for row in rows.sessions if row.is_strength), Activity.STRENGTH, thresholds),
        runs=lights(rows.runs, Activity.RUN, thresholds),
        daily_worst=worst_by_date(rows.days, episode.index_side),
        paused_days=paused_days(program, rows.pauses, rows.holds, today),
        pain_returned_on=pain_returned_on(rows.runs, program),
        step_down=_step_down(rows.retests, episode.index_side),
        lsi_percent=_lowest_lsi(rows.retests, episode.index_side, both_knees=episode.both_knees),
    )


def lights(rows: Iterable[Session | Run], activity: Activity, thresholds: Thresholds) -> list[PainVerdict]:
    """The 24-hour pain rule's verdict on each row."""
    return [light(session_facts(row, activity), thresholds) for row in rows]


def session_facts(row: Session | Run, activity: Activity) -> SessionFacts:
    """A session or run as the 24-hour pain rule takes it."""
    return SessionFacts(
        on=row.local_date,
        during=row.pain_during,
        before=row.pain_before,
        next_morning=row.pain_next_morning,
        activity=activity,
        limping=row.limping,
        rising=row.pain_rising,
    )


def paused_days(
    program: Program, pauses: Iterable[Pause], holds: Iterable[Hold], today: date
) -> frozenset[date]:
    """The dates up to today that do not count: pauses, and days on hold, in the patient's zone."""
    zone = ZoneInfo(program.episode.patient.timezone)
    spans = [(pause.starts_on, pause.ends_on) for pause in pauses]
    for hold in holds:
        cleared = hold.cleared_at.astimezone(zone).date() if hold.cleared_at else None
        spans.append((hold.since.astimezone(zone).date(), cleared))
    days: set[date] = set()
    for start, end in spans:
        last = min(end or today + timedelta(days=1), today + timedelta(days=1))
        days.update(start + timedelta(days=n) for n in range((last - start).days))
    return frozenset(days)


def pain_returned_on(runs: list[Run], program: Program) -> date | None:
    """The last run of the ladder with more pain than a run may have: symptom-free days start after it."""
    limit = program.thresholds.green_max
    return max((run.local_date for run in runs if run.ladder_step and run.pain_during > limit), default=None)


def _step_down(retests: Sequence[Assessment], side: str) -> StepDown | None:
    """The newest that was scored: an assessment that left it out says nothing of it."""
    for test in (test for retest in retests for test in retest.movement_tests.all()):
        if test.test == MovementKind.LATERAL_STEP_DOWN and test.side == side:
            try:
                points = step_down_score({code: getattr(test, code) for code in STEP_DOWN_ITEMS})
            except ScoringError:  # an item was left open: no score to go by
                continue
            return StepDown(points=points, poor=step_down_grade(points) == StepDownGrade.POOR)
    return None


def _lowest_lsi(retests: Sequence[Assessment], side: str, *, both_knees: bool) -> Decimal | None:
    """Of the newest comparison of each muscle group in each position: the others were not tested again."""
    newest: dict[tuple[str, str], Decimal] = {}
    for retest in retests:
        tests = list(retest.strength_tests.all())
        here: dict[tuple[str, str], Decimal] = {}
        for test in tests:
            other = other_side(test, tests)
            if test.side != side or other is None:
                continue
            lsi = limb_symmetry(reading_of(test), other, both_knees_painful=both_knees).lsi
            if lsi is not None:
                kind = (test.muscle_group, test.position)
                here[kind] = min(lsi, here.get(kind, lsi))
        newest = here | newest
    return min(newest.values(), default=None)
