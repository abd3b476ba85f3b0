"""Running now, in the patient's words and as figures for their app: the step, the week's limit, the locks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from clinic.thresholds import Thresholds
from patients.vocabulary import RunningTrack
from programs.rules.pain import figure
from programs.rules.progression import LADDER, Against, Lock, Move, Terrain, VolumeWeek
from programs.services.running import Running

NAMES = {
    Terrain.FLAT: "flat ground",
    Terrain.HILLS: "hills",
    Terrain.DOWNHILLS: "steep downhills",
    Terrain.SPEED: "intervals and fast running",
}


AGAINST: Mapping[str, str] = {
    Against.ON_HOLD: "Your program is on hold: no running until your physio clears you.",
    Against.NOT_OPENED: "Running is not open yet: wait for your physio's word.",
    Against.HILLS: "Not yet: hills. Leave them out until they are open.",
    Against.DOWNHILLS: "Not yet: steep downhills. Leave them out until they are open.",
    Against.SPEED: "Not yet: intervals and fast running. Leave them out until they are open.",
    Against.DAY_AFTER_DAY: "Leave a day without running between two runs.",
    Against.TOO_MANY: "That is more runs in 7 days than planned.",
}
"""What a run went against, as the patient reads it on logging it."""


@dataclass(frozen=True, slots=True)
class PatientStep:
    """The present step of the ladder."""

    number: int
    of: int
    text: str


@dataclass(frozen=True, slots=True)
class PatientLock:
    """One kind of running, and what opens it."""

    terrain: str
    label: str
    open: bool
    words: str


@dataclass(frozen=True, slots=True)
class PatientRunning:
    """What a patient may run now; ``words`` are whole sentences."""

    track: str
    words: Sequence[str]
    step: PatientStep | None
    next_run_from: date | None
    max_runs_a_week: int | None
    week: VolumeWeek | None
    locks: Sequence[PatientLock]


def for_patient(running: Running, thresholds: Thresholds) -> PatientRunning:
    """The same facts as the clinician's page, without reasons that alarm."""
    step = running.step
    on_ladder = running.track is RunningTrack.STOPPED
    return PatientRunning(
        track=running.track.value,
        words=[*_ladder_words(running, thresholds), *_week_words(running), *_lock_words(running.locks)],
        step=PatientStep(step.number, LADDER[-1].number, step.text) if step else None,
        next_run_from=running.move.not_before if running.move else None,
        max_runs_a_week=thresholds.ladder_max_runs_per_week if on_ladder and step else None,
        week=running.week,
        locks=[
            PatientLock(lock.terrain.value, NAMES[lock.terrain], lock.open, _lock(lock))
            for lock in running.locks
        ],
    )


def _ladder_words(running: Running, t: Thresholds) -> list[str]:
    if running.track is not RunningTrack.STOPPED:
        return []
    if running.step is None or running.move is None:
        return [
            f"No running yet: it starts after {t.symptom_free_days} days without pain, on your physio's word."
        ]
    if running.move.move is Move.STOP or running.move.not_before is None:
        return ["No running for now: wait for your physio, and answer the check-ins."]
    return [
        f"Step {running.step.number} of {LADDER[-1].number}: {running.step.text}.",
        f"Next run from {running.move.not_before:%-d %b %Y}, at most {t.ladder_max_runs_per_week} runs in 7 "
        "days, never two days running.",
    ]


def _week_words(running: Running) -> list[str]:
    week = running.week
    if week is None:
        return []
    done = f"{figure(week.run_km)} km of it are run" if week.run_km else "nothing of it is run yet"
    return [f"This week, from {week.starts_on:%-d %b}, at most {figure(week.limit_km)} km; {done}."]


def _lock_words(locks: Sequence[Lock]) -> list[str]:
    shut = [NAMES[lock.terrain] for lock in locks if not lock.open]
    if not shut or len(shut) == len(locks):
        return []
    last = shut.pop()
    names = f"{', '.join(shut)} and {last}" if shut else last
    return [f"Not yet: {names}."]


def _lock(lock: Lock) -> str:
    return "Open" if lock.open else f"Locked: {lock.opens}"
