"""Stage gates: what must be true before the next stage opens. "You do not skip stages" (S0).

Unmet criteria are named with their figures; a clinician may override with a written reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

from clinic.thresholds import Thresholds
from patients.vocabulary import RunningTrack, Term
from programs.rules.pain import Light, PainVerdict, figure, greens_in_a_row
from programs.rules.progression.running import ladder_opening

DAY = timedelta(days=1)
DAYS_PER_WEEK = 7
PAIN_SPAN = ("gate_pain_days",)
PAIN_LOW = ("stage4_pain_max", "gate_pain_days")


class CriterionCode(Term):
    """The stable name of a criterion."""

    MINIMUM_DAYS = "minimum_days"
    GREENS = "greens"
    PAIN_NOT_RISING = "pain_not_rising"
    NO_RED = "no_red"
    ADHERENCE = "adherence"
    PAIN_LOW = "pain_low"
    SYMPTOM_FREE = "symptom_free"
    STEP_DOWN = "step_down"
    LIMB_SYMMETRY = "limb_symmetry"


@dataclass(frozen=True, slots=True)
class StepDown:
    """A lateral step-down re-test (Piva 2006): points, and whether they grade as poor."""

    points: int
    poor: bool


@dataclass(frozen=True, slots=True)
class StageFacts:
    """The present stage of a program and what happened in it. Rows after the day judged do not count.

    Attributes:
        entered_on: the day the stage began.
        min_days: least unpaused days in it before the next.
        max_weeks: more unpaused weeks ask "under-loaded?"; None if there is no limit.
        next_is_running: the next stage is the return to running.
        track: whether the person stopped running.
        strength: verdicts on the strength sessions, incomplete ones included: done is done.
        runs: verdicts on the runs.
        daily_worst: worst pain of the index knee by local date, the maximum of the day's answers.
        paused_days: dates that do not count (holiday, illness, hold).
        pain_returned_on: the day pain stopped the ladder, if it did: symptom-free days start after it.
        step_down: re-test in this stage, if taken.
        lsi_percent: limb symmetry index re-tested in this stage, if taken; the lowest of the muscle groups.
    """

    entered_on: date
    min_days: int
    max_weeks: int | None
    next_is_running: bool = False
    track: RunningTrack = RunningTrack.STILL_RUNNING
    strength: Sequence[PainVerdict] = ()
    runs: Sequence[PainVerdict] = ()
    daily_worst: Mapping[date, Decimal] = field(default_factory=dict)
    paused_days: Collection[date] = frozenset()
    pain_returned_on: date | None = None
    step_down: StepDown | None = None
    lsi_percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of a gate: its stable code, a sentence with the figures, and the figures by themselves.

    ``keys`` are the thresholds it was judged by; none where the stage itself says what is needed.
    """

    code: CriterionCode
    text: str
    met: bool
    measured: str = ""
    needed: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """Whether the next stage is open.

    ``noted`` are re-tests shown beside the criteria without deciding; ``under_loaded`` is the question to ask
    when the stage has lasted past its maximum, None before.
    """

    open: bool
    unmet: tuple[Criterion, ...]
    met: tuple[Criterion, ...]
    noted: tuple[Criterion, ...]
    under_loaded: str | None
    thresholds: Thresholds = field(repr=False)


def gate(facts: StageFacts, today: date, thresholds: Thresholds) -> GateVerdict:
    """Judge the gate from the present stage to the next, as of ``today`` (the patient's local date).

    The return to running asks more of those who stopped: low pain and the symptom-free days. Re-tests, where
    taken, decide there; before that they are shown only, since the stages are what treats a deficit.
    """
    rules: list[Callable[[StageFacts, date, Thresholds], Criterion]] = [
        _minimum_days, _greens, _pain_not_rising, _no_red, _adherence,
    ]  # fmt: skip
    if facts.next_is_running and facts.track is RunningTrack.STOPPED:
        rules += [_pain_low, _symptom_free]
    criteria = [rule(facts, today, thresholds) for rule in rules]
    retests = _retests(facts, thresholds)
    if facts.next_is_running:
        criteria += retests
    return GateVerdict(
        open=all(criterion.met for criterion in criteria),
        unmet=tuple(criterion for criterion in criteria if not criterion.met),
        met=tuple(criterion for criterion in criteria if criterion.met),
        noted=() if facts.next_is_running else tuple(retests),
        under_loaded=_under_loaded(facts, today),
        thresholds=thresholds,
    )


def open_since(facts: StageFacts, today: date, thresholds: Thresholds) -> date | None:
    """Since which day the gate has been open without a break up to today; None if it is shut."""
    since = None
    day = today
    while day >= facts.entered_on and gate(facts, day, thresholds).open:
        since, day = day, day - DAY
    return since


def _minimum_days(facts: StageFacts, today: date, thresholds: Thresholds) -> Criterion:
    days = len(_counted_days(facts, today))
    text = f"{days} days in this stage, {facts.min_days} needed"
    return Criterion(
        CriterionCode.MINIMUM_DAYS, text, days >= facts.min_days, f"{days} days", f"{facts.min_days} days"
    )


def _greens(facts: StageFacts, today: date, thresholds: Thresholds) -> Criterion:
    here = [verdict for verdict in facts.strength if facts.entered_on <= verdict.on <= today]
    greens, needed = len(greens_in_a_row(here)), thresholds.greens_to_progress
    text = f"{greens} green sessions in a row in this stage, {needed} needed"
    figures = str(greens), f"{needed} in a row"
    return Criterion(CriterionCode.GREENS, text, greens >= needed, *figures, ("greens_to_progress",))


