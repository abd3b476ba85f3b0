"""Base rates for the clinician, and a sentence for the patient. Only what the sources say; no prediction.

55 of 100 with an unfavourable outcome at 3 months is a reason to look again in time, no verdict on a person:
it is shown with what the sources tie to doing well, and how this case stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from clinic.thresholds import Thresholds
from patients.vocabulary import Diagnosis
from programs.rules.pain import figure
from programs.rules.stall.wording import count


@dataclass(frozen=True, slots=True)
class Statement:
    """What is known of runner's knee at large, with its source."""

    words: str
    source: str


@dataclass(frozen=True, slots=True)
class Factor:
    """What the sources tie to doing well. ``here``: how this case stands; ``met`` None: not known."""

    words: str
    source: str
    here: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Prognosis:
    """How such knees do, what speaks for this one, and how to say so to the patient."""

    base_rates: Sequence[Statement]
    factors: Sequence[Factor]
    to_say: str


SLOW_IS_COMMON = Statement(
    "55 of 100 people have an unfavourable outcome at 3 months, 45 a good one", "Collins 2013"
)
RESPONDS = Statement("Most cases respond well to 4-8 weeks of targeted strengthening", "S1")
LOADING = Statement("Responds to progressive loading, not to passive rest", "S4")
LOOK_AGAIN = Statement("No change after 6-8 weeks of honest rehab: look again, hands-on", "S0")

BASE_RATES = {
    Diagnosis.PFP: (SLOW_IS_COMMON, RESPONDS, LOOK_AGAIN),
    Diagnosis.PATELLAR_TENDINOPATHY: (LOADING, LOOK_AGAIN),
    Diagnosis.ITB_SYNDROME: (LOADING, LOOK_AGAIN),
}

DO = (
    "What we can do something about: the strength work at least {floor} times a week, and pain of {pain} or "
    "less while you do it."
)
TO_SAY = (
    "About half of the people with this pain are not yet where they want to be after three months. So slow "
    f"is common, and we look at it again together on the way. {DO}"
)
TO_SAY_LOADING = f"This responds to loading it step by step, not to rest. {DO}"
TO_SAY_WELL = (
    "You are among those who are doing well by now. Keep the strength work up, at least {floor} times a "
    "week: it is what builds the knee's capacity."
)


def prognosis(
    *, diagnosis: Diagnosis, success: bool, per_week: Decimal | None, reds: int, thresholds: Thresholds
) -> Prognosis | None:
    """None for a diagnosis of which the sources say nothing.

    ``per_week``: strength sessions a week so far, None before the first full week; ``reds``: red sessions
    in the days that overload is judged over.
    """
    if diagnosis not in BASE_RATES:
        return None
    floor, green = thresholds.strength_floor_per_week, figure(thresholds.green_max)
    factors = [
        Factor(
            f"Strength work at least {floor} times a week, for at least 8 weeks",
            "S0",
            f"{per_week} a week so far" if per_week is not None else "",
            per_week >= floor if per_week is not None else None,
        ),
        Factor(
            f"Pain of {green} or less while training, settled the next morning",
            "S0, S1",
            f"{count(reds, 'red session')} in the last {thresholds.overload_days} days",
            reds == 0,
        ),
        Factor("Running cut by 30-50 % rather than stopped, then built up step by step", "S0"),
    ]
    words = TO_SAY if diagnosis is Diagnosis.PFP else TO_SAY_LOADING
    to_say = TO_SAY_WELL.format(floor=floor) if success else words.format(pain=green, floor=floor)
    return Prognosis(BASE_RATES[diagnosis], factors, to_say)
