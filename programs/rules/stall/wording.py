"""Numbers, dates and windows in words a clinician reads: the same text in admin, API and e-mail."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from programs.rules.stall.windows import Baseline, BaselineSource, PainNow

TENTH = Decimal("0.1")


def number(value: Decimal) -> str:
    """At least one decimal, and never fewer than the value has: a median of 5.55 is not shown as 5.6."""
    tenths = value.quantize(TENTH)
    return str(tenths if tenths == value else value.normalize())


def day(on: date) -> str:
    return f"{on.day} {on:%b %Y}"


def count(amount: int, noun: str) -> str:
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"


def baseline_text(baseline: Baseline) -> str:
    if baseline.source is BaselineSource.FIRST_WEEK:
        return f"{number(baseline.value)} in the first week"
    if baseline.source is BaselineSource.INTAKE:
        recall = f", over {count(baseline.recall_days, 'day')}" if baseline.recall_days else ""
        return f"{number(baseline.value)} at intake ({day(baseline.first)}{recall})"
    return f"{number(baseline.value)} in a late first week ({day(baseline.first)} to {day(baseline.last)})"


def window_text(now: PainNow) -> str:
    answered = f"{count(now.days, 'day')} answered"
    if now.resuming:
        return f"{count(len(now.window), 'day')} since resuming, {answered}"
    return f"last {count(len(now.window), 'day')}, {answered}"


def pain_text(baseline: Baseline, now: Decimal, window: PainNow) -> str:
    """ "Worst pain 6.0 in the first week, 5.5 now (last 14 days, 5 days answered)"."""
    return f"Worst pain {baseline_text(baseline)}, {number(now)} now ({window_text(window)})"


def check_ins_text(now: PainNow) -> str:
    if not now.requests_due:
        return "no check-in was due"
    return f"{now.requests_answered} of {count(now.requests_due, 'due check-in')} answered"
