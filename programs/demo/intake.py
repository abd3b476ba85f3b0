"""The intake of a simulated patient, as a physio would write it down, and their later AKPS scores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from clinic.models import User
from patients.models import (
    AggravatingActivity,
    Assessment,
    Episode,
    FlexibilityTest,
    MovementTest,
    OutcomeScore,
    QAngle,
    StrengthTest,
)
from patients.scoring import STEP_DOWN_ITEMS, akps_score
from patients.vocabulary import (
    Diagnosis,
    MovementKind,
    MuscleGroup,
    OutcomeMeasure,
    QAnglePosition,
    QAngleQuadriceps,
    Side,
    StrengthMethod,
    StrengthUnit,
    TightStructure,
)
from programs.demo.courses import Course, level_on
from programs.demo.diary import USUAL_PLACE
from programs.demo.retests import answers, score_intake

SOUND_NEWTON = {
    MuscleGroup.HIP_ABDUCTORS: 160,
    MuscleGroup.HIP_EXTERNAL_ROTATORS: 110,
    MuscleGroup.QUADRICEPS: 420,
    MuscleGroup.CALF: 380,
}
ACTIVITIES = (
    "Stairs down",
    "Squatting",
    "Sitting through a film",
    "Running downhill",
    "Kneeling in the garden",
)


def assess(course: Course, episode: Episode, *, by: User, on: date, random: Random) -> Assessment:
    """The intake assessment with its measurements."""
    worst = Decimal(f"{level_on(course.pain, course.start):.1f}")
    assessment = Assessment.objects.create(
        clinic_id=episode.clinic_id,
        episode=episode,
        assessed_on=on,
        assessed_by=by,
        hip_examined=True,
        locations=[USUAL_PLACE[course.diagnosis]],
        other_knee_worst_pain=Decimal(course.other_knee[0][1]) if course.other_knee else None,
        **_pain(worst) if course.intake_pain else {},
        **_behaviour(course, random),
        body_mass_kg=Decimal(random.randint(550, 880)) / 10,
        sleep_hours=Decimal(random.randint(12, 17)) / 2,
        stress=Decimal(random.randint(1, 7)),
        **_running(course, random),
    )
    _measure(course, assessment, random)
    score_akps(course, episode, ago=course.start, on=on, assessment=assessment)
    score_intake(course, assessment)
    return assessment


def score_akps(
    course: Course, episode: Episode, *, ago: int, on: date, assessment: Assessment | None = None
) -> None:
    """The AKPS that the course has for so many days ago, if any, from its items."""
    points = dict(course.akps).get(ago)
    if points is None:
        return
    items = answers(OutcomeMeasure.AKPS, points)
    OutcomeScore.objects.create(
        clinic_id=episode.clinic_id,
        episode=episode,
        assessment=assessment,
        measure=OutcomeMeasure.AKPS,
        taken_on=on,
        items=items,
        value=akps_score(items),
    )


def _pain(worst: Decimal) -> dict[str, Decimal]:
    half = (worst / 2).quantize(Decimal("0.1"))
    return {"worst_pain": worst, "usual_pain": half, "pain_now": half - 1, "worst_pain_week": worst}


def _behaviour(course: Course, random: Random) -> dict[str, bool]:
    typical = course.diagnosis is Diagnosis.PFP
    return {
        "pain_stairs_down": typical,
        "pain_stairs_up": random.random() < 1 / 2,
        "pain_squat": typical,
        "pain_sitting": typical and random.random() < 2 / 3,
        "pain_lunge": random.random() < 1 / 3,
        "crepitus": random.random() < 1 / 3,
        "other_causes_excluded": typical,
    }


def _running(course: Course, random: Random) -> dict[str, object]:
    if not course.runs_km:
        return {}
    now = Decimal(course.runs_km[0][1])
    return {
        "weekly_km_now": now,
        "weekly_km_before": now + random.randint(8, 20),
        "load_changes": [random.choice(("distance", "hills", "speed", "shoes"))],
        "cadence_spm": random.randint(158, 176),
        "shoe_km": random.randint(200, 1100),
        "shoe_age_months": random.randint(2, 14),
    }


def _measure(course: Course, assessment: Assessment, random: Random) -> None:
    clinic, side = assessment.clinic_id, Side(assessment.episode.index_side)
    for muscle, percent in course.weak:
        StrengthTest.objects.bulk_create(_strength(assessment, muscle, percent, side))
    for on_side in Side:
        QAngle.objects.create(
            clinic_id=clinic,
            assessment=assessment,
            side=on_side,
            degrees=Decimal(random.randint(120, 190)) / 10,
            position=QAnglePosition.SUPINE,
            quadriceps=QAngleQuadriceps.RELAXED,
        )
    MovementTest.objects.create(
        clinic_id=clinic,
        assessment=assessment,
        test=MovementKind.LATERAL_STEP_DOWN,
        side=side,
        **{code: random.randint(0, most) for code, most in STEP_DOWN_ITEMS.items()},
    )
    FlexibilityTest.objects.create(
        clinic_id=clinic,
        assessment=assessment,
        structure=random.choice(tuple(TightStructure)),
        side=side,
        tight=random.random() < 1 / 2,
    )
    AggravatingActivity.objects.bulk_create(
        AggravatingActivity(
            clinic_id=clinic,
            assessment=assessment,
            activity=activity,
            pain=Decimal(random.randint(30, 70)) / 10,
            ability=Decimal(random.randint(2, 7)),
        )
        for activity in random.sample(ACTIVITIES, 3)
    )


def _strength(
    assessment: Assessment, muscle: MuscleGroup, percent: int, side: Side
) -> Iterator[StrengthTest]:
    """Both sides by dynamometer; what has no other side by hand."""
    common = {"clinic_id": assessment.clinic_id, "assessment": assessment, "muscle_group": muscle}
    if muscle not in SOUND_NEWTON:
        yield StrengthTest(
            **common, side=side, method=StrengthMethod.MANUAL, value=Decimal(4), unit=StrengthUnit.GRADE
        )
        return
    for on_side in Side:
        share = percent if on_side == side else 100
        yield StrengthTest(
            **common,
            side=on_side,
            method=StrengthMethod.HANDHELD,
            value=Decimal(SOUND_NEWTON[muscle] * share) / 100,
            unit=StrengthUnit.NEWTON,
            position="side-lying" if muscle is MuscleGroup.HIP_ABDUCTORS else "seated",
        )


def birth_date(age: int, on: date, random: Random) -> date:
    """Somewhere in the year in which a person of that age was born."""
    return on - timedelta(days=age * 365 + age // 4 + random.randrange(20, 340))
