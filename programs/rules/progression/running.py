"""The two running tracks: keep running with less, or the ladder for those who stopped.

The ladder opens after symptom-free days (S2) and climbs by the 24-hour rule. Its first step is S0's, the
others and the pace of the climb are our default.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import takewhile

from clinic.thresholds import OUR_DEFAULT, Thresholds
from patients.vocabulary import RunningTrack, Term
from programs.rules.pain import Light, PainVerdict, alerts_open, figure

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RunnerFacts:
    """How a runner runs at present.

    Attributes:
        running_pain: worst pain when running, NPRS; None if not running or not known.
        limping: limps while running or after.
        last_run_on: None if there was no run since the pain began.
    """

    running_pain: Decimal | None
    limping: bool
    last_run_on: date | None


@dataclass(frozen=True, slots=True)
class TrackVerdict:
    """Which running track applies, and why."""

    track: RunningTrack
    reasons: tuple[str, ...]
    thresholds: Thresholds = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether the symptom-free days are met and nothing bars it; ``reasons`` gives the figures either way."""

    open: bool
    reasons: tuple[str, ...]
    thresholds: Thresholds = field(repr=False)


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One step of the ladder, with where it comes from."""

    number: int
    text: str
    source: str = OUR_DEFAULT


LADDER: tuple[LadderStep, ...] = (
    LadderStep(1, "run 1 min, walk 2 min, x 8, on flat", "S0"),
    LadderStep(2, "run 2 min, walk 2 min, x 6"),
    LadderStep(3, "run 3 min, walk 2 min, x 5"),
    LadderStep(4, "run 5 min, walk 1 min, x 4"),
    LadderStep(5, "run 8 min, walk 1 min, x 3"),
    LadderStep(6, "run 12 min, walk 1 min, x 2"),
    LadderStep(7, "run 25 min"),
    LadderStep(8, "run 30 min"),
    LadderStep(9, "run 30 min, with hills"),
    LadderStep(10, "run 30 min, with downhills"),
    LadderStep(11, "run 30 min, with speed"),
)
"""Every run starts with a warm-up and stays at a conversational pace until the speed step (S2)."""


class Move(Term):
    """What to do on the ladder next."""

    UP = "up"
    REPEAT = "repeat"
    DOWN = "down"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class LadderRun:
    """A run on the ladder: its verdict by the 24-hour rule and the number of the step it was."""

    verdict: PainVerdict
    step: int


@dataclass(frozen=True, slots=True)
class LadderFacts:
    """Where someone stands on the ladder.

    Attributes:
        step: number of the present step.
        step_since: the date it became the present step.
        runs: the runs since the ladder last opened, in any order.
    """

    step: int
    step_since: date
    runs: Sequence[LadderRun] = ()


@dataclass(frozen=True, slots=True)
class LadderMove:
    """The next move: ``step`` to run next and the first day for it; no day after a stop."""

    move: Move
    step: int
    not_before: date | None
    reasons: tuple[str, ...]
    thresholds: Thresholds = field(repr=False)


def running_track(facts: RunnerFacts, today: date, thresholds: Thresholds) -> TrackVerdict:
    """*Stopped* if running hurts too much, limping, or off for too long; else *still running*."""
    limit = thresholds.green_max
    reasons = []
    if facts.running_pain is not None and facts.running_pain > limit:
        reasons.append(f"pain {figure(facts.running_pain)} when running, over {figure(limit)}")
    if facts.limping:
        reasons.append("limping")
    if facts.last_run_on is None:
        reasons.append("no run on record")
    elif (off := (today - facts.last_run_on).days) > thresholds.stopped_after_days:
        reasons.append(f"no run for {off} days, over {thresholds.stopped_after_days}")
    if reasons:
        return TrackVerdict(RunningTrack.STOPPED, tuple(reasons), thresholds)
    keep = f"keep running with the volume cut by {thresholds.running_cut_percent} %, no ladder"
    return TrackVerdict(RunningTrack.STILL_RUNNING, (keep,), thresholds)


def ladder_opening(
    daily_worst: Mapping[date, Decimal], today: date, thresholds: Thresholds, *, since: date | None = None
) -> Opening:
    """Whether the last symptom-free days open the ladder: enough of them answered, all answers 0.

    The days end today, or yesterday while today is not answered: an evening's question does not close a
    ladder in the morning, nor does an unanswered day pass for a symptom-free one.

    Args:
        daily_worst: worst pain of the last 24 hours by local date.
        since: the day pain last returned; only later days count.
    """
    needed = thresholds.symptom_free_days
    last = today if today in daily_worst else today - DAY
    days = [last - number * DAY for number in range(needed)]
    if since is not None:
        days = [day for day in days if day > since]
    answered = [daily_worst[day] for day in days if day in daily_worst]
    enough = min(thresholds.symptom_free_min_answers, needed)
    painful = sum(value > 0 for value in answered)
    figures = (
        f"{len(answered)} of the last {len(days)} days answered, {enough} of {needed} needed",
        f"pain on {painful} of them, none allowed",
    )
    is_open = len(days) == needed and len(answered) >= enough and not painful
    return Opening(is_open, figures if needed else ("no symptom-free days are asked for",), thresholds)


def next_ladder_move(facts: LadderFacts, today: date, thresholds: Thresholds) -> LadderMove:
    """Up one step a week after enough greens, repeat after amber, down after red, stop after red again.

    Asking again after a move was made gives the same step: a run on another step moves nothing further.
    """
    runs = sorted((run for run in facts.runs if run.verdict.on <= today), key=lambda run: run.verdict.on)
    judged = [run for run in runs if run.verdict.light is not Light.INCOMPLETE]
    if judged and judged[-1].verdict.light is Light.RED:
        return _after_red(facts, runs, judged, today, thresholds)
    move, reason = _move_without_red(facts, runs, judged, today, thresholds)
    step = facts.step + 1 if move is Move.UP else facts.step
    return LadderMove(move, step, _next_run_day(runs, today, thresholds), (reason,), thresholds)


def _after_red(
    facts: LadderFacts, runs: list[LadderRun], judged: list[LadderRun], today: date, thresholds: Thresholds
) -> LadderMove:
    """Down one and days off; the second red in a row, or within the days of an overload, stops the ladder."""
    red = judged[-1]
    step = max(LADDER[0].number, min(facts.step, red.step - 1))
    why = f"the run of {red.verdict.on} was red: {'; '.join(red.verdict.reasons)}"
    earlier = _red_before(judged, thresholds)
    if earlier is not None:
        reasons = (why, f"red again after {earlier}: stop until symptom-free")
        return LadderMove(Move.STOP, step, None, reasons, thresholds)
    rest = thresholds.ladder_red_rest_days
    rested = red.verdict.on + (rest + 1) * DAY
    not_before = _next_run_day(runs, max(today, rested), thresholds)
    move = Move.DOWN if step < facts.step else Move.REPEAT
    return LadderMove(move, step, not_before, (why, f"{rest} days off"), thresholds)


def opening_held_back(opening: Opening, alerts: Collection[str]) -> Opening:
    """The ladder is not offered while these alerts say that the case goes the wrong way."""
    if not alerts:
        return opening
    return replace(opening, open=False, reasons=(*opening.reasons, alerts_open(alerts)))


def step_held_back(move: LadderMove, facts: LadderFacts, alerts: Collection[str]) -> LadderMove:
    """No step up while these alerts say that the case goes the wrong way."""
    if move.move is not Move.UP or not alerts:
        return move
    return replace(move, move=Move.REPEAT, step=facts.step, reasons=(*move.reasons, alerts_open(alerts)))


def _red_before(judged: list[LadderRun], thresholds: Thresholds) -> date | None:
    """The date of the red that makes the latest one the second."""
    *earlier, latest = (run.verdict for run in judged)
    near = latest.on - thresholds.overload_days * DAY
    candidates = [verdict for verdict in earlier if verdict.on > near] or earlier[-1:]
    return max((verdict.on for verdict in candidates if verdict.light is Light.RED), default=None)


def _move_without_red(
    facts: LadderFacts, runs: list[LadderRun], judged: list[LadderRun], today: date, thresholds: Thresholds
) -> tuple[Move, str]:
    here = [run.verdict for run in judged if run.step == facts.step and run.verdict.on >= facts.step_since]
    if runs and runs[-1].verdict.light is Light.INCOMPLETE:
        return Move.REPEAT, f"the run of {runs[-1].verdict.on} has no next-morning answer"
    if here and here[-1].light is Light.AMBER:
        return Move.REPEAT, f"the run of {here[-1].on} was amber"
    greens = _trailing_greens(here)
    needed = thresholds.ladder_greens_per_step
    if greens < needed:
        return Move.REPEAT, f"{greens} of {needed} green runs on this step"
    due = facts.step_since + thresholds.ladder_step_days * DAY
    if today < due:
        return Move.REPEAT, f"a step lasts {thresholds.ladder_step_days} days: next one from {due}"
    if facts.step >= LADDER[-1].number:
        return Move.REPEAT, "this is the last step"
    return Move.UP, f"{greens} green runs on this step, {needed} needed"


def _trailing_greens(verdicts: list[PainVerdict]) -> int:
    return sum(1 for _ in takewhile(lambda verdict: verdict.light is Light.GREEN, reversed(verdicts)))


def _next_run_day(runs: list[LadderRun], earliest: date, thresholds: Thresholds) -> date:
    """The first day from ``earliest`` with a day between two runs and room in the 7 days up to it."""
    days = [run.verdict.on for run in runs]
    day = max(earliest, days[-1] + 2 * DAY) if days else earliest
    while sum(on > day - WEEK for on in days) >= thresholds.ladder_max_runs_per_week:
        day += DAY
    return day
