"""Re-tests: is the change between two values real?

Two values are compared only if taken the same way, and a change counts only if it is no smaller than
the measurement error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from clinic.thresholds import DEFAULTS, Thresholds
from patients.scoring.errors import ScoringError, exact


class Better(StrEnum):
    """Which direction of a measure is the better one."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class ChangeKind(StrEnum):
    """``REFUSED``: the two were not taken alike. ``NOT_JUDGED``: no measurement error is known."""

    REFUSED = "refused"
    NOT_REAL = "not_real"
    WITHIN_ERROR = "within_error"
    IMPROVED = "improved"
    WORSE = "worse"
    CHANGED = "changed"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True, slots=True)
class Property:
    """A measure's smallest real change (None: none is known), its better direction, its source.

    ``important`` is the smallest change that matters to the person (MCID, MIC), where one is published.
    """

    label: str
    error: Decimal | None
    better: Better
    source: str
    important: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """How a value was taken. ``detail`` is what else must match: side, quadriceps state, PSFS activities."""

    method: str = ""
    position: str = ""
    unit: str = ""
    fixation: str = ""
    lever_arm: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    value: Decimal
    taken: Taken = Taken()


@dataclass(frozen=True, slots=True)
class Change:
    """``difference`` is after - before, None where the comparison is refused.

    ``text`` names measure and source; ``brief`` is for where both stand beside it.
    """

    kind: ChangeKind
    difference: Decimal | None
    text: str
    brief: str


NPRS, AKPS, KOOS_PF, PSFS, LEFS = "nprs", "akps", "koos_pf", "psfs", "lefs"
Q_ANGLE, STRENGTH, LSI, STEP_DOWN, FPI6 = "q_angle", "strength", "lsi", "step_down", "fpi6"
FLEXIBILITY, CADENCE, WEEKLY_KM, SITTING = "flexibility", "cadence", "weekly_km", "sitting"

PROPERTIES: Mapping[str, Property] = {
    NPRS: Property("NPRS", Decimal(2), Better.LOWER, "Crossley 2004; in PFP also 1.16, Piva 2009"),
    AKPS: Property(
        "AKPS", Decimal(13), Better.HIGHER, "SDC 13, Norwegian AKPS; MCID 10, Crossley 2004", Decimal(10)
    ),
    KOOS_PF: Property(
        "KOOS-PF", Decimal(16), Better.HIGHER, "MDC 16, MIC 16.4, Crossley 2018", Decimal("16.4")
    ),
    PSFS: Property("PSFS", Decimal("1.3"), Better.HIGHER, "Abbott & Schmitt 2014"),
    LEFS: Property("LEFS", Decimal(9), Better.HIGHER, "MDC 9"),
    Q_ANGLE: Property("Q-angle", DEFAULTS.q_angle_error, Better.NEITHER, "Weiss 2013"),
    STRENGTH: Property("Strength", None, Better.HIGHER, ""),
    LSI: Property("LSI", None, Better.HIGHER, ""),
    STEP_DOWN: Property("Lateral step-down", None, Better.LOWER, ""),
    FPI6: Property("FPI-6", None, Better.NEITHER, ""),
    FLEXIBILITY: Property("Flexibility", None, Better.NEITHER, ""),
    CADENCE: Property("Cadence", None, Better.NEITHER, ""),
    WEEKLY_KM: Property("Weekly distance", None, Better.NEITHER, ""),
    SITTING: Property("Sitting tolerated", None, Better.HIGHER, ""),
}


def is_real_change(measure: str, before: Value, after: Value, *, thresholds: Thresholds = DEFAULTS) -> Change:
    """What the difference between two values of one measure means, with the words for it.

    Raises ScoringError for an unknown measure; GROC is one, as it is a change by itself.
    """
    if measure not in PROPERTIES:
        raise ScoringError("measure", f"expected one of {', '.join(PROPERTIES)}, got {measure!r}")
    if reason := _differently_taken(before.taken, after.taken):
        return _change(ChangeKind.REFUSED, None, "", f"Not compared: {reason}", "")
    prop = PROPERTIES[measure]
    error = thresholds.q_angle_error if measure == Q_ANGLE else prop.error
    difference = exact("after", after.value) - exact("before", before.value)
    if error is None:
        words = "no change" if difference == 0 else "no measurement error is known"
        return _change(ChangeKind.NOT_JUDGED, difference, prop.label, words, "")
    if abs(difference) >= error:
        kind = _direction(prop.better, difference)
        small = prop.important is not None and abs(difference) < prop.important
        less = f", less than the {prop.important:f} that matter" if small else ""
        return _change(kind, difference, prop.label, f"{kind.value}{less}", prop.source)
    if measure == AKPS and difference >= thresholds.success_akps_gain:
        words = "improved, within measurement error"
        return _change(ChangeKind.WITHIN_ERROR, difference, prop.label, words, prop.source)
    words = f"not a real change, smaller than {error:f}"
    return _change(ChangeKind.NOT_REAL, difference, prop.label, words, prop.source)


def _change(kind: ChangeKind, difference: Decimal | None, label: str, words: str, source: str) -> Change:
    if difference is None:
        return Change(kind, None, f"{words}.", f"{words}.")
    moved = f"{difference.normalize():+f}"
    where = f" ({source})" if source else ""
    return Change(kind, difference, f"{label} {moved}: {words}{where}.", f"{moved}: {words}")


def _differently_taken(before: Taken, after: Taken) -> str:
    for name in ("method", "position", "unit", "fixation", "lever_arm", "detail"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            how = "differently" if name == "detail" else f"with a different {name.replace('_', ' ')}"
            return f"taken {how} ({one or 'not noted'}, then {other or 'not noted'})"
    return ""


def _direction(better: Better, difference: Decimal) -> ChangeKind:
    if better is Better.NEITHER:
        return ChangeKind.CHANGED
    return ChangeKind.IMPROVED if (difference > 0) == (better is Better.HIGHER) else ChangeKind.WORSE
