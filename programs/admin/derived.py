"""What an assessment's raw values amount to: computed by ``patients.scoring``, shown read-only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from patients.models import Assessment, MovementTest
from patients.scoring import (
    STEP_DOWN_ITEMS,
    Reading,
    ScoringError,
    judge_strength,
    limb_symmetry,
    nm_per_kg,
    percent_body_weight,
    psfs_score,
    q_angle_note,
    step_down_grade,
    step_down_score,
)
from patients.vocabulary import MovementKind
from programs.services.matching import reading_of


@dataclass(frozen=True, slots=True)
class Derived:
    """One derived value: what of, in words, and whether it shows a deficit (None: not judged)."""

    of: str
    text: str
    deficit: bool | None = None


def derived_values(assessment: Assessment) -> list[Derived]:
    """Strength, step-down, Q-angle and PSFS, in this order; what can't be had says why."""
    return [
        *_strength(assessment),
        *_step_downs(assessment.movement_tests.all()),
        *_q_angles(assessment),
        *_psfs(assessment),
    ]


def _strength(assessment: Assessment) -> Iterator[Derived]:
    episode, mass = assessment.episode, assessment.body_mass_kg
    readings = [reading_of(test) for test in assessment.strength_tests.all()]
    for reading in readings:
        parts = [*_ratios(reading, mass)]
        judged = reading.side == episode.index_side or episode.both_knees
        verdict = None
        if judged:
            other = next((r for r in readings if _other_side(r, reading)), None)
            symmetry = limb_symmetry(reading, other, both_knees_painful=episode.both_knees)
            if symmetry.lsi is not None:  # cut to whole per cent: a deficit never reads as the threshold
                parts.append(f"LSI {int(symmetry.lsi)} %")
            else:
                parts.append(f"no LSI: {symmetry.reason}")
            verdict = judge_strength(
                reading,
                other,
                both_knees_painful=episode.both_knees,
                sex=episode.patient.sex,
                body_mass_kg=mass,
                thresholds=episode.thresholds,
            )
        deficit = verdict.deficit if verdict else None
        of = f"{reading.muscle_group.label}, {reading.side.label.lower()}"
        value = f"{reading.value:f} {reading.unit.label}"
        yield Derived(of, "; ".join([value, *parts]), deficit)


def _ratios(reading: Reading, mass: Decimal | None) -> Iterator[str]:
    if mass is None:
        return
    for compute, unit in ((nm_per_kg, "Nm/kg"), (percent_body_weight, "% body weight")):
        try:
            value = compute(reading, mass)
        except ScoringError:  # the unit or the lever arm does not give it
            continue
        yield f"{value.quantize(Decimal('0.01'), ROUND_HALF_UP)} {unit}"


def _step_downs(tests: Sequence[MovementTest]) -> Iterator[Derived]:
    for test in tests:
        if test.test != MovementKind.LATERAL_STEP_DOWN:
            continue
        of = f"Lateral step-down, {test.get_side_display().lower()}"
        try:
            total = step_down_score({item: getattr(test, item) for item in STEP_DOWN_ITEMS})
        except ScoringError as error:
            yield Derived(of, f"no score: {error.field.replace('_', ' ')} is open")
            continue
        yield Derived(of, f"{total} of 6, {step_down_grade(total)}")


def _q_angles(assessment: Assessment) -> Iterator[Derived]:
    for angle in assessment.q_angles.all():
        note = q_angle_note(angle.degrees, assessment.episode.patient.sex)
        yield Derived(f"Q-angle, {angle.get_side_display().lower()}", f"{note}. It does not track pain.")


def _psfs(assessment: Assessment) -> Iterator[Derived]:
    abilities = {
        a.activity: a.ability for a in assessment.aggravating_activities.all() if a.ability is not None
    }
    if abilities:
        yield Derived("PSFS", f"{psfs_score(abilities)} of 10, mean of {len(abilities)}")


def _other_side(candidate: Reading, reading: Reading) -> bool:
    return candidate.muscle_group == reading.muscle_group and candidate.side != reading.side
