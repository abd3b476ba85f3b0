"""Assessments of a case side by side: rows to findings, compared by ``patients.scoring``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from django.db.models import prefetch_related_objects

from patients.models import Assessment, Episode, MovementTest, StrengthTest
from patients.scoring import (
    STEP_DOWN_ITEMS,
    Measured,
    ScoringError,
    SideBySide,
    Taken,
    Value,
    Visit,
    limb_symmetry,
    nm_per_kg,
    shown_ratio,
    side_by_side,
    step_down_grade,
    step_down_score,
    visits_shown,
)
from patients.scoring.change import (
    CADENCE,
    FLEXIBILITY,
    FPI6,
    LSI,
    NPRS,
    Q_ANGLE,
    SITTING,
    STEP_DOWN,
    STRENGTH,
    WEEKLY_KM,
)
from patients.vocabulary import MovementKind
from programs.services.matching import other_side, reading_of

SHOWN = 4
"""Visits side by side: the first one and the latest."""

PAIN, MUSCLES, MOVEMENT, ALIGNMENT, LOAD = "Pain", "Strength", "Movement", "Alignment", "Running and load"

PAINS = {
    "worst_pain": "over the last 3 days",
    "usual_pain": "over the last 3 days",
    "pain_now": "now",
    "worst_pain_week": "over the last 7 days",
    "usual_pain_week": "over the last 7 days",
    "other_knee_worst_pain": "over the last 3 days",
}
TOLD = (
    *("pain_stairs_down", "pain_stairs_up", "pain_downhill", "pain_squat", "pain_lunge", "pain_sitting"),
    *("pain_start_up", "pain_at_rest", "crepitus", "pain_first_km", "pain_end_of_run", "pain_only_after_run"),
)
SEEN = ("overstriding", "crossover", "pelvic_drop", "hip_adduction", "form_breaks_late")
PATELLA = ("patella_alta", "patella_tilt", "patella_rotation", "patella_maltracking")
MEASURED = {"cadence_spm": (CADENCE, "steps/min"), "weekly_km_now": (WEEKLY_KM, "km")}

RELATED = ("q_angles", "strength_tests", "movement_tests", "flexibility_tests", "foot_postures")


def compare_assessments(*, episode: Episode) -> SideBySide:
    """The first assessment and the latest ones, each measure with its change; six queries."""
    every = list(Assessment.objects.filter(episode=episode).order_by("assessed_on", "pk"))
    keys, left_out = visits_shown((assessment.pk for assessment in every), SHOWN)
    shown = [assessment for assessment in every if assessment.pk in keys]
    prefetch_related_objects(shown, *RELATED)
    for assessment in shown:
        assessment.episode = episode  # loaded already
    visits = [
        Visit(a.pk, a.assessed_on, a.get_kind_display(), list(_findings(a)), a.is_signed) for a in shown
    ]
    told = {found.label for visit in visits for found in visit.found if found.words == "yes"}
    visits = [replace(v, found=[f for f in v.found if f.words != "no" or f.label in told]) for v in visits]
    return side_by_side(visits, thresholds=episode.thresholds, left_out=left_out)


def _findings(assessment: Assessment) -> Iterator[Measured]:
    yield from _pains(assessment)
    yield from _strength(assessment)
    yield from _movement(assessment)
    yield from _alignment(assessment)
    yield from _load(assessment)


def _pains(assessment: Assessment) -> Iterator[Measured]:
    for name, recall in PAINS.items():
        value = getattr(assessment, name)
        if value is not None:
            yield Measured(PAIN, _label(name), f"{value:f}", NPRS, Value(value, Taken(detail=recall)))
    if assessment.sitting_tolerance_min is not None:
        minutes = assessment.sitting_tolerance_min
        yield Measured(PAIN, "Sitting tolerated", f"{minutes} min", SITTING, Value(Decimal(minutes)))
    yield from _yes_or_no(assessment, PAIN, TOLD, also="sitting_tolerance_min")


def _strength(assessment: Assessment) -> Iterator[Measured]:
    tests = list(assessment.strength_tests.all())
    for test in tests:
        label = f"{test.get_muscle_group_display()}, {test.side}"
        words = f"{test.value:f} {test.get_unit_display()}{_for_body_mass(test, assessment.body_mass_kg)}"
        yield Measured(MUSCLES, label, words, STRENGTH, Value(test.value, _taken(test)))
    for test in tests:
        other = other_side(test, tests)
        if test.side != assessment.episode.index_side or other is None:
            continue
        symmetry = limb_symmetry(reading_of(test), other, both_knees_painful=assessment.episode.both_knees)
        if symmetry.lsi is not None:  # cut to whole per cent, as where a deficit is judged
            value = Value(Decimal(int(symmetry.lsi)), _taken(test))
            words = f"{int(symmetry.lsi)} %"
            yield Measured(MUSCLES, f"LSI {test.get_muscle_group_display().lower()}", words, LSI, value)


def _for_body_mass(test: StrengthTest, mass: Decimal | None) -> str:
    if mass is None:
        return ""
    try:
        ratio = nm_per_kg(reading_of(test), mass)
    except ScoringError:  # the unit or the lever arm does not give it
        return ""
    return f", {shown_ratio(ratio)} Nm/kg"


def _taken(test: StrengthTest) -> Taken:
    return Taken(
        method=test.get_method_display().lower(),
        position=test.position.strip().lower(),
        unit=test.get_unit_display(),
        fixation=test.fixation.strip().lower(),
        lever_arm=f"{test.lever_arm_m:f} m" if test.lever_arm_m is not None else "",
    )


def _movement(assessment: Assessment) -> Iterator[Measured]:
    for test in assessment.movement_tests.all():
        label = f"{test.get_test_display()}, {test.side}"
        if test.test == MovementKind.LATERAL_STEP_DOWN:
            yield from _step_down(test, label)
        elif test.grade:
            rubric = f" ({test.rubric})" if test.rubric else ""
            yield Measured(MOVEMENT, label, f"{test.grade}{rubric}")


def _step_down(test: MovementTest, label: str) -> Iterator[Measured]:
    try:
        total = step_down_score({item: getattr(test, item) for item in STEP_DOWN_ITEMS})
    except ScoringError:  # an item was left open: no score
        return
    yield Measured(
        MOVEMENT, label, f"{total} of 6, {step_down_grade(total)}", STEP_DOWN, Value(Decimal(total))
    )


def _alignment(assessment: Assessment) -> Iterator[Measured]:
    for angle in assessment.q_angles.all():
        quadriceps = f"quadriceps {angle.get_quadriceps_display().lower()}"
        taken = Taken(position=angle.get_position_display().lower(), unit="degrees", detail=quadriceps)
        yield Measured(
            ALIGNMENT, f"Q-angle, {angle.side}", f"{angle.degrees:f}°", Q_ANGLE, Value(angle.degrees, taken)
        )
    for foot in assessment.foot_postures.all():
        yield Measured(ALIGNMENT, f"FPI-6, {foot.side}", f"{foot.fpi6:+d}", FPI6, Value(Decimal(foot.fpi6)))
    for test in assessment.flexibility_tests.all():
        label, words = f"{test.get_structure_display()}, {test.side}", "tight" if test.tight else "not tight"
        if test.degrees is None:
            yield Measured(ALIGNMENT, label, words)
        else:
            yield Measured(ALIGNMENT, label, f"{words}, {test.degrees:f}°", FLEXIBILITY, Value(test.degrees))
    yield from _yes_or_no(assessment, ALIGNMENT, PATELLA)


def _load(assessment: Assessment) -> Iterator[Measured]:
    for name, (measure, unit) in MEASURED.items():
        value = getattr(assessment, name)
        if value is not None:
            yield Measured(LOAD, _label(name), f"{value} {unit}", measure, Value(Decimal(value)))
    yield from _yes_or_no(assessment, LOAD, SEEN, also="cadence_spm")


def _yes_or_no(
    assessment: Assessment, group: str, names: tuple[str, ...], *, also: str = ""
) -> Iterator[Measured]:
    """Nothing, where no box of the group is ticked, nor ``also`` given: then it was not asked, or not looked
    at, and an empty box is no "no".
    """
    if not any(getattr(assessment, name) for name in names) and getattr(assessment, also, None) is None:
        return
    for name in names:
        yield Measured(group, _label(name), "yes" if getattr(assessment, name) else "no")


WHEN_IT_HURTS = {
    "pain_stairs_down": "Pain going downstairs",
    "pain_stairs_up": "Pain going upstairs",
    "pain_downhill": "Pain running downhill",
    "pain_squat": "Pain on squatting",
    "pain_lunge": "Pain on a lunge",
}
LABELS = WHEN_IT_HURTS | {
    "cadence_spm": "Cadence",
    "weekly_km_now": "Weekly distance",
    "worst_pain": "Worst pain",
    "usual_pain": "Usual pain",
    "worst_pain_week": "Worst pain, week",
    "usual_pain_week": "Usual pain, week",
    "other_knee_worst_pain": "Other knee, worst",
}


def _label(name: str) -> str:
    """The field's own name, unless ours is shorter."""
    verbose = str(Assessment._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return LABELS.get(name, verbose[:1].upper() + verbose[1:])
