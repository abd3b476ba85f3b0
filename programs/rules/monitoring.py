"""Counters of remote monitoring, as some US payers define them. They count, and conclude nothing.

Sources: CMS, Physician Fee Schedule 2026: days with data in a rolling period of 30 (2-15, 16-30); minutes and
real-time contacts in a calendar month.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from clinic.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact with the patient, on its day in the clinic; no ``minutes`` where nobody wrote them down."""

    on: date
    minutes: int | None
    is_live: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """The counters as of a day, ``until`` included, and the rule of each in words."""

    since: date
    until: date
    data_days: int
    band: str
    month: date
    minutes: int
    untimed: int
    live_contacts: int
    days_rule: str
    month_rule: str


def count(data_days: Collection[date], contacts: Iterable[Contact], today: date, t: Thresholds) -> Counts:
    """``data_days`` are days on which the patient reported anything; ``month`` is named by its first day."""
    since = today - timedelta(days=t.monitoring_period_days - 1)
    days = len({day for day in data_days if since <= day <= today})
    month = today.replace(day=1)
    of_month = [contact for contact in contacts if month <= contact.on <= today]
    return Counts(
        since=since,
        until=today,
        data_days=days,
        band=_band(days, t),
        month=month,
        minutes=sum(contact.minutes or 0 for contact in of_month),
        untimed=sum(contact.minutes is None for contact in of_month),
        live_contacts=sum(contact.is_live for contact in of_month),
        days_rule=(
            f"Days with a check-in, session or run in the last {t.monitoring_period_days} days, today "
            "included; each day counts once."
        ),
        month_rule=(
            "Minutes of all contacts and notes logged this calendar month, and how many were live: a call or "
            "visit in which both spoke at the same time."
        ),
    )


def _band(days: int, t: Thresholds) -> str:
    few, many, most = t.monitoring_few_days, t.monitoring_many_days, t.monitoring_period_days
    if days >= many:
        return f"{many}-{most} days"
    if days >= few:
        return f"{few}-{many - 1} days"
    return f"below {few} days"