def _pain_not_rising(facts: StageFacts, today: date, thresholds: Thresholds) -> Criterion:
    span = thresholds.gate_pain_days
    now = _span(facts, today, span)
    before = _span(facts, today - span * DAY, span)
    if not now or not before:
        which = f"the last {span} days" if not now else f"the {span} days before the last {span}"
        text = f"worst pain: no answer in {which}"
        return Criterion(
            CriterionCode.PAIN_NOT_RISING, text, False, "no answer", "an answer in each span", PAIN_SPAN
        )
    new, old = median(now), median(before)
    text = f"worst pain: median {figure(new)} in the last {span} days, {figure(old)} in the {span} before"
    figures = f"median {figure(new)}", f"at most {figure(old)}, as in the {span} days before"
    return Criterion(CriterionCode.PAIN_NOT_RISING, text, new <= old, *figures, PAIN_SPAN)


def _no_red(facts: StageFacts, today: date, thresholds: Thresholds) -> Criterion:
    days = thresholds.gate_no_red_days
    verdicts = (*facts.strength, *facts.runs)
    reds = sorted(v.on for v in verdicts if v.light is Light.RED and today - days * DAY < v.on <= today)
    found = f"{len(reds)}, the latest on {reds[-1]}" if reds else "none"
    text = f"red sessions in the last {days} days: {found}"
    figures = found, f"none in {days} days"
    return Criterion(CriterionCode.NO_RED, text, not reds, *figures, ("gate_no_red_days",))


def _adherence(facts: StageFacts, today: date, thresholds: Thresholds) -> Criterion:
    """Strength sessions a week over the unpaused days of this stage, at most the adherence window."""
    window = _counted_days(facts, today)[-thresholds.adherence_window_days :]
    counted = {*window, today}
    done = sum(verdict.on in counted for verdict in facts.strength)
    days, floor = max(len(window), 1), thresholds.strength_floor_per_week
    text = f"{done} strength sessions in {days} days, {floor} a week needed"
    met = done * DAYS_PER_WEEK >= floor * days
    figures = f"{done} in {days} days", f"{floor} a week"
    return Criterion(CriterionCode.ADHERENCE, text, met, *figures, ("strength_floor_per_week",))


def _pain_low(facts: StageFacts, today: date, thresholds: Thresholds) -> Criterion:
    span, limit = thresholds.gate_pain_days, thresholds.stage4_pain_max
    values = _span(facts, today, span)
    if not values:
        text = f"worst pain: no answer in the last {span} days"
        return Criterion(
            CriterionCode.PAIN_LOW, text, False, "no answer", f"at most {figure(limit)}", PAIN_LOW
        )
    text = f"worst pain {figure(max(values))} in the last {span} days, at most {figure(limit)} allowed"
    figures = figure(max(values)), f"at most {figure(limit)}"
    return Criterion(CriterionCode.PAIN_LOW, text, max(values) <= limit, *figures, PAIN_LOW)


def _symptom_free(facts: StageFacts, today: date, thresholds: Thresholds) -> Criterion:
    opening = ladder_opening(facts.daily_worst, today, thresholds, since=facts.pain_returned_on)
    text = f"symptom-free days: {'; '.join(opening.reasons)}"
    needed = f"{thresholds.symptom_free_days} days, {thresholds.symptom_free_min_answers} answered, all 0"
    keys = ("symptom_free_days", "symptom_free_min_answers")
    return Criterion(CriterionCode.SYMPTOM_FREE, text, opening.open, "; ".join(opening.reasons), needed, keys)


def _retests(facts: StageFacts, thresholds: Thresholds) -> list[Criterion]:
    retests = []
    if facts.step_down is not None:
        grade = "poor" if facts.step_down.poor else "not poor"
        text = f"lateral step-down {facts.step_down.points} points, {grade}"
        points = f"{facts.step_down.points} points, {grade}"
        retests.append(Criterion(CriterionCode.STEP_DOWN, text, not facts.step_down.poor, points, "not poor"))
    if facts.lsi_percent is not None:
        limit = thresholds.lsi_deficit_below
        # Cut to whole per cent: what falls short never reads as enough.
        text = f"limb symmetry {int(facts.lsi_percent)} %, {limit} % needed"
        figures = f"{int(facts.lsi_percent)} %", f"{limit} %"
        met = facts.lsi_percent >= limit
        retests.append(Criterion(CriterionCode.LIMB_SYMMETRY, text, met, *figures, ("lsi_deficit_below",)))
    return retests


def _under_loaded(facts: StageFacts, today: date) -> str | None:
    days = len(_counted_days(facts, today))
    if facts.max_weeks is None or days <= facts.max_weeks * DAYS_PER_WEEK:
        return None
    return f"{days} days in a stage of at most {facts.max_weeks} weeks: under-loaded?"


def _counted_days(facts: StageFacts, today: date) -> list[date]:
    """The unpaused days of this stage before today, in order."""
    days = (facts.entered_on + number * DAY for number in range((today - facts.entered_on).days))
    return [day for day in days if day not in facts.paused_days]


def _span(facts: StageFacts, last: date, days: int) -> list[Decimal]:
    """The daily values of the span that ends with ``last``."""
    span = (last - number * DAY for number in range(days))
    return [facts.daily_worst[day] for day in span if day in facts.daily_worst]
