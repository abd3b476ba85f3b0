"""The two running tracks: where a runner stands, what is locked, and the changes a clinician makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from clinic.models import User
from patients.models import Assessment
from patients.vocabulary import RunningTrack
from programs.models import Answer, LoadDecision, Program, Run, worst_by_date
from programs.rules import progression
from programs.rules.pain import Activity, PainVerdict, alerts_open
from programs.rules.progression import (
    LADDER,
    Ground,
    LadderFacts,
    LadderMove,
    LadderRun,
    LadderStep,
    Lock,
    Move,
    Opening,
    RunDone,
    RunnerFacts,
    Terrain,
    TrackVerdict,
    VolumeFacts,
    VolumeWeek,
)
from programs.services import gates
from programs.services.alerts import barred, holding_back
from programs.services.checkins import schedule_next
from programs.services.due import review_again
from programs.services.plan import PlanError, check_not_held, lock

What = LoadDecision.What
STEPS = {step.number: step for step in LADDER}
NO_STAGE = "the program is not in its return-to-running stage"


@dataclass(frozen=True, slots=True)
class Running:
    """How a runner stands on the patient's local date.

    ``rule`` says which track the last runs point to. On the ladder ``move`` is the proposal and ``up_from``
    the earliest day for a step up; off it ``opening`` tells of the symptom-free days. ``weeks`` is the volume
    plan of who keeps running, oldest first; empty where no weekly distance was ever noted.
    """

    track: RunningTrack
    rule: TrackVerdict
    ground: Ground
    locks: Sequence[Lock]
    step: LadderStep | None
    step_since: date | None
    up_from: date | None
    move: LadderMove | None
    opening: Opening | None
    weeks: Sequence[VolumeWeek]
    runs_last_week: int
    decisions: Sequence[LoadDecision]
    runs: Sequence[Run]

    @property
    def week(self) -> VolumeWeek | None:
        """The present one."""
        return self.weeks[-1] if self.weeks else None

    @property
    def runs_against(self) -> list[Run]:
        """Runs that went against a lock or limit on the day they were told, newest first."""
        return [run for run in self.runs if run.against]

    @property
    def may_open(self) -> Terrain | None:
        """Of who keeps running, the lock that a clinician may open next."""
        return progression.next_terrain(self.ground) if self.track is RunningTrack.STILL_RUNNING else None


def state_of(*, program: Program, today: date, rows: gates.Rows | None = None) -> Running | None:
    """How the patient of an active program runs; None for who does not. ``rows`` where they are loaded."""
    track = RunningTrack(program.episode.running_track)
    if track is RunningTrack.NOT_A_RUNNER:
        return None
    rows = rows or _load(program, track)
    t = program.thresholds
    decisions = list(
        LoadDecision.objects.filter(program=program, activity=Activity.RUN).select_related("decided_by")
    )
    runs = sorted(rows.runs, key=lambda run: (run.local_date, run.occurred_at), reverse=True)
    verdicts = gates.lights(runs, Activity.RUN, t)
    facts = _ladder_facts(program, decisions, runs, verdicts) if track is RunningTrack.STOPPED else None
    ground = ground_of(program)
    return Running(
        track=track,
        rule=progression.running_track(_runner(program, runs), today, t),
        ground=ground,
        locks=progression.locks(ground),
        step=STEPS.get(facts.step) if facts else None,
        step_since=facts.step_since if facts else None,
        up_from=progression.earliest_up(facts, t) if facts else None,
        move=_next_move(program, facts, today) if facts else None,
        opening=opening_of(program, rows, decisions, today)
        if track is RunningTrack.STOPPED and not facts
        else None,
        weeks=_weeks(program, rows, runs, verdicts, decisions, today)
        if track is RunningTrack.STILL_RUNNING
        else (),
        runs_last_week=sum(0 <= (today - run.local_date).days < 7 for run in runs),
        decisions=decisions,
        runs=runs,
    )


def ground_of(program: Program) -> Ground:
    """What is open to the runner now."""
    opened = Terrain(program.open_terrain) if program.open_terrain else None
    return Ground(RunningTrack(program.episode.running_track), program.ladder_step, opened)


@transaction.atomic
def set_ladder_step(
    *, program: Program, to_step: int | None, by: User, now: datetime, today: date, reason: str = ""
) -> LoadDecision:
    """Put the runner on a step of the ladder; None stops the ladder until symptom-free again.

    Up is one step at a time and at most once a week; what the rule does not propose needs a written reason,
    less than it proposes never does.

    Raises:
        Denied: ``by`` may do no clinical work here.
        PlanError: ended, on hold, not on the ladder's track, a skipped or early step, or no reason.
    """
    program = _free(program, by)
    if program.episode.running_track != RunningTrack.STOPPED:
        raise PlanError("to_step", "The ladder is for who stopped running; switch the track first.")
    if to_step == program.ladder_step:
        raise PlanError("to_step", "That is the present step.")
    state = state_of(program=program, today=today)
    assert state is not None
    change = _change(program, state, to_step, today)
    if change.refused:
        raise PlanError("to_step", change.refused)
    _check_reason(change.against, reason)
    proposed = state.move.move.value if state.move else ""
    decision = _record(
        program,
        by,
        now,
        today,
        what=What.LADDER,
        proposal=proposed,
        before=_text(program.ladder_step),
        after=_text(to_step),
        grounds=list(state.move.reasons if state.move else state.opening.reasons if state.opening else ()),
        against=list(change.against),
        reason=reason.strip(),
    )
    program.ladder_step, program.testing_run_gate = to_step, False
    program.save(update_fields=["ladder_step", "testing_run_gate"])
    schedule_next(program=program, now=now)
    review_again(episode=program.episode, now=now)
    return decision


@transaction.atomic
def set_track(
    *, program: Program, track: str, reason: str, by: User, now: datetime, today: date
) -> LoadDecision:
    """Switch between still running, stopped and not a runner, with a reason. A ladder under way ends.

    Raises:
        Denied: ``by`` may do no clinical work here.
        PlanError: ended, on hold, the same or an unknown track, no reason.
    """
    program = _free(program, by)
    episode = program.episode
    if track not in RunningTrack or track == episode.running_track:
        raise PlanError("track", "Choose another track.")
    if not reason.strip():
        raise PlanError("reason", "Switching the track needs a written reason.")
    decision = _record(
        program,
        by,
        now,
        today,
        what=What.TRACK,
        before=episode.running_track,
        after=track,
        reason=reason.strip(),
    )
    episode.running_track = track
    episode.save(update_fields=["running_track"])
    program.ladder_step, program.open_terrain, program.testing_run_gate = None, "", False
    program.save(update_fields=["ladder_step", "open_terrain", "testing_run_gate"])
    schedule_next(program=program, now=now)
    review_again(episode=episode, now=now)
    return decision


@transaction.atomic
def open_terrain(
    *, program: Program, terrain: str, by: User, now: datetime, today: date, reason: str = ""
) -> LoadDecision:
    """Open the next lock of who keeps running: downhills, then speed; at most one a week.

    Raises:
        Denied: ``by`` may do no clinical work here.
        PlanError: ended, on hold, not who keeps running, not the next lock, too early, or a red run in the
            last days or an alert that bars it without a reason.
    """
    program = _free(program, by)
    state = state_of(program=program, today=today)
    if state is None or state.may_open is None:
        raise PlanError("terrain", "There is no lock to open here.")
    if terrain != state.may_open.value:
        raise PlanError("terrain", f"Locks open in order: {state.may_open.label.lower()} comes next.")
    t = program.thresholds
    opened = [d.decided_on for d in state.decisions if d.what == What.TERRAIN]
    due = max(opened, default=date.min) + timedelta(days=t.ladder_step_days) if opened else today
    if today < due:
        raise PlanError("terrain", f"At most one lock in {t.ladder_step_days} days: from {due:%-d %b %Y} on.")
    against = [*_red_runs(state, today, t.gate_no_red_days, program)]
    if alerts := holding_back(program.episode_id):
        against.append(alerts_open(alerts))
    _check_reason(against, reason)
    decision = _record(
        program,
        by,
        now,
        today,
        what=What.TERRAIN,
        before=program.open_terrain,
        after=terrain,
        against=against,
        reason=reason.strip(),
    )
    program.open_terrain = terrain
    program.save(update_fields=["open_terrain"])
    return decision


def opening_of(program: Program, rows: gates.Rows, decisions: Sequence[LoadDecision], today: date) -> Opening:
    """The symptom-free days, counted from the day the pain came back or the ladder was stopped."""
    daily = worst_by_date(rows.days, program.episode.index_side)
    stops = [d.decided_on for d in decisions if d.what == What.LADDER and not d.after]
    since = max((day for day in (gates.pain_returned_on(rows.runs, program), *stops) if day), default=None)
    opening = progression.ladder_opening(daily, today, program.thresholds, since=since)
    return progression.opening_held_back(opening, holding_back(program.episode_id))


def _next_move(program: Program, facts: LadderFacts, today: date) -> LadderMove:
    move = progression.next_ladder_move(facts, today, program.thresholds)
    if move.move is not Move.UP:
        return move
    return progression.step_held_back(move, facts, holding_back(program.episode_id))


def _load(program: Program, track: RunningTrack) -> gates.Rows:
    """What the track needs, and no more: the patient's app asks for it on every opening."""
    still = track is RunningTrack.STILL_RUNNING
    asks_days = not still and program.ladder_step is None
    return gates.Rows(
        stages=[],
        days=Answer.objects.filter(episode=program.episode_id).by_day() if asks_days else [],
        sessions=[],
        runs=list(Run.objects.current().filter(program=program)),
        pauses=list(program.pauses.all()) if still else [],
        holds=list(program.holds.all()) if still else [],
    )


