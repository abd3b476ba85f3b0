"""Plausible ranges of the measurements: beyond the limits refused, beyond the usual asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from patients.scoring.errors import ScoringError, exact


@dataclass(frozen=True, slots=True)
class Range:
    """Inclusive limits. ``low``/``high`` are impossible beyond, ``usual_*`` only unusual."""

    label: str
    unit: str
    low: Decimal
    high: Decimal
    usual_low: Decimal
    usual_high: Decimal


def _range(label: str, unit: str, limits: tuple[str, str], usual: tuple[str, str]) -> Range:
    return Range(label, unit, *map(Decimal, limits), *map(Decimal, usual))


# Limits are our default unless the instrument sets them.
RANGES: Mapping[str, Range] = {
    "pain": _range("Pain", "NPRS", ("0", "10"), ("0", "10")),
    "psfs_ability": _range("PSFS ability", "0-10", ("0", "10"), ("0", "10")),
    "akps": _range("AKPS", "points", ("0", "100"), ("20", "100")),
    "koos_pf": _range("KOOS-PF", "points", ("0", "100"), ("5", "100")),
    "lefs": _range("LEFS", "points", ("0", "80"), ("10", "80")),
    "groc": _range("GROC", "points", ("-7", "7"), ("-7", "7")),
    "q_angle": _range("Q-angle", "degrees", ("-10", "45"), ("5", "25")),
    "fpi6": _range("FPI-6", "points", ("-12", "12"), ("-4", "10")),
    "step_down": _range("Lateral step-down", "points", ("0", "6"), ("0", "6")),
    "strength_n": _range("Strength", "N", ("0", "2000"), ("20", "900")),
    "strength_kgf": _range("Strength", "kgf", ("0", "204"), ("2", "92")),
    "strength_nm": _range("Strength", "Nm", ("0", "600"), ("5", "350")),
    "strength_grade": _range("Manual grade", "grade", ("0", "5"), ("2", "5")),
    "nm_per_kg": _range("Torque", "Nm/kg", ("0", "8"), ("0", "4")),
    "lever_arm_m": _range("Lever arm", "m", ("0.05", "1"), ("0.1", "0.5")),
    "body_mass_kg": _range("Body mass", "kg", ("20", "300"), ("40", "130")),
    "flexibility": _range("Flexibility", "degrees", ("-30", "180"), ("-10", "150")),
    "peak_knee_flexion": _range("Peak knee flexion", "degrees", ("0", "160"), ("30", "60")),
    "cadence_spm": _range("Cadence", "steps a minute", ("100", "260"), ("145", "200")),
    "weekly_km": _range("Weekly distance", "km", ("0", "400"), ("0", "130")),
    "sleep_hours": _range("Sleep", "hours", ("0", "24"), ("4", "11")),
    "shoe_km": _range("Shoe distance", "km", ("0", "10000"), ("0", "1500")),
    "shoe_age_months": _range("Shoe age", "months", ("0", "240"), ("0", "36")),
    "sitting_tolerance_min": _range("Sitting tolerated", "minutes", ("0", "600"), ("0", "240")),
    "minutes_until_pain": _range("Time until it hurts", "minutes", ("0", "600"), ("0", "240")),
}


def check_range(measure: str, value: object, *, field: str | None = None) -> str:
    """Empty for a usual value, a question for an unusual one; ScoringError on ``field`` if impossible.

    ``measure`` is a key of ``RANGES``.
    """
    field = field or measure
    if measure not in RANGES:
        raise ScoringError(field, f"has no known range ({measure!r})")
    limits = RANGES[measure]
    number = exact(field, value)
    if not limits.low <= number <= limits.high:
        plausible = f"between {limits.low:f} and {limits.high:f} {limits.unit}"
        raise ScoringError(field, f"{limits.label} must be {plausible}, got {number:f}.")
    if limits.usual_low <= number <= limits.usual_high:
        return ""
    usual = f"{limits.usual_low:f} to {limits.usual_high:f} {limits.unit}"
    return f"{limits.label} {number:f} is unusual (usually {usual}). Is it right?"
