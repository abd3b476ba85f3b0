"""Scores of the outcome measures. Item codes and labels are ours; the instruments' wording is not shipped.

Items come as a mapping of item code to chosen points. Every item is required, none may be unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from patients.scoring.errors import ScoringError, exact
from patients.vocabulary import OutcomeMeasure

_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Item:
    """One questionnaire item: a neutral label and the points it can have, best first."""

    label: str
    points: tuple[int, ...]


# PMC10362729: points per option, best to worst.
AKPS_ITEMS: Mapping[str, Item] = {
    "limp": Item("Limp", (5, 3, 0)),
    "support": Item("Weight on the leg", (5, 3, 0)),
    "walking": Item("Walking", (5, 3, 2, 0)),
    "stairs": Item("Stairs", (10, 8, 5, 0)),
    "squat": Item("Squatting", (5, 4, 3, 2, 0)),
    "run": Item("Running", (10, 8, 6, 3, 0)),
    "jump": Item("Jumping", (10, 7, 2, 0)),
    "sitting": Item("Long sitting, knees bent", (10, 8, 6, 4, 0)),
    "pain": Item("Pain", (10, 8, 6, 3, 0)),
    "swelling": Item("Swelling", (10, 8, 6, 4, 0)),
    "patellar_movement": Item("Abnormal painful kneecap movement", (10, 6, 4, 2, 0)),
    "thigh_atrophy": Item("Thigh muscle loss", (5, 3, 0)),
    "flexion_deficiency": Item("Loss of knee bend", (5, 3, 0)),
}

# Our default: from these points down the answer is a red flag. Swelling after a day's activity is
# significant, after severe exertion (8) it is not; any subluxation counts.
AKPS_RED_FLAG_POINTS: Mapping[str, int] = {"swelling": 6, "patellar_movement": 6}

KOOS_PF_ITEMS: Mapping[str, Item] = {
    f"pf{n}": Item(f"KOOS-PF item {n}", (0, 1, 2, 3, 4)) for n in range(1, 12)
}
LEFS_ITEMS: Mapping[str, Item] = {f"lefs{n}": Item(f"LEFS item {n}", (4, 3, 2, 1, 0)) for n in range(1, 21)}
GROC_ITEMS: Mapping[str, Item] = {"groc": Item("Change since the start", tuple(range(7, -8, -1)))}

GROC_MUCH_IMPROVED = 5  # our default


def akps_score(answers: Mapping[str, object]) -> int:
    """Anterior knee pain scale (Kujala), 0-100, 100 best: the sum of 13 items.

    Raises ScoringError naming the item that is missing, unknown, or has points the item does not offer.
    """
    return sum(_points(AKPS_ITEMS, answers).values())


def akps_red_flags(answers: Mapping[str, object]) -> tuple[str, ...]:
    """The item codes ("swelling", "patellar_movement") whose answer raises the red-flag alert.

    Each item speaks for itself: a questionnaire that is not complete hides no flag.
    """
    return tuple(
        code
        for code, limit in AKPS_RED_FLAG_POINTS.items()
        if code in answers and _chosen(code, AKPS_ITEMS[code].points, answers) <= limit
    )


def koos_pf_score(answers: Mapping[str, object]) -> Decimal:
    """KOOS-PF, 0-100 in tenths, 100 best, from 11 items 0 (best) to 4."""
    points = _points(KOOS_PF_ITEMS, answers)
    worst = 4 * len(points)
    return _tenths(Decimal(100) * (worst - sum(points.values())) / worst)


def lefs_score(answers: Mapping[str, object]) -> int:
    """Lower extremity functional scale, 0-80, 80 best: the sum of 20 items 0 to 4 (best)."""
    return sum(_points(LEFS_ITEMS, answers).values())


def psfs_score(abilities: Mapping[str, object]) -> Decimal:
    """Patient-specific functional scale: mean ability of the patient's own activities, 0-10, in tenths."""
    if not abilities:
        raise ScoringError("psfs", "needs at least one activity")
    values = [_ability(activity, raw) for activity, raw in abilities.items()]
    return _tenths(sum(values, Decimal(0)) / len(values))


def groc_score(answers: Mapping[str, object]) -> int:
    """Global rating of change, -7 to +7."""
    return _points(GROC_ITEMS, answers)["groc"]


def groc_meaning(value: int) -> str:
    """GROC in words: "much improved" from +5, "improved", "unchanged", "worse"."""
    groc_score({"groc": value})
    if value >= GROC_MUCH_IMPROVED:
        return "much improved"
    if value > 0:
        return "improved"
    return "unchanged" if value == 0 else "worse"


def score(measure: OutcomeMeasure | str, items: Mapping[str, object]) -> Decimal:
    """The score of any outcome measure from its items, ready to be stored.

    ``items`` is item code -> points; for PSFS activity -> ability 0-10; for GROC ``{"groc": -7..7}``.
    """
    if measure not in _SCORERS:
        raise ScoringError("measure", f"expected one of {', '.join(_SCORERS)}, got {measure!r}")
    return Decimal(_SCORERS[OutcomeMeasure(measure)](items))


_SCORERS: Mapping[OutcomeMeasure, Callable[[Mapping[str, object]], Decimal | int]] = {
    OutcomeMeasure.AKPS: akps_score,
    OutcomeMeasure.KOOS_PF: koos_pf_score,
    OutcomeMeasure.PSFS: psfs_score,
    OutcomeMeasure.LEFS: lefs_score,
    OutcomeMeasure.GROC: groc_score,
}


def _points(items: Mapping[str, Item], answers: Mapping[str, object]) -> dict[str, int]:
    for code in answers:
        if code not in items:
            raise ScoringError(str(code), "is not an item of this questionnaire")
    return {code: _chosen(code, item.points, answers) for code, item in items.items()}


def _chosen(code: str, offered: Collection[int], answers: Mapping[str, object]) -> int:
    if code not in answers:
        raise ScoringError(code, "is not answered")
    points = answers[code]
    if isinstance(points, bool) or not isinstance(points, int) or points not in offered:
        raise ScoringError(code, f"expected one of {', '.join(map(str, offered))} points, got {points!r}")
    return points


def _ability(activity: str, raw: object) -> Decimal:
    value = exact(activity, raw)
    if not 0 <= value <= 10:
        raise ScoringError(activity, f"ability must be between 0 and 10, got {value}")
    return value


def _tenths(value: Decimal) -> Decimal:
    return value.quantize(_TENTH, ROUND_HALF_UP)