def _free(program: Program, by: User) -> Program:
    locked = lock(program, by)
    check_not_held(locked)
    return locked


def _change(program: Program, state: Running, to_step: int | None, today: date) -> progression.StepChange:
    if state.step is None or state.move is None or state.step_since is None:
        if to_step is None:
            return progression.StepChange(refused="The ladder is not open.")
        assert state.opening is not None
        change = progression.start_ladder(to_step, state.opening)
        return progression.StepChange(change.refused, (*change.against, *_not_in_stage(program)))
    facts = LadderFacts(state.step.number, state.step_since)
    return progression.change_step(facts, to_step, state.move, today, program.thresholds)


def _not_in_stage(program: Program) -> tuple[str, ...]:
    """A program with a return-to-running stage opens the ladder there."""
    running = [stage.number for stage in program.stages.all() if stage.is_running]
    return (NO_STAGE,) if running and program.current_stage not in running else ()


def _ladder_facts(
    program: Program,
    decisions: Sequence[LoadDecision],
    runs: Sequence[Run],
    verdicts: Sequence[PainVerdict],
) -> LadderFacts | None:
    if program.ladder_step is None:
        return None
    steps = [d for d in decisions if d.what == What.LADDER]
    since = next(
        (d.decided_on for d in steps if d.after == str(program.ladder_step)), program.stage_started_on
    )
    opened = next((d.decided_on for d in steps if not d.before), program.started_on)
    on_ladder = tuple(
        LadderRun(verdict, run.ladder_step)
        for run, verdict in zip(runs, verdicts, strict=True)
        if run.ladder_step and run.local_date >= opened
    )
    return LadderFacts(program.ladder_step, since, on_ladder)


