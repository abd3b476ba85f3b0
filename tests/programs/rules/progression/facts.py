"""Days, sessions and answers for the tests of progression, written short."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from clinic.thresholds import DEFAULTS
from programs.rules.pain import Activity, PainVerdict, SessionFacts, light

DAY0 = date(2026, 3, 2)  # a Monday


def on(day: int) -> date:
    return DAY0 + timedelta(days=day)


def verdict(letter: str, day: int, activity: Activity = Activity.STRENGTH) -> PainVerdict:
    """A session by its light: Green, Amber (strength only), Red, Incomplete."""
    during = {"G": "1", "A": "4", "R": "7", "I": "1"}[letter]
    morning = None if letter == "I" else Decimal(1)
    return light(SessionFacts(on(day), Decimal(during), Decimal(1), morning, activity), DEFAULTS)


def daily(values: dict[int, str]) -> dict[date, Decimal]:
    return {on(day): Decimal(value) for day, value in values.items()}


def zeros(first: int, last: int) -> dict[int, str]:
    """Symptom-free days, both ends included."""
    return dict.fromkeys(range(first, last + 1), "0")


DAYS = st.integers(0, 34)
RUN_VERDICTS = st.builds(verdict, st.sampled_from("GRI"), DAYS, st.just(Activity.RUN))
