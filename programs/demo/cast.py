"""Everybody in the demo clinic: those who show something, and ordinary courses around them."""

from __future__ import annotations

import dataclasses
from random import Random

from patients.vocabulary import Diagnosis, MuscleGroup, RunningTrack
from programs.demo.courses import Course, Discharged
from programs.demo.showcase import SHOWCASE, WATCHED

OTHERS = 60
PATIENTS = OTHERS + len(WATCHED)
STARTS = (81, 74, 67, 60, 53, 46, 45, 39, 38, 32, 31, 25, 24, 18, 17, 11, 10, 10, 4, 3)
AKPS_DAYS = (0, 42, 56, 84)
DIAGNOSES = (
    *(Diagnosis.PFP,) * 6,
    Diagnosis.PATELLAR_TENDINOPATHY,
    Diagnosis.ITB_SYNDROME,
)


def cast(seed: int) -> tuple[Course, ...]:
    """The patients in the order of their intake; the same for the same seed."""
    random = Random(f"{seed}:cast")  # noqa: S311 - invented courses, no secret
    ordinary = [_ordinary(number, random) for number in range(OTHERS - len(SHOWCASE))]
    in_order = sorted((*SHOWCASE, *ordinary), key=lambda course: -course.start)
    everybody = (*in_order, *WATCHED)
    return tuple(dataclasses.replace(course, number=number) for number, course in enumerate(everybody))


def _ordinary(number: int, random: Random) -> Course:
    """Two of three do well, the others so-so; one early patient in four is discharged by now."""
    start = STARTS[number % len(STARTS)]
    worst = random.uniform(4.5, 7.5)
    does_well = number % 3 != 2
    left = worst * random.uniform(0.25, 0.45) if does_well else worst - random.uniform(0.6, 1.6)
    settled = max(start - 45, 0)
    by_then = worst - (worst - left) * min(start / 45, 1.0)
    diagnosis = DIAGNOSES[number % len(DIAGNOSES)]
    runs = diagnosis is Diagnosis.PFP and number % 2 == 0
    course = Course(
        shows="an ordinary course" if does_well else "a middling course",
        start=start,
        pain=(
            (start, _tenths(worst)),
            (settled, _tenths(by_then)),
            (0, _tenths(by_then)),
        ),
        noise="0.7",
        answered=random.uniform(0.75, 0.97),
        sessions=random.choice((3, 3, 3, 4)),
        effort="mixed" if does_well else "amber",
        runs_km=((start, "12"), (0, str(random.randint(14, 18)))) if runs else (),
        track=RunningTrack.STILL_RUNNING if runs else RunningTrack.NOT_A_RUNNER,
        akps=_akps(start, does_well, random),
        progresses=does_well,
        diagnosis=diagnosis,
        template="",
        weak=((random.choice((MuscleGroup.HIP_ABDUCTORS, MuscleGroup.QUADRICEPS)), random.randint(76, 89)),),
        age=random.randint(19, 58),
    )
    if does_well and start > 70 and number % 4 == 0:
        course = dataclasses.replace(
            course, acts=(Discharged(random.randint(4, 12), "recovered", "Goals met."),)
        )
    return course


def _akps(start: int, does_well: bool, random: Random) -> tuple[tuple[int, int], ...]:
    points, gain = random.randint(58, 74), random.randint(9, 20) if does_well else random.randint(-1, 5)
    taken = [day for day in AKPS_DAYS if day < start]
    return tuple((start - day, points + (gain * day // AKPS_DAYS[-1] if day else 0)) for day in taken)


def _tenths(value: float) -> str:
    return f"{value:.1f}"
