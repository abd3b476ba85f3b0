"""Why a case has not met success: the table of clinical.md 7, in its order, each row one function.

The first reason that applies sets the one suggested action; the others are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from clinic.thresholds import Thresholds
from programs.rules.stall.facts import CaseFacts
from programs.rules.stall.findings import Findings
from programs.rules.stall.success import Trend, lost_success
from programs.rules.stall.windows import DAYS_PER_WEEK, Timeline, median, pick
from programs.rules.stall.wording import check_ins_text, count, day, number, pains, window_text

DISTANCE_WEEKS_BEFORE = 3  # the span "the 3 weeks before" is part of the ratio's definition


class ReasonCode(StrEnum):
    """The table's reasons, in order; the last four stand beside it in the text of clinical.md 7.

    ``held`` is a hold by the clinician, without an open red flag.
    """

    RED_FLAG = "red_flag"
    HELD = "held"
    DRIFTED = "drifted"
    NO_BASELINE = "no_baseline"
    SILENT = "silent"
    RESUMING = "resuming"
    ADHERENCE_UNKNOWN = "adherence_unknown"
    NOT_DOING = "not_doing"
    RELAPSED = "relapsed"
    OVERLOADED = "overloaded"
    FLARE = "flare"
    UNDER_LOADED = "under_loaded"
    DEFICIT_UNTREATED = "deficit_untreated"
    ADHERENT_BUT_FLAT = "adherent_but_flat"
    REASSESS = "reassess"
    RESTART_OR_DISCHARGE = "restart_or_discharge"


@dataclass(frozen=True, slots=True)
class Reason:
    """``evidence`` and ``action`` are sentences for the clinician, without a full stop."""

    code: ReasonCode
    evidence: str
    action: str


SEE_PATIENT = "See the patient; the program is on hold"
DECIDE_HOLD = "Decide whether the program resumes"
RE_SCREEN = "Re-screen"
CALL_PATIENT = "Call the patient"
CORRECT_ADDRESS = "Correct the address"
CUT_LOAD = "Cut the load one step"
CHECK_LOAD = "Check load and re-assess"
CONTINUE = "Continue and progress"

Detector = Callable[[Findings], Reason | None]


def red_flag(f: Findings) -> Reason | None:
    flags = f.open_red_flags
    if not flags:
        return None
    return Reason(ReasonCode.RED_FLAG, "; ".join(flag.evidence for flag in flags), SEE_PATIENT)


def held(f: Findings) -> Reason | None:
    hold = f.hold
    if hold is None or f.open_red_flags:
        return None
    why = f": {hold.why}" if hold.why else ""
    return Reason(ReasonCode.HELD, f"On hold since {day(hold.start)}{why}", DECIDE_HOLD)


def drifted(f: Findings) -> Reason | None:
    if f.facts.drift is None:
        return None
    return Reason(ReasonCode.DRIFTED, f.facts.drift.evidence, RE_SCREEN)


def no_baseline(f: Findings) -> Reason | None:
    if f.index.baseline is not None:
        return None
    evidence = "No worst pain at intake, and too few answers in the first weeks to measure from"
    return Reason(ReasonCode.NO_BASELINE, evidence, "Add the intake's worst pain, or re-assess")


def silent(f: Findings) -> Reason | None:
    """Too few answers to judge; just after a long pause that is no silence yet."""
    now = f.index.now
    if now.enough:
        return None
    evidence = f"Too few answers: {check_ins_text(now)} ({window_text(now)})"
    if now.resuming:
        return Reason(ReasonCode.RESUMING, evidence, "Continue; enough answers are awaited after the pause")
    if f.facts.undeliverable:
        return Reason(ReasonCode.SILENT, f"{evidence}; e-mail to the patient bounces", CORRECT_ADDRESS)
    return Reason(ReasonCode.SILENT, evidence, CALL_PATIENT)


def adherence_unknown(f: Findings) -> Reason | None:
    if f.ever_logged:
        return None
    return Reason(
        ReasonCode.ADHERENCE_UNKNOWN, "No session was ever logged", "Ask how often the exercises were done"
    )


@dataclass(frozen=True, slots=True)
class Adherence:
    sessions: int
    days: int
    prescribed_per_week: int

    @property
    def due(self) -> int:
        """Sessions prescribed over these days, half up."""
        return (2 * self.prescribed_per_week * self.days + DAYS_PER_WEEK) // (2 * DAYS_PER_WEEK)

    @property
    def text(self) -> str:
        done = f"{count(self.sessions, 'strength session')} in the last {count(self.days, 'day')}"
        return f"{done}, {self.prescribed_per_week} a week prescribed"


def adherence(f: Findings) -> Adherence:
    """Strength sessions over the last unpaused days, the day under review included."""
    return adherence_of(f.facts, f.timeline, f.thresholds)


def adherence_of(facts: CaseFacts, timeline: Timeline, t: Thresholds) -> Adherence:
    days = timeline.last_days(t.adherence_window_days, until=timeline.today)
    window = set(days)
    done = sum(session.on in window for session in facts.sessions)
    return Adherence(done, len(days), facts.prescribed_per_week)


def not_doing(f: Findings) -> Reason | None:
    if not f.ever_logged:
        return None
    t, found = f.thresholds, adherence(f)
    done = found.sessions * DAYS_PER_WEEK
    below_floor = done < t.strength_floor_per_week * found.days
    below_share = done * 100 < t.adherence_min_percent * found.prescribed_per_week * found.days
    if not (below_floor or below_share):
        return None
    evidence = f"{found.text}, at least {t.strength_floor_per_week} a week needed"
    return Reason(ReasonCode.NOT_DOING, evidence, "Simplify the program, ask what gets in the way")


def relapsed(f: Findings) -> Reason | None:
    baseline, now = f.index.baseline, f.index.now.judged
    if baseline is None or now is None:
        return None
    lost = lost_success(baseline, f.index.values, f.facts.requests, f.timeline, f.thresholds)
    if lost is None:
        return None
    span = f"{f.thresholds.now_window_days} days to {day(lost.last)}"
    _, then = pains(baseline.value, lost.value)
    _, today = pains(baseline.value, now)
    evidence = f"Worst pain was {then} in the {span}, {today} now"
    return Reason(ReasonCode.RELAPSED, evidence, "Find the load change, one stage back")


def overloaded(f: Findings) -> Reason | None:
    found = [text for _, text in overloads(f)]
    return Reason(ReasonCode.OVERLOADED, "; ".join(found), CUT_LOAD) if found else None


def overloads(f: Findings) -> list[tuple[str, str]]:
    """Each kind of overload found, as (key, evidence)."""
    found = (("reds", _red_sessions(f)), ("distance", _distance_jump(f)))
    return [(key, text) for key, text in found if text is not None]


def _red_sessions(f: Findings) -> str | None:
    t = f.thresholds
    since = f.today - timedelta(days=t.overload_days - 1)
    red_days = [session.on for session in f.facts.sessions if session.red]
    red_days += [run.on for run in f.facts.runs if run.red]
    reds = sum(since <= on <= f.today for on in red_days)
    return f"{count(reds, 'red session')} in {t.overload_days} days" if reds >= t.overload_reds else None


def _distance_jump(f: Findings) -> str | None:
    """The last week's running distance against the three weeks before; the ladder plans its own growth."""
    if f.facts.on_ladder:
        return None
    t, weeks = f.thresholds, _weekly_distances(f)
    latest, before = weeks[0], weeks[1:]
    total = sum(before, Decimal(0))
    every_week_ran = all(km > 0 for km in before)
    if not every_week_ran or total < t.overload_min_km * DISTANCE_WEEKS_BEFORE:
        return None
    if latest * DISTANCE_WEEKS_BEFORE <= total * t.overload_distance_ratio:
        return None
    mean = (total / DISTANCE_WEEKS_BEFORE).quantize(Decimal("0.1"))
    return f"{number(latest)} km in the last 7 days, {mean} km a week in the 3 weeks before"


