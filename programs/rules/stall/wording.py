"""Numbers, dates and windows in words a clinician reads: the same text in admin, API and e-mail."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from programs.rules.stall.windows import Baseline, BaselineSource, PainNow

TENTH, HALF = Decimal("0.1"), Decimal("0.5")


def number(value: Decimal) -> str:
    """At least one decimal, and never fewer than the value has."""
    tenths = value.quantize(TENTH)
    return str(tenths if tenths == value else value.normalize())


def pain(value: Decimal) -> str:
    """Of a median of two the second decimal says nothing. Cut, not rounded: 1.95 is below 2 and reads so."""
    return str(value.quantize(TENTH, ROUND_FLOOR))


def pains(before: Decimal, now: Decimal) -> tuple[str, str]:
    """Two pains that a verdict compares, never shown further apart than they are: from 6.0 to 4.05 is no drop
    of 2 and does not read as one. Where one would have to be raised to a half or whole point, on which a
    threshold may stand, it keeps its decimals.
    """
    cut = before.quantize(TENTH, ROUND_FLOOR), now.quantize(TENTH, ROUND_FLOOR)
    if abs(cut[0] - cut[1]) <= abs(before - now):
        return str(cut[0]), str(cut[1])
    if now > before:
        return _raised(before), str(cut[1])
    return str(cut[0]), _raised(now)


def _raised(value: Decimal) -> str:
    raised = value.quantize(TENTH, ROUND_CEILING)
    return number(value) if raised % HALF == 0 else str(raised)


def day(on: date) -> str:
    return f"{on.day} {on:%b %Y}"


def count(amount: int, noun: str) -> str:
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"


def baseline_text(baseline: Baseline, value: str) -> str:
    """``value`` is its pain as it is shown beside the present one."""
    if baseline.source is BaselineSource.FIRST_WEEK:
        return f"{value} in the first week"
    if baseline.source is BaselineSource.INTAKE:
        recall = f", over {count(baseline.recall_days, 'day')}" if baseline.recall_days else ""
        return f"{value} at intake ({day(baseline.first)}{recall})"
    return f"{value} in a late first week ({day(baseline.first)} to {day(baseline.last)})"


def window_text(now: PainNow) -> str:
    answered = f"{count(now.days, 'day')} answered"
    if now.resuming:
        return f"{count(len(now.window), 'day')} since resuming, {answered}"
    return f"last {count(len(now.window), 'day')}, {answered}"


def pain_text(baseline: Baseline, now: Decimal, window: PainNow) -> str:
    """ "Worst pain 6.0 in the first week, 5.5 now (last 14 days, 5 days answered)"."""
    then, today = pains(baseline.value, now)
    return f"Worst pain {baseline_text(baseline, then)}, {today} now ({window_text(window)})"


def check_ins_text(now: PainNow) -> str:
    if not now.requests_due:
        return "no check-in was due"
    return f"{now.requests_answered} of {count(now.requests_due, 'due check-in')} answered"
