"""What a patient may see of their own record. No clinician's reasons, and nothing that alarms by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db.models import Prefetch, Q, QuerySet

from patients.models import DeviceToken, Episode, Patient
from patients.vocabulary import RunningTrack
from programs.models import (
    Answer,
    CheckInRequest,
    Clip,
    DayPain,
    Pause,
    Program,
    ProgramDose,
    ProgramStage,
    RelapseWatch,
    Review,
    Run,
    Session,
    StageMove,
)
from programs.rules.pain import figure
from programs.rules.progression import LADDER
from programs.services import advice, running, watches
from programs.services.lights import PatientLight, for_patient
from programs.services.running_words import PatientRunning
from programs.services.running_words import for_patient as for_running

CHECK_INS_SHOWN = 100
ON_HOLD = "No exercises and no running until your physio clears you."
KEEP_UP = "Your treatment is over. Keep these up: there is nothing to log."
PAUSED = (
    "Your program is paused{until}: no exercises and no running are planned. Whatever you do all the same, "
    "keep the pain at {limit} or less."
)
FRAMING = "Ups and downs from day to day are normal. What counts is the line over some weeks."


class CaseState(StrEnum):
    """How the patient's case stands, in the patient's terms; the first that holds."""

    ON_HOLD = "on_hold"
    CLOSED = "closed"
    NO_PROGRAM = "no_program"
    PAUSED = "paused"
    ACTIVE = "active"


class CheckInState(StrEnum):
    """Which check-ins to list."""

    DUE = "due"
    ANSWERED = "answered"
    MISSED = "missed"


class NoProgram(LookupError):
    """The patient has no active program."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who is logged in, how their case stands, and what to read first."""

    patient: Patient
    episode: Episode | None
    state: CaseState
    advice: advice.Advice | None
    watch: RelapseWatch | None
    devices: Sequence[DeviceToken]


@dataclass(frozen=True, slots=True)
class CurrentStage:
    """The present stage, number so many of ``of``; no ``advice`` and ``doses`` while nothing is due."""

    stage: ProgramStage
    advice: str
    of: int
    since: date
    doses: Sequence[ProgramDose]


@dataclass(frozen=True, slots=True)
class CurrentProgram:
    """The active program at its present stage, and whether it is under way: if not, ``words`` say so.

    ``advice`` is there while a red flag is open, ``pause`` on days off, on hold or not.
    """

    program: Program
    state: CaseState
    words: str
    stage: CurrentStage | None
    running: str
    running_now: PatientRunning | None
    advice: advice.Advice | None
    pause: Pause | None


@dataclass(frozen=True, slots=True)
class Week:
    """Strength sessions of the week that starts on that Monday."""

    starts_on: date
    sessions: int
    prescribed: int


@dataclass(frozen=True, slots=True)
class Effort:
    """A session or run with its light."""

    kind: str
    row: Session | Run
    light: PatientLight


@dataclass(frozen=True, slots=True)
class Progress:
    """How it goes, of the present case. ``review`` is the latest that has a baseline and a present value."""

    words: str
    episode: Episode | None
    days: Sequence[DayPain]
    review: Review | None
    weeks: Sequence[Week]
    efforts: Sequence[Effort]
    moves: Sequence[StageMove]


def account(*, patient: Patient, today: date, now: datetime) -> Account:
    """The patient's clinic, case and devices."""
    episode = _present_case(patient)
    flagged = advice.of_patient(patient)
    state = CaseState.ON_HOLD if flagged else _state(episode, today)
    devices = DeviceToken.objects.filter(patient=patient, expiry__gt=now).order_by("-created")
    return Account(patient, episode, state, flagged, watches.of_patient(patient), list(devices))


def current_program(*, patient: Patient, today: date) -> CurrentProgram:
    """What to do now; of a closed case what was handed out to keep up.

    Raises:
        NoProgram: neither an active program, nor one for after discharge.
    """
    episode = _present_case(patient)
    program = _active_program(episode)
    if episode is not None and not episode.is_open:
        return _kept_up(patient, episode)
    if episode is None or program is None:
        raise NoProgram
    flagged, pause = advice.of_patient(patient), _pause(program, today)
    if flagged or program.holds.filter(cleared_at=None).exists():
        state, words = CaseState.ON_HOLD, ON_HOLD
    elif pause:
        state, words = CaseState.PAUSED, _paused(pause, episode)
    else:
        state, words = CaseState.ACTIVE, ""
    return CurrentProgram(
        program=program,
        state=state,
        words=words,
        stage=_current_stage(program, stands_still=state is not CaseState.ACTIVE),
        running=words or running_advice(episode, program),
        running_now=None if words else _running_now(program, episode, today),
        advice=flagged,
        pause=pause,
    )


def _kept_up(patient: Patient, episode: Episode) -> CurrentProgram:
    """What was handed out at discharge; a red flag reported since stops it as it would any program."""
    program = episode.programs.filter(is_maintenance=True).first()
    if program is None:
        raise NoProgram
    flagged = advice.of_patient(patient)
    return CurrentProgram(
        program=program,
        state=CaseState.ON_HOLD if flagged else CaseState.CLOSED,
        words=ON_HOLD if flagged else KEEP_UP,
        stage=_current_stage(program, stands_still=flagged is not None),
        running=ON_HOLD if flagged else "",
        running_now=None,
        advice=flagged,
        pause=None,
    )


def _running_now(program: Program, episode: Episode, today: date) -> PatientRunning | None:
    program.episode = episode
    state = running.state_of(program=program, today=today)
    return for_running(state, episode.thresholds) if state else None


