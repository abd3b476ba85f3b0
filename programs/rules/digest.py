"""What the weekly digest says about whom (clinical.md 8): ranking, new or unchanged, the call list.

Pure. A case is named once, under its most urgent alert. Drift and overload, which clinical.md does not
rank, stand before the stalling ones: the first doubts the diagnosis, the second the dose (our default).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum

from clinic.thresholds import Thresholds
from programs.rules.stall import AlertKind, ReasonCode, State, Trend


class Urgency(IntEnum):
    """In the order of the digest."""

    RED_FLAG = 1
    WORSENING = 2
    STALLED_FLAT = 3
    RELAPSED = 4
    DRIFT = 5
    OVERLOAD = 6
    STALLING = 7
    SLOW = 8


class AlertState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An unresolved alert. ``news_at``: when it was last opened, raised, re-opened, woken or got a reason.

    ``level`` is that of a stall (``stalling``, ``stalled``) or red flag (``tier_1``, ``tier_2``);
    ``case_state``, ``trend`` and ``reason`` are those of the case's latest review; ``answered_since``:
    the patient has answered since it was opened, and has not fallen silent again.
    """

    id: int
    case: int
    case_number: str
    kind: AlertKind
    state: AlertState
    opened_on: date
    news_at: datetime
    level: str = ""
    trend: str = ""
    reason: str = ""
    case_state: str = ""
    answered_since: bool = False

    @property
    def is_ranked(self) -> bool:
        """A stall waits unnamed while the case is on track: it resolves once that has lasted."""
        if self.kind is AlertKind.STALL:
            return self.case_state != State.ON_TRACK
        return self.kind is not AlertKind.SILENT

    @property
    def needs_a_call(self) -> bool:
        return self.kind is AlertKind.SILENT and not self.answered_since


@dataclass(frozen=True, slots=True)
class Told:
    """What earlier digests said: when each alert was last named, how often each was on the call list."""

    named_at: Mapping[int, datetime]
    calls: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """A case to name: its open alerts, the most urgent first."""

    case: int
    urgency: Urgency
    alerts: tuple[OpenAlert, ...]
    is_new: bool

    @property
    def first(self) -> OpenAlert:
        return self.alerts[0]


@dataclass(frozen=True, slots=True)
class Selection:
    """The digest's content; ``more`` are the ranked cases that found no place."""

    new: tuple[Entry, ...]
    unchanged: tuple[Entry, ...]
    more: int
    calls: tuple[OpenAlert, ...]
    acknowledged: int
    snoozed: int
    red_flags_not_cleared: int

    @property
    def has_something_to_say(self) -> bool:
        return bool(self.new or self.unchanged or self.calls)


def select(alerts: Iterable[OpenAlert], told: Told, thresholds: Thresholds) -> Selection:
    """Choose and rank. Red flags always have a place, then what is new, then what is unchanged."""
    every = tuple(alerts)
    is_open = [alert for alert in every if alert.state is AlertState.OPEN]
    entries = sorted(_entries((alert for alert in is_open if alert.is_ranked), told), key=_order)
    chosen = sorted(entries, key=_place)[: thresholds.digest_max_cases]
    silent = [alert for alert in is_open if alert.needs_a_call]
    calls = [alert for alert in silent if told.calls.get(alert.id, 0) < thresholds.silent_max_mentions]
    return Selection(
        new=tuple(entry for entry in entries if entry in chosen and entry.is_new),
        unchanged=tuple(entry for entry in entries if entry in chosen and not entry.is_new),
        more=len(entries) - len(chosen),
        calls=tuple(sorted(calls, key=lambda alert: (alert.opened_on, alert.case_number))),
        acknowledged=sum(alert.state is AlertState.ACKNOWLEDGED for alert in every),
        snoozed=sum(alert.state is AlertState.SNOOZED for alert in every),
        red_flags_not_cleared=sum(
            alert.kind is AlertKind.RED_FLAG and alert.state is AlertState.ACKNOWLEDGED for alert in every
        ),
    )


def urgency(alert: OpenAlert) -> Urgency:
    """Where an alert ranks. Raises ValueError for a silent one: that is for the call list."""
    if alert.kind is AlertKind.STALL:
        return _urgency_of_stall(alert)
    ranks = {
        AlertKind.RED_FLAG: Urgency.RED_FLAG,
        AlertKind.WORSENING: Urgency.WORSENING,
        AlertKind.RELAPSE: Urgency.RELAPSED,
        AlertKind.DRIFT: Urgency.DRIFT,
        AlertKind.OVERLOAD: Urgency.OVERLOAD,
    }
    if alert.kind not in ranks:
        raise ValueError(f"{alert.kind} has no rank")
    return ranks[alert.kind]


def _urgency_of_stall(alert: OpenAlert) -> Urgency:
    if alert.level == State.STALLED and alert.trend != Trend.SLOW:
        return Urgency.STALLED_FLAT
    if alert.reason == ReasonCode.RELAPSED:
        return Urgency.RELAPSED
    return Urgency.SLOW if alert.trend == Trend.SLOW else Urgency.STALLING


def _entries(alerts: Iterable[OpenAlert], told: Told) -> list[Entry]:
    cases: dict[int, list[OpenAlert]] = defaultdict(list)
    for alert in alerts:
        cases[alert.case].append(alert)
    return [_entry(case, found, told) for case, found in cases.items()]


def _entry(case: int, alerts: list[OpenAlert], told: Told) -> Entry:
    ordered = tuple(sorted(alerts, key=lambda alert: (urgency(alert), alert.id)))
    return Entry(case, urgency(ordered[0]), ordered, any(_is_news(alert, told) for alert in ordered))


def _is_news(alert: OpenAlert, told: Told) -> bool:
    return alert.id not in told.named_at or told.named_at[alert.id] < alert.news_at


def _order(entry: Entry) -> tuple[Urgency, str, date, str]:
    """By urgency, tier 1 before tier 2, then the oldest."""
    tier = entry.first.level if entry.urgency is Urgency.RED_FLAG else ""
    return entry.urgency, tier, entry.first.opened_on, entry.first.case_number


def _place(entry: Entry) -> tuple[bool, bool, tuple[Urgency, str, date, str]]:
    return entry.urgency is not Urgency.RED_FLAG, not entry.is_new, _order(entry)
