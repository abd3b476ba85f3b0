"""How far who keeps running may run: cut at once (S0: 30 to 50 %), then grown week by week while green."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from clinic.thresholds import Thresholds
from programs.rules.pain import Light, PainVerdict, alerts_open, figure

WEEK = timedelta(days=7)
TENTH = Decimal("0.1")


class Pace(StrEnum):
    """How a week's limit came about."""

    CUT = "cut"
    GREW = "grew"
    HELD = "held"
    EASED = "eased"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class RunDone:
    """A run: how far, in km, and its verdict by the 24-hour rule."""

    km: Decimal
    verdict: PainVerdict


@dataclass(frozen=True, slots=True)
class Barred:
    """An alert, by name, that bars any growth from the day it opened until the day it was resolved."""

    alert: str
    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """Attributes:
    base_km: weekly distance when the plan began.
    full_km: weekly distance before the pain began, where it is known: the plan grows no further.
    since: the day the plan began; its weeks count from there.
    paused_days: dates that do not count.
    barred: no week grows in which one of them was open.
    """

    base_km: Decimal
    since: date
    full_km: Decimal | None = None
    runs: Sequence[RunDone] = ()
    paused_days: Collection[date] = field(default=frozenset())
    barred: Sequence[Barred] = ()


@dataclass(frozen=True, slots=True)
class VolumeWeek:
    """One week of the plan: at most ``limit_km``, ``run_km`` of it run so far."""

    number: int
    starts_on: date
    limit_km: Decimal
    run_km: Decimal
    pace: Pace
    reason: str

    @property
    def over(self) -> bool:
        return self.run_km > self.limit_km


def volume_plan(facts: VolumeFacts, today: date, thresholds: Thresholds) -> tuple[VolumeWeek, ...]:
    """Every week from the plan's first to the present one, oldest first."""
    weeks: list[VolumeWeek] = []
    number, starts_on = 0, facts.since
    while starts_on <= today:
        limit, pace, reason = _limit(number, facts, weeks, thresholds)
        weeks.append(VolumeWeek(number + 1, starts_on, limit, _km(facts, starts_on), pace, reason))
        number, starts_on = number + 1, starts_on + WEEK
    return tuple(weeks)


def _limit(
    number: int, facts: VolumeFacts, weeks: Sequence[VolumeWeek], t: Thresholds
) -> tuple[Decimal, Pace, str]:
    if number < t.running_cut_weeks:
        cut = _down(facts.base_km * (100 - t.running_cut_percent) / 100)
        return cut, Pace.CUT, f"{t.running_cut_percent} % less than {figure(facts.base_km)} km"
    before = weeks[-1]
    verdicts = [run.verdict for run in _runs_of(facts, before.starts_on)]
    at_best = {verdict.at_best for verdict in verdicts}
    if Light.RED in at_best:
        eased = _down(before.limit_km * (100 - t.running_growth_percent) / 100)
        return eased, Pace.EASED, "a red run in the week before: one step less"
    held = _why_held(verdicts, paused=_was_paused(facts, before.starts_on))
    if why := held or _why_barred(facts, before.starts_on + WEEK):
        return before.limit_km, Pace.HELD, why
    full = facts.full_km
    if full is not None and before.limit_km >= full:
        return before.limit_km, Pace.FULL, "the distance before the pain began"
    grown = _down(before.limit_km * (100 + t.running_growth_percent) / 100)
    if full is not None and grown >= full:
        return full, Pace.FULL, "the distance before the pain began"
    return grown, Pace.GREW, f"green in the week before: {t.running_growth_percent} % more"


def _why_held(verdicts: Sequence[PainVerdict], *, paused: bool) -> str:
    """Why a week without a red run grows no further; empty where it does. An incomplete run is not green."""
    if not verdicts:
        return "no run in the week before"
    if paused:
        return "paused in the week before"
    if any(verdict.at_best is Light.AMBER for verdict in verdicts):
        return "an amber run in the week before"
    if all(verdict.light is not Light.GREEN for verdict in verdicts):
        return "no green run in the week before"
    return ""


def _why_barred(facts: VolumeFacts, starts_on: date) -> str:
    begun = [alert for alert in facts.barred if alert.since < starts_on + WEEK]
    names = {alert.alert for alert in begun if alert.until is None or alert.until > starts_on}
    return alerts_open(sorted(names)) if names else ""


def _runs_of(facts: VolumeFacts, starts_on: date) -> list[RunDone]:
    return [run for run in facts.runs if starts_on <= run.verdict.on < starts_on + WEEK]


def _km(facts: VolumeFacts, starts_on: date) -> Decimal:
    return sum((run.km for run in _runs_of(facts, starts_on)), Decimal(0))


def _was_paused(facts: VolumeFacts, starts_on: date) -> bool:
    return any(starts_on <= day < starts_on + WEEK for day in facts.paused_days)


def _down(km: Decimal) -> Decimal:
    """Whole hundred metres, cut: a limit is never rounded up."""
    return km.quantize(TENTH, ROUND_DOWN)