def _weekly_distances(f: Findings) -> list[Decimal]:
    """Kilometres of the last 7 days, then of each of the three weeks before."""
    weeks = [Decimal(0)] * (1 + DISTANCE_WEEKS_BEFORE)
    for run in f.facts.runs:
        age = (f.today - run.on).days
        if 0 <= age < DAYS_PER_WEEK * len(weeks):
            weeks[age // DAYS_PER_WEEK] += run.km
    return weeks


def flare(f: Findings) -> Reason | None:
    """The last 7 unpaused days against the 7 before; a long pause is not looked across."""
    t = f.thresholds
    span = t.gate_pain_days
    not_before = f.timeline.resumed_on(f.today, t)
    days = f.timeline.last_days(2 * span, until=f.today, not_before=not_before)
    recent, before = pick(f.index.values, days[-span:]), pick(f.index.values, days[:-span])
    if not recent or not before or median(recent) - median(before) < t.flare_rise:
        return None
    then, now = pains(median(before), median(recent))
    evidence = f"Worst pain {now} in the last {span} days, {then} in the {span} before"
    return Reason(ReasonCode.FLARE, evidence, f"Check load, review in {t.flare_review_days} days")


def under_loaded(f: Findings) -> Reason | None:
    """Ready to progress for long enough, in unpaused days, and not progressed since."""
    progressed = f.facts.last_progressed_on
    signs = (("stage gate met", f.facts.gate_met_since), ("three greens in a row", f.facts.ready_since))
    for sign, since in signs:
        if since is None or since > f.today or (progressed is not None and since <= progressed <= f.today):
            continue
        waited = f.timeline.case_day(f.today) - f.timeline.case_day(since)
        if waited >= f.thresholds.under_loaded_days:
            evidence = f"Ready since {day(since)} ({sign}), not progressed"
            return Reason(ReasonCode.UNDER_LOADED, evidence, "Progress the program")
    return None


def deficit_untreated(f: Findings) -> Reason | None:
    if not f.facts.untreated_deficits:
        return None
    evidence = "No current exercise targets: " + ", ".join(sorted(f.facts.untreated_deficits))
    return Reason(ReasonCode.DEFICIT_UNTREATED, evidence, "Change the program")


def adherent_but_flat(f: Findings) -> Reason:
    """None of the others: a fair trial. Slow progress is still progress, and says "continue"."""
    evidence = f"A fair trial of {count(f.week, 'week')}: {adherence(f).text}"
    if f.trend is Trend.SLOW:
        weeks = count(f.thresholds.slow_remeasure_weeks, "week")
        action = f"{CONTINUE}; re-measure in {weeks}"
    else:
        action = "Re-assess hands-on, consider referral or imaging"
    return Reason(ReasonCode.ADHERENT_BUT_FLAT, evidence, action)


def reassess(f: Findings) -> Reason | None:
    """Counted over the whole case, so that a new fair trial can't put it off."""
    if f.success or f.case_week < f.thresholds.reassess_week:
        return None
    return Reason(ReasonCode.REASSESS, f"{count(f.case_week, 'unpaused week')} without success", "Re-assess")


def restart_or_discharge(f: Findings) -> Reason | None:
    paused = f.timeline.paused_days
    if paused <= f.thresholds.max_paused_days:
        return None
    return Reason(
        ReasonCode.RESTART_OR_DISCHARGE, f"{count(paused, 'day')} paused so far", "Restart or discharge?"
    )


TABLE: tuple[Detector, ...] = (
    drifted,
    no_baseline,
    silent,
    adherence_unknown,
    not_doing,
    relapsed,
    overloaded,
    flare,
    under_loaded,
    deficit_untreated,
)
ALWAYS: tuple[Detector, ...] = (reassess, restart_or_discharge)


def reasons_not_judged(f: Findings) -> tuple[Reason, ...]:
    """For a case that is paused or too early to judge: only what can't wait."""
    return _applying((red_flag, *ALWAYS), f)


def reasons_on_hold(f: Findings) -> tuple[Reason, ...]:
    """For a program on hold: why, and where the pain has moved; how it went is no question now."""
    return _applying((red_flag, held, drifted, *ALWAYS), f)


def reasons_without_success(f: Findings) -> tuple[Reason, ...]:
    """The whole table; never empty."""
    found = _applying(TABLE, f) or (adherent_but_flat(f),)
    return found + _applying(ALWAYS, f)


def _applying(detectors: Iterable[Detector], f: Findings) -> tuple[Reason, ...]:
    return tuple(reason for reason in (detect(f) for detect in detectors) if reason is not None)
