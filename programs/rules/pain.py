"""The 24-hour pain rule: one light per session, and what a row of lights proposes.

A session holds pain before, during, and the next morning, and whether the person limped. Pain is on the
0-10 NPRS in tenths. Sources of the limits: see ``clinic.thresholds`` (S0, S1, Silbernagel, our defaults).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import takewhile

from clinic.thresholds import Thresholds
from patients.vocabulary import Term


class Light(Term):
    """The verdict on one session."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    INCOMPLETE = "incomplete"


class Activity(Term):
    """What was done: amber exists for strength work only, a run is green or red."""

    STRENGTH = "strength"
    RUN = "run"


class Proposal(Term):
    """What the latest sessions suggest for the dose; a clinician decides."""

    PROGRESS = "progress"
    HOLD = "hold"
    EASE = "ease"


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """One session as the patient reported it.

    Attributes:
        on: local date of the session.
        during: worst pain during it.
        before: pain on the morning before it, the level that pain has to settle back to; None if not asked.
        next_morning: pain on the morning after; None until it is answered.
        rising: pain kept rising while the session went on (asked as such: 0 before and 2 during is no rise).
    """

    on: date
    during: Decimal
    before: Decimal | None
    next_morning: Decimal | None
    activity: Activity = Activity.STRENGTH
    limping: bool = False
    rising: bool = False


@dataclass(frozen=True, slots=True)
class PainVerdict:
    """The light of one session, why, and the thresholds it was judged by.

    ``at_best`` is the best light still possible: of an incomplete session it is what is known so far.
    """

    on: date
    light: Light
    at_best: Light
    reasons: tuple[str, ...]
    thresholds: Thresholds = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProposalVerdict:
    """Progress, hold or ease, with the reasons and the thresholds used."""

    proposal: Proposal
    reasons: tuple[str, ...]
    thresholds: Thresholds = field(repr=False)


@dataclass(frozen=True, slots=True)
class OverloadVerdict:
    """Whether there were too many reds lately; ``reds`` are their dates, oldest first."""

    overloaded: bool
    reds: tuple[date, ...]
    reasons: tuple[str, ...]
    thresholds: Thresholds = field(repr=False)


def light(session: SessionFacts, thresholds: Thresholds) -> PainVerdict:
    """Judge one session by the 24-hour rule.

    Without a next-morning answer (or without a morning before to compare it with) the session is incomplete,
    neither green nor red, however much it hurt; its reasons then say what is known already.
    """
    reds = _red_reasons(session, thresholds)
    ambers = _amber_reasons(session, thresholds)
    at_best = Light.RED if reds else Light.AMBER if ambers else Light.GREEN
    missing = _missing(session)
    if missing:
        return PainVerdict(session.on, Light.INCOMPLETE, at_best, (*missing, *reds, *ambers), thresholds)
    reasons = reds or ambers or _green_reasons(session, thresholds)
    return PainVerdict(session.on, at_best, at_best, reasons, thresholds)


def ready_since(verdicts: Iterable[PainVerdict], thresholds: Thresholds) -> date | None:
    """The date of the session that made the present row of greens long enough; None if it is not."""
    row = greens_in_a_row(verdicts)
    needed = thresholds.greens_to_progress
    return row[needed - 1].on if len(row) >= needed else None


def greens_in_a_row(verdicts: Iterable[PainVerdict]) -> tuple[PainVerdict, ...]:
    """The greens up to the latest session, oldest first.

    An incomplete session neither counts nor ends the row, unless it can no longer turn green: not to answer
    the next morning must not hide a session that hurt.
    """
    unbroken = takewhile(lambda verdict: verdict.at_best is Light.GREEN, reversed(by_date(verdicts)))
    return tuple(verdict for verdict in unbroken if verdict.light is Light.GREEN)[::-1]