def _runner(program: Program, runs: Sequence[Run]) -> RunnerFacts:
    """The last run; before the first one what the program began with."""
    if runs:
        return RunnerFacts(runs[0].pain_during, runs[0].limping, runs[0].local_date)
    still = program.episode.running_track == RunningTrack.STILL_RUNNING
    return RunnerFacts(None, limping=False, last_run_on=program.started_on if still else None)


def _weeks(
    program: Program,
    rows: gates.Rows,
    runs: Sequence[Run],
    verdicts: Sequence[PainVerdict],
    decisions: Sequence[LoadDecision],
    today: date,
) -> Sequence[VolumeWeek]:
    switched = [d.decided_on for d in decisions if d.what == What.TRACK]
    since = max(switched, default=program.started_on)
    base, before = _kilometres(program, since, today)
    if base is None:
        return ()
    facts = VolumeFacts(
        base_km=base,
        since=since,
        full_km=before if before and before >= base else None,
        runs=tuple(RunDone(run.distance_km, v) for run, v in zip(runs, verdicts, strict=True)),
        paused_days=gates.paused_days(program, rows.pauses, rows.holds, today),
        barred=barred(program.episode_id),
    )
    return progression.volume_plan(facts, today, program.thresholds)


def _kilometres(program: Program, since: date, today: date) -> tuple[Decimal | None, Decimal | None]:
    """Weekly distance when the plan began, and before the pain began.

    The former is the last one noted up to then, or else the first one after; of who has none, the latter.
    """
    noted = Assessment.objects.filter(episode=program.episode_id, assessed_on__lte=today)
    rows = list(
        noted.order_by("assessed_on", "pk").values_list("assessed_on", "weekly_km_now", "weekly_km_before")
    )
    present = [(on, now) for on, now, _ in rows if now]
    up_to_then = [now for on, now in present if on <= since]
    base = up_to_then[-1] if up_to_then else present[0][1] if present else None
    before = next((before for *_, before in rows if before), None)
    return base or before, before


def _red_runs(state: Running, today: date, days: int, program: Program) -> tuple[str, ...]:
    verdicts = gates.lights(state.runs, Activity.RUN, program.thresholds)
    reds = [v.on for v in verdicts if v.light == "red" and 0 <= (today - v.on).days < days]
    return (f"a red run on {max(reds):%-d %b %Y}",) if reds else ()


def _check_reason(against: Sequence[str], reason: str) -> None:
    if against and not reason.strip():
        raise PlanError(
            "reason", f"Not proposed: {'; '.join(against)}. To do it all the same, write down why."
        )


def _record(program: Program, by: User, now: datetime, today: date, **fields: Any) -> LoadDecision:
    return LoadDecision.objects.create(
        clinic=program.clinic,
        program=program,
        activity=Activity.RUN,
        decided_by=by,
        decided_at=now,
        decided_on=today,
        **fields,
    )


def _text(step: int | None) -> str:
    return "" if step is None else str(step)
