"""Movement and posture: lateral step-down (Piva 2006) and the Q-angle's reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from patients.scoring.errors import ScoringError, exact
from patients.vocabulary import Sex

# Piva 2006: item -> the most points it can score (0 is none seen).
STEP_DOWN_ITEMS: Mapping[str, int] = {"arm": 1, "trunk": 1, "pelvis": 1, "knee": 2, "steady_stance": 1}
STEP_DOWN_GOOD_MAX = 1
STEP_DOWN_MEDIUM_MAX = 3


class StepDownGrade(StrEnum):
    GOOD = "good"
    MEDIUM = "medium"
    POOR = "poor"


@dataclass(frozen=True, slots=True)
class QAngleReference:
    """Mean and 95 % interval in degrees (Merchant 2020)."""

    mean: Decimal
    interval: Decimal

    @property
    def low(self) -> Decimal:
        return self.mean - self.interval

    @property
    def high(self) -> Decimal:
        return self.mean + self.interval


Q_ANGLE_REFERENCES: Mapping[str, QAngleReference] = {
    Sex.MALE: QAngleReference(Decimal("13.5"), Decimal("5.2")),
    Sex.FEMALE: QAngleReference(Decimal("15.9"), Decimal("4.8")),
}


def step_down_score(items: Mapping[str, object]) -> int:
    """Lateral step-down, 0 (best) to 6: the sum of its five items.

    Raises ScoringError naming the item that is missing, unknown or out of its range.
    """
    for code in items:
        if code not in STEP_DOWN_ITEMS:
            raise ScoringError(str(code), "is not an item of the lateral step-down")
    return sum(_step_down_points(code, most, items) for code, most in STEP_DOWN_ITEMS.items())


def step_down_grade(total: int) -> StepDownGrade:
    """Piva 2006: 0-1 good, 2-3 medium, 4 and above poor."""
    if not 0 <= total <= sum(STEP_DOWN_ITEMS.values()):
        raise ScoringError("step_down", f"must be between 0 and {sum(STEP_DOWN_ITEMS.values())}, got {total}")
    if total <= STEP_DOWN_GOOD_MAX:
        return StepDownGrade.GOOD
    return StepDownGrade.MEDIUM if total <= STEP_DOWN_MEDIUM_MAX else StepDownGrade.POOR


def q_angle_note(degrees: Decimal, sex: Sex | str) -> str:
    """The Q-angle against its reference, to be shown: it does not track pain (r = -0.29, PMC4812005)."""
    value = exact("degrees", degrees)
    reference = Q_ANGLE_REFERENCES.get(sex)
    if reference is None:
        return f"{value:f} degrees; no reference for this sex"
    if value < reference.low:
        place = "below"
    elif value > reference.high:
        place = "above"
    else:
        place = "within"
    return f"{value:f} degrees, {place} the reference {reference.low:f} to {reference.high:f} (Merchant 2020)"


def _step_down_points(code: str, most: int, items: Mapping[str, object]) -> int:
    points = items.get(code)
    if isinstance(points, bool) or not isinstance(points, int) or not 0 <= points <= most:
        raise ScoringError(code, f"expected 0 to {most} points, got {points!r}")
    return points