def propose(verdicts: Iterable[PainVerdict], thresholds: Thresholds) -> ProposalVerdict:
    """Ease after a red, hold after an amber, progress after enough greens in a row; else hold.

    Takes the sessions of one activity, in any order. The latest session that has a light decides.
    """
    ordered = by_date(verdicts)
    latest = next((v for v in reversed(ordered) if v.light is not Light.INCOMPLETE), None)
    if latest is None:
        return ProposalVerdict(Proposal.HOLD, ("no complete session yet",), thresholds)
    if latest.light is not Light.GREEN:
        proposal = Proposal.EASE if latest.light is Light.RED else Proposal.HOLD
        on = f"{latest.on.day} {latest.on:%b %Y}"
        why = f"the session of {on} was {latest.light}: {'; '.join(latest.reasons)}"
        return ProposalVerdict(proposal, (why,), thresholds)
    greens = len(greens_in_a_row(ordered))
    enough = greens >= thresholds.greens_to_progress
    why = f"{greens} green in a row, {thresholds.greens_to_progress} needed"
    return ProposalVerdict(Proposal.PROGRESS if enough else Proposal.HOLD, (why,), thresholds)


def held_back(verdict: ProposalVerdict, alerts: Collection[str]) -> ProposalVerdict:
    """No progress while these alerts say that the case goes the wrong way, however well the sessions went."""
    if verdict.proposal is not Proposal.PROGRESS or not alerts:
        return verdict
    return replace(verdict, proposal=Proposal.HOLD, reasons=(*verdict.reasons, alerts_open(alerts)))


def alerts_open(alerts: Collection[str]) -> str:
    """Why nothing more is proposed, by the names of the alerts."""
    return f"not resolved yet: {', '.join(alerts)}"


def overload(verdicts: Iterable[PainVerdict], today: date, thresholds: Thresholds) -> OverloadVerdict:
    """Whether the last ``overload_days`` days, today included, hold ``overload_reds`` reds or more."""
    first = today - timedelta(days=thresholds.overload_days - 1)
    reds = tuple(v.on for v in by_date(verdicts) if v.light is Light.RED and first <= v.on <= today)
    overloaded = len(reds) >= thresholds.overload_reds
    dates = ", ".join(str(on) for on in reds)
    why = f"{len(reds)} red sessions in {thresholds.overload_days} days: {dates}"
    return OverloadVerdict(overloaded, reds, (why,) if overloaded else (), thresholds)


def by_date(verdicts: Iterable[PainVerdict]) -> Sequence[PainVerdict]:
    """Oldest first; sessions of one day keep the order they came in."""
    return sorted(verdicts, key=lambda verdict: verdict.on)


def figure(value: Decimal) -> str:
    """A pain score as a clinician writes it: 3 rather than 3.0."""
    return f"{value.normalize():f}"


def _missing(session: SessionFacts) -> tuple[str, ...]:
    missing = []
    if session.next_morning is None:
        missing.append("no next-morning answer")
    if session.before is None:
        missing.append("pain before the session not reported")
    return tuple(missing)


def _red_reasons(session: SessionFacts, thresholds: Thresholds) -> tuple[str, ...]:
    run = session.activity is Activity.RUN
    limit = thresholds.green_max if run else thresholds.amber_max
    reasons = []
    if session.during > limit:
        kind = "during the run" if run else "during"
        reasons.append(f"pain {kind} {figure(session.during)}, over {figure(limit)}")
    if _settled(session, thresholds) is False:
        reasons.append(f"not settled: {_mornings(session, thresholds)}")
    if session.limping:
        reasons.append("limping")
    if session.rising:
        reasons.append("pain rose during the session")
    return tuple(reasons)


def _amber_reasons(session: SessionFacts, thresholds: Thresholds) -> tuple[str, ...]:
    limit = thresholds.green_max
    if session.activity is Activity.RUN or not limit < session.during <= thresholds.amber_max:
        return ()
    upper = figure(thresholds.amber_max)
    return (f"pain during {figure(session.during)}, over {figure(limit)} up to {upper}",)


def _green_reasons(session: SessionFacts, thresholds: Thresholds) -> tuple[str, ...]:
    during = f"pain during {figure(session.during)}, at most {figure(thresholds.green_max)}"
    return during, f"settled: {_mornings(session, thresholds)}"


def _settled(session: SessionFacts, thresholds: Thresholds) -> bool | None:
    """None where it cannot be known."""
    if session.before is None or session.next_morning is None:
        return None
    return session.next_morning <= session.before + thresholds.settle_allowance


def _mornings(session: SessionFacts, thresholds: Thresholds) -> str:
    """The two mornings in figures; only for sessions that have both."""
    before, after = (figure(value) for value in (session.before, session.next_morning) if value is not None)
    return f"next morning {after} after {before} before, +{figure(thresholds.settle_allowance)} allowed"