def check_ins(*, patient: Patient, state: CheckInState, now: datetime) -> QuerySet[CheckInRequest]:
    """The patient's check-ins in that state, newest first, at most ``CHECK_INS_SHOWN``.

    What is past its time counts as missed even before the sweep has said so.
    """
    is_open = Q(state=CheckInRequest.State.OPEN)
    watched = Q(watch__isnull=False, watch__ended_at=None)
    condition = {
        CheckInState.DUE: is_open & Q(missed_at__gt=now) & (Q(program__ended_on=None) | watched),
        CheckInState.ANSWERED: Q(state=CheckInRequest.State.ANSWERED),
        CheckInState.MISSED: Q(state=CheckInRequest.State.MISSED) | is_open & Q(missed_at__lte=now),
    }[state]
    rows = CheckInRequest.objects.of_patient(patient).filter(condition).select_related("program__episode")
    return rows.order_by("-local_date", "-pk")[:CHECK_INS_SHOWN]


def progress(*, patient: Patient, today: date) -> Progress:
    """The present case so far: pain by day, sessions by week, lights, stages."""
    episode = _present_case(patient)
    if episode is None:
        return Progress(FRAMING, None, (), None, (), (), ())
    sessions = list(Session.objects.current().filter(episode=episode))
    runs = list(Run.objects.current().filter(episode=episode))
    reviews = Review.objects.filter(episode=episode, baseline__isnull=False, now__isnull=False)
    moves = StageMove.objects.filter(program__episode=episode).order_by("moved_on", "pk")
    program = _active_program(episode)
    return Progress(
        words=FRAMING,
        episode=episode,
        days=Answer.objects.filter(episode=episode).by_day(),
        review=reviews.first(),
        weeks=_weeks(program, sessions, today) if program else (),
        efforts=_efforts(episode, [*sessions, *runs]),
        moves=list(moves),
    )


def running_advice(episode: Episode, program: Program) -> str:
    """What to do about running, for the track the patient is on; empty for who does not run."""
    t = episode.thresholds
    limit = figure(t.green_max)
    if episode.running_track == RunningTrack.STILL_RUNNING:
        return (
            f"Keep running while pain stays at {limit} or less: {t.running_cut_percent} % less than when the "
            "plan began, no steep downhills, no intervals."
        )
    if episode.running_track != RunningTrack.STOPPED:
        return ""
    step = next((step for step in LADDER if step.number == program.ladder_step), None)
    if step is not None:
        return (
            f"Step {step.number} of {LADDER[-1].number}: {step.text}. Warm up, run so that you can talk, "
            f"at most {t.ladder_max_runs_per_week} runs a week and never two days running. "
            f"Stop if pain goes over {limit}."
        )
    return f"No running yet: it starts after {t.symptom_free_days} days without pain."


def _present_case(patient: Patient) -> Episode | None:
    """The case with an active program, else the open one, else the last; the newest of several."""
    active = Prefetch("programs", queryset=Program.objects.active(), to_attr="active_programs")
    cases = patient.episodes.select_related("clinic__policy").prefetch_related(active)
    newest_first = cases.order_by("-opened_on", "-pk")
    return max(newest_first, key=lambda case: (case.is_open, bool(_active_program(case))), default=None)


def _active_program(episode: Episode | None) -> Program | None:
    programs: list[Program] = getattr(episode, "active_programs", [])
    return programs[0] if programs else None


def _current_stage(program: Program, *, stands_still: bool) -> CurrentStage | None:
    stages = list(program.stages.all())
    stage = next((stage for stage in stages if stage.number == program.current_stage), None)
    if stage is None:
        return None
    if stands_still:
        # A list of doses reads as today's work, and the stage's advice may say to run: neither may go
        # against the hold or the pause.
        return CurrentStage(stage, "", len(stages), program.stage_started_on, ())
    doses = ProgramDose.objects.filter(stage=stage, is_active=True).select_related("exercise")
    doses = doses.prefetch_related(
        Prefetch("exercise__clips", Clip.objects.filter(clinic=program.clinic_id), to_attr="own_clips")
    )
    return CurrentStage(stage, stage.advice, len(stages), program.stage_started_on, list(doses))


def _state(episode: Episode | None, today: date) -> CaseState:
    program = _active_program(episode)
    if episode is not None and not episode.is_open:
        return CaseState.CLOSED
    if program is None:
        return CaseState.NO_PROGRAM
    return CaseState.PAUSED if _pause(program, today) else CaseState.ACTIVE


def _pause(program: Program, today: date) -> Pause | None:
    """The pause that covers today; its end is the first day back."""
    return next((pause for pause in program.pauses.all() if pause.covers(today)), None)


def _paused(pause: Pause, episode: Episode) -> str:
    until = f" until {pause.ends_on:%-d %b %Y}, your first day back" if pause.ends_on else ""
    return PAUSED.format(until=until, limit=figure(episode.thresholds.green_max))


def _weeks(program: Program, sessions: Iterable[Session], today: date) -> list[Week]:
    """From the week the program started in to the present one."""
    done = Counter(_monday(session.local_date) for session in sessions if session.is_strength)
    first, last = _monday(program.started_on), _monday(today)
    mondays = [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]
    return [Week(monday, done[monday], program.strength_per_week) for monday in mondays]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _efforts(episode: Episode, rows: list[Session | Run]) -> list[Effort]:
    """Newest first."""
    for row in rows:
        row.episode = episode
    newest_first = sorted(rows, key=lambda row: row.occurred_at, reverse=True)
    return [
        Effort("run" if isinstance(row, Run) else "session", row, for_patient(row)) for row in newest_first
    ]
