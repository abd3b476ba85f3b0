"""What a simulated patient reports on which day. Pure: the same for the same course, seed and day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from random import Random

from patients.vocabulary import Diagnosis, PainLocation
from programs.demo.courses import (
    ANSWER_DAYS,
    RUN_DAYS,
    SESSION_DAYS,
    Course,
    Symptoms,
    away,
    level_on,
    stopped,
    within,
)
from programs.rules.progression import Terrain

USUAL_PLACE = {
    Diagnosis.PFP: PainLocation.PERIPATELLAR,
    Diagnosis.PATELLAR_TENDINOPATHY: PainLocation.BELOW_PATELLA,
    Diagnosis.ITB_SYNDROME: PainLocation.LATERAL,
    Diagnosis.OTHER_KNEE: PainLocation.MEDIAL,
}
AMBER_SHARE = 0.12
"""Of mixed sessions."""


@dataclass(frozen=True, slots=True)
class PlannedAnswer:
    on: date
    at: time
    worst: Decimal
    usual: Decimal
    other_worst: Decimal | None
    place: PainLocation | None
    symptoms: Symptoms | None


@dataclass(frozen=True, slots=True)
class PlannedSession:
    on: date
    at: time
    before: Decimal
    during: Decimal
    next_morning: Decimal


@dataclass(frozen=True, slots=True)
class PlannedRun(PlannedSession):
    km: Decimal
    terrain: tuple[Terrain, ...]


@dataclass(frozen=True, slots=True)
class Diary:
    answers: tuple[PlannedAnswer, ...]
    sessions: tuple[PlannedSession, ...]
    runs: tuple[PlannedRun, ...]


def write(course: Course, *, started_on: date, today: date, random: Random) -> Diary:
    """Everything the patient reports from the start until yesterday.

    Nobody forgets twice in a row by chance: silence is what the course says it is.
    """
    answers, sessions, runs = [], [], []
    forgot = False
    for number in range((today - started_on).days):
        on = started_on + timedelta(days=number)
        ago = (today - on).days
        symptoms = next((s for s in course.symptoms if s.ago == ago), None)
        asked = _is_asked(course, on, ago)
        if asked:
            forgot = not forgot and random.random() > course.answered
        if symptoms or (asked and not forgot and not within(course.quiet, ago)):
            answers.append(_answer(course, on, ago, symptoms, random))
        if number and not within((*stopped(course), *course.quiet), ago):
            if on.isoweekday() in SESSION_DAYS[course.sessions]:
                sessions.append(_session(course, on, ago, random))
            if course.runs_km and level_on(course.runs_km, ago) and on.isoweekday() in RUN_DAYS:
                runs.append(_run(course, on, ago, random))
    return Diary(tuple(answers), tuple(sessions), tuple(runs))


def _is_asked(course: Course, on: date, ago: int) -> bool:
    usual = on.isoweekday() in ANSWER_DAYS or within(course.daily, ago)
    return usual and not within(away(course), ago)


def _answer(course: Course, on: date, ago: int, symptoms: Symptoms | None, random: Random) -> PlannedAnswer:
    worst = _pain(level_on(course.pain, ago), course, random)
    place = None
    if course.moved_pain and ago <= course.moved_pain[0]:
        place = course.moved_pain[1]
    elif random.random() < 1 / 4:
        place = USUAL_PLACE[course.diagnosis]
    return PlannedAnswer(
        on=on,
        at=time(19 + random.randrange(3), random.randrange(60)),
        worst=worst,
        usual=_tenths(float(worst) * random.uniform(0.4, 0.6)),
        other_worst=_pain(level_on(course.other_knee, ago), course, random) if course.other_knee else None,
        place=place,
        symptoms=symptoms,
    )


def _session(course: Course, on: date, ago: int, random: Random) -> PlannedSession:
    before = random.uniform(0.5, 1.8)
    amber = course.effort == "amber" or (course.effort == "mixed" and random.random() < AMBER_SHARE)
    during, settled = (
        random.uniform(3.3, 4.8) if amber else random.uniform(1.2, 2.8),
        random.uniform(-0.4, 0.6),
    )
    if within(course.reds, ago):
        during, settled = random.uniform(5.6, 7.0), 2.4
    at = time(17, random.randrange(60))
    return PlannedSession(on, at, _tenths(before), _tenths(during), _tenths(before + settled))


def _run(course: Course, on: date, ago: int, random: Random) -> PlannedRun:
    before = random.uniform(0.3, 1.5)
    km = level_on(course.runs_km, ago) / len(RUN_DAYS) * random.uniform(0.97, 1.03)
    at, during = time(7, random.randrange(60)), random.uniform(0.8, 2.6)
    terrain = tuple(terrain for span, terrain in course.off_flat if within((span,), ago))
    return PlannedRun(on, at, _tenths(before), _tenths(during), _tenths(before), _tenths(km), terrain)


def _pain(level: float, course: Course, random: Random) -> Decimal:
    stray = random.uniform(-1, 1) * float(course.noise)
    return _tenths(min(max(level + stray, 0), 10))


def _tenths(value: float) -> Decimal:
    return Decimal(f"{max(value, 0):.1f}")
