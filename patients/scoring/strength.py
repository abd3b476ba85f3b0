"""Strength: torque, body-mass ratios, limb symmetry (LSI), and whether a test shows a deficit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from clinic.thresholds import DEFAULTS, Thresholds
from patients.scoring.errors import ScoringError, exact, positive
from patients.vocabulary import MuscleGroup, Sex, Side, StrengthMethod, StrengthUnit

STANDARD_GRAVITY = Decimal("9.80665")  # m/s2, by definition; 1 kgf in N
NORMAL_MANUAL_GRADE = 5  # the top of the 0-5 manual scale is defined as normal

_HUNDREDTH = Decimal("0.01")

QUADRICEPS_PUBLISHED: Mapping[str, tuple[Decimal, Decimal]] = {
    Sex.MALE: (Decimal("2.92"), Decimal("3.45")),
    Sex.FEMALE: (Decimal("2.08"), Decimal("2.74")),
}
"""Isometric knee extension in mid-range, Nm/kg (Sarabon 2021). A value above it is asked about."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One strength test of one side: the raw value and how it was taken. Lever arm in metres."""

    muscle_group: MuscleGroup
    side: Side
    method: StrengthMethod
    value: Decimal
    unit: StrengthUnit
    lever_arm_m: Decimal | None = None
    position: str = ""


@dataclass(frozen=True, slots=True)
class Symmetry:
    """LSI in per cent, unrounded; None with the reason where it cannot be had."""

    lsi: Decimal | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StrengthVerdict:
    """``deficit`` is None where nothing to judge by is known; ``figure`` says what it rests on."""

    deficit: bool | None
    figure: str


def newtons(reading: Reading) -> Decimal:
    """The force in N of a reading in N or kgf; ScoringError on ``unit`` for any other."""
    value = exact("value", reading.value)
    if reading.unit == StrengthUnit.KILOGRAM_FORCE:
        return value * STANDARD_GRAVITY
    if reading.unit == StrengthUnit.NEWTON:
        return value
    raise ScoringError("unit", f"a force in N or kgf is needed, got {reading.unit}")


def torque_nm(reading: Reading) -> Decimal:
    """The torque in Nm: as read, or force x lever arm. ScoringError on ``unit`` or ``lever_arm_m``."""
    if reading.unit == StrengthUnit.NEWTON_METRE:
        return exact("value", reading.value)
    force = newtons(reading)
    if reading.lever_arm_m is None:
        raise ScoringError("lever_arm_m", "is needed to turn a force into a torque")
    return force * positive("lever_arm_m", reading.lever_arm_m)


def nm_per_kg(reading: Reading, body_mass_kg: Decimal) -> Decimal:
    """Torque for body mass, Nm/kg, unrounded."""
    return torque_nm(reading) / positive("body_mass_kg", body_mass_kg)


def percent_body_weight(reading: Reading, body_mass_kg: Decimal) -> Decimal:
    """Force as a share of body weight, per cent, unrounded."""
    return newtons(reading) * 100 / (positive("body_mass_kg", body_mass_kg) * STANDARD_GRAVITY)


def limb_symmetry(involved: Reading, uninvolved: Reading | None, *, both_knees_painful: bool) -> Symmetry:
    """LSI = involved / uninvolved x 100, of two tests taken the same way."""
    if both_knees_painful:
        return Symmetry(None, "both knees hurt: there is no sound side to compare with")
    if involved.muscle_group == MuscleGroup.TRUNK:
        return Symmetry(None, "the trunk has no other side")
    if uninvolved is None:
        return Symmetry(None, "the other side was not tested")
    if reason := _differently_taken(involved, uninvolved):
        return Symmetry(None, reason)
    numerator, denominator = _comparable_values(involved, uninvolved)
    if denominator == 0:
        return Symmetry(None, "the other side measured 0")
    return Symmetry(numerator * 100 / denominator)


def quadriceps_norm(sex: Sex | str, thresholds: Thresholds = DEFAULTS) -> Decimal | None:
    """Lower norm of isometric knee extension in mid-range, Nm/kg (Sarabon 2021); None where there is none."""
    norms: Mapping[str, Decimal] = {
        Sex.MALE: thresholds.quadriceps_norm_men,
        Sex.FEMALE: thresholds.quadriceps_norm_women,
    }
    return norms.get(sex)


def judge_strength(
    involved: Reading,
    uninvolved: Reading | None,
    *,
    both_knees_painful: bool,
    sex: Sex | str,
    body_mass_kg: Decimal | None,
    thresholds: Thresholds = DEFAULTS,
) -> StrengthVerdict:
    """A deficit is an LSI under the threshold, a value below its norm, or a manual grade below normal.

    With both knees hurting only norms count; call it once for each side then.
    """
    if involved.method == StrengthMethod.MANUAL:
        grade = exact("value", involved.value)
        return StrengthVerdict(grade < NORMAL_MANUAL_GRADE, f"grade {grade:f} of {NORMAL_MANUAL_GRADE}")
    judged: list[tuple[bool, str]] = []
    symmetry = limb_symmetry(involved, uninvolved, both_knees_painful=both_knees_painful)
    if symmetry.lsi is not None:
        limit = thresholds.lsi_deficit_below
        # Whole per cent, cut as in ``shown_ratio``.
        judged.append((symmetry.lsi < limit, f"LSI {int(symmetry.lsi)} % (deficit below {limit} %)"))
    norm = quadriceps_norm(sex, thresholds) if _norm_applies(involved, body_mass_kg) else None
    if norm is not None and body_mass_kg is not None:
        ratio = nm_per_kg(involved, body_mass_kg)
        judged.append((ratio < norm, f"{shown_ratio(ratio)} Nm/kg (norm from {norm})"))
    if not judged:
        return StrengthVerdict(None, f"not judged: {symmetry.reason}; no norm to compare with")
    # A deficit by one yardstick stands even where the other finds none; name what found it.
    deficits = [figure for below, figure in judged if below]
    return StrengthVerdict(bool(deficits), "; ".join(deficits or [figure for _, figure in judged]))


def _differently_taken(a: Reading, b: Reading) -> str:
    for name in ("muscle_group", "method", "position", "unit"):
        one, other = getattr(a, name), getattr(b, name)
        if one != other:
            return f"the sides were tested with a different {name.replace('_', ' ')} ({one}, {other})"
    if a.unit == StrengthUnit.GRADE:
        return "manual grades are no proportions"
    if a.lever_arm_m != b.lever_arm_m and None in (a.lever_arm_m, b.lever_arm_m):
        return "the lever arm of one side is not known"
    return ""


def _comparable_values(a: Reading, b: Reading) -> tuple[Decimal, Decimal]:
    """Raw values at the same lever arm; torques where the lever arms differ."""
    if a.lever_arm_m == b.lever_arm_m:
        return exact("value", a.value), exact("value", b.value)
    return torque_nm(a), torque_nm(b)


def _norm_applies(reading: Reading, body_mass_kg: Decimal | None) -> bool:
    """The only norm is for isometric knee extension, as torque for body mass."""
    has_torque = reading.unit == StrengthUnit.NEWTON_METRE or reading.lever_arm_m is not None
    isometric = reading.method == StrengthMethod.HANDHELD
    knee_extension = reading.muscle_group == MuscleGroup.QUADRICEPS
    return knee_extension and isometric and has_torque and body_mass_kg is not None


def shown_ratio(value: Decimal) -> Decimal:
    """A ratio as it is shown everywhere: cut to hundredths, so that a deficit never reads as its norm."""
    return value.quantize(_HUNDREDTH, ROUND_DOWN)
