"""What one case needs and why (clinical.md 7 and 8), with one suggested act for each need.

Red flags, worsening, stalled, relapsed, drift, overload, stalling and slow stand in the order of the weekly
digest; behind them whom to call, who cannot begin yet, who may move on, what is due, and what only asks to
be read (our default).
A stall alert of a case that is on track again asks for nothing: it resolves by itself once that has lasted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from programs.rules.alerts import HELD_BACK, suggests_progress
from programs.rules.stall import AlertKind, ReasonCode, State, Trend
from programs.rules.stall.reasons import CALL_PATIENT, CORRECT_ADDRESS
from programs.rules.stall.wording import count, pain


class Need(StrEnum):
    """Most urgent first: the order of the members is the rank."""

    RED_FLAG = "red_flag"
    WORSENING = "worsening"
    STALLED = "stalled"
    RELAPSED = "relapsed"
    DRIFT = "drift"
    OVERLOAD = "overload"
    STALLING = "stalling"
    SLOW = "slow"
    SILENT = "silent"
    ADDRESS = "address"
    INVITE = "invite"
    BEGIN = "begin"
    ASSESS = "assess"
    READY = "ready"
    REASSESS = "reassess"
    PAUSED_LONG = "paused_long"
    RECOVERING = "recovering"
    NEW_ANSWERS = "new_answers"


RANKED = tuple(Need)
ALERT_NEEDS = frozenset(RANKED[: RANKED.index(Need.ADDRESS)]) | {Need.RECOVERING}
"""The needs that an unresolved alert stands behind."""


class Act(StrEnum):
    """What may be done about it; how is the business of whoever shows it."""

    ACKNOWLEDGE = "acknowledge"
    CLEAR = "clear"
    CALL = "call"
    CORRECT_ADDRESS = "correct_address"
    INVITE = "invite"
    ASSESS = "assess"
    MATCH = "match"
    SEND = "send"
    REASSESS = "reassess"
    CHANGE_PROGRAM = "change_program"
    MOVE_STAGE = "move_stage"
    SNOOZE = "snooze"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    RESUME = "resume"
    DISCHARGE = "discharge"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class WaitingAlert:
    """An unresolved alert that nobody has put aside for later.

    ``level`` is that of a stall (``stalling``, ``stalled``) or a red flag (``tier_1``, ``tier_2``).
    """

    id: int
    kind: AlertKind
    opened_on: date
    level: str = ""
    reason: str = ""
    finding: str = ""
    action: str = ""
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class NewAnswers:
    """What came in since the treating clinician last opened the case, or since its program began.

    ``since`` is the day it was opened, if it was. ``lowest`` and ``highest`` are worst pain of the index
    knee, NPRS 0-10; ``notes`` are answers with words.
    """

    count: int
    since: date | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None
    notes: int = 0

    @property
    def words(self) -> str:
        ends = [pain(worst) for worst in (self.lowest, self.highest) if worst is not None]
        told = [f"worst pain {' to '.join(dict.fromkeys(ends))}"] if ends else []
        if self.notes:
            told.append(count(self.notes, "note"))
        since = f"since {_day(self.since)}" if self.since else "on a case not opened yet"
        return ": ".join(filter(None, (f"{count(self.count, 'new answer')} {since}", ", ".join(told))))


class Way(StrEnum):
    """Whether the patient can see in the app what was sent, and if not, why not.

    ``ADDRESS_CHANGED``: their account, or the invitation to one, ended with the e-mail address it was of.
    """

    OPEN = "open"
    NOT_INVITED = "not_invited"
    RAN_OUT = "ran_out"
    ADDRESS_CHANGED = "address_changed"
    NO_ADDRESS = "no_address"
    BOUNCED = "bounced"
    UNREACHED = "unreached"
    """They have an account, and e-mail bounces: nobody asks them any more."""


class Start(StrEnum):
    """What an open case without a program has got so far."""

    NOTHING = "nothing"
    ASSESSED = "assessed"
    PREPARED = "prepared"
    """A program that was not sent yet."""


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """One case as it stands now. ``review_state`` and ``review_trend`` are the latest review's.

    ``start``: of an open case without a program that no red flag keeps from one. ``stands_still``: on hold,
    paused, asleep, closed or without a program: then nothing of a program's course asks for anything.
    ``paused_since``: the present pause's first day, where all pauses together are too long by now.
    ``gate_open_since`` belongs to the review; a stage entered on that day or later has not opened it.
    ``held_back``: an unresolved alert, put aside or not, bars any progress (``rules.alerts.HOLDS_BACK``).
    ``akps_due`` and ``reassess_due``: since when, and not settled. ``answered_since``: an answer came after
    the silent alert was opened. ``followed``: closed, and gone on as another open case.
    """

    alerts: tuple[WaitingAlert, ...] = ()
    review_state: str = ""
    review_trend: str = ""
    stands_still: bool = False
    stage: int = 1
    stage_started_on: date | None = None
    gate_open_since: date | None = None
    held_back: bool = False
    akps_due: date | None = None
    reassess_due: date | None = None
    new_answers: NewAnswers | None = None
    answered_since: bool = False
    email_bounced: bool = False
    way: Way = Way.OPEN
    start: Start | None = None
    paused_since: date | None = None
    followed: bool = False


@dataclass(frozen=True, slots=True)
class Needed:
    """One need: ``why`` and ``action`` are sentences without a full stop; ``alert`` is the one behind it."""

    need: Need
    why: str
    action: str
    act: Act
    alert: WaitingAlert | None = None


type Place = tuple[int, str, bool, date]

ACTS_OF_REASONS: Mapping[str, Act] = {
    ReasonCode.DRIFTED: Act.REASSESS,
    ReasonCode.NO_BASELINE: Act.REASSESS,
    ReasonCode.SILENT: Act.CALL,
    ReasonCode.RESUMING: Act.SNOOZE,
    ReasonCode.ADHERENCE_UNKNOWN: Act.CALL,
    ReasonCode.NOT_DOING: Act.CHANGE_PROGRAM,
    ReasonCode.RELAPSED: Act.MOVE_STAGE,
    ReasonCode.OVERLOADED: Act.CHANGE_PROGRAM,
    ReasonCode.FLARE: Act.SNOOZE,
    ReasonCode.UNDER_LOADED: Act.MOVE_STAGE,
    ReasonCode.DEFICIT_UNTREATED: Act.CHANGE_PROGRAM,
    ReasonCode.ADHERENT_BUT_FLAT: Act.REASSESS,
    ReasonCode.REASSESS: Act.REASSESS,
    ReasonCode.RESTART_OR_DISCHARGE: Act.DISCHARGE,
}

ACTS_OF_KINDS: Mapping[AlertKind, Act] = {
    AlertKind.WORSENING: Act.REASSESS,
    AlertKind.OVERLOAD: Act.CHANGE_PROGRAM,
    AlertKind.DRIFT: Act.REASSESS,
    AlertKind.RELAPSE: Act.REOPEN,
}

ANSWERED = "Answered again: resolve it"
FOLLOWED = "Treated in a new case already: resolve it here"

NEEDS_OF_KINDS: Mapping[AlertKind, Need] = {
    AlertKind.RED_FLAG: Need.RED_FLAG,
    AlertKind.WORSENING: Need.WORSENING,
    AlertKind.RELAPSE: Need.RELAPSED,
    AlertKind.DRIFT: Need.DRIFT,
    AlertKind.OVERLOAD: Need.OVERLOAD,
    AlertKind.SILENT: Need.SILENT,
}


def needs(facts: CaseFacts) -> tuple[Needed, ...]:
    """All that the case needs, the most urgent first; empty where nobody has to do anything."""
    course = () if facts.stands_still else _of_course(facts)
    found = [*_of_alerts(facts), *_to_begin(facts), *course, *_of_pause(facts), *_to_read(facts)]
    return tuple(sorted(found, key=_place))


def order(found: tuple[Needed, ...]) -> Place:
    """Where a case stands among others: its most urgent need, tier 1 before tier 2, an alert that nobody has
    seen yet before those acknowledged, then the oldest; a case without a need comes last.
    """
    if not found:
        return len(RANKED), "", True, date.max
    alerts = [needed.alert for needed in found if needed.alert]
    seen, oldest = all(a.acknowledged for a in alerts), min((a.opened_on for a in alerts), default=date.max)
    return (*_place(found[0])[:2], seen, oldest)


def _place(found: Needed) -> Place:
    alert, rank = found.alert, RANKED.index(found.need)
    if alert is None:
        return rank, "", False, date.max
    tier = alert.level if found.need is Need.RED_FLAG else ""
    return rank, tier, alert.acknowledged, alert.opened_on


def _of_alerts(facts: CaseFacts) -> Iterator[Needed]:
    for alert in facts.alerts:
        for need in _needs_of(alert, facts):
            if facts.held_back and _progresses(alert):
                yield Needed(need, alert.finding, HELD_BACK, Act.LOOK, alert)
                continue
            act = _act_of(alert, facts)
            yield Needed(need, alert.finding, _words(alert, act), act, alert)


def _needs_of(alert: WaitingAlert, facts: CaseFacts) -> Iterator[Need]:
    """A stall that was a success before is both what it is now and a relapse."""
    if alert.kind is not AlertKind.STALL:
        yield NEEDS_OF_KINDS[alert.kind]
        return
    if facts.review_state == State.ON_TRACK:
        yield Need.RECOVERING
        return
    if alert.level == State.STALLED and facts.review_trend != Trend.SLOW:
        yield Need.STALLED
    elif alert.reason != ReasonCode.RELAPSED:
        yield Need.SLOW if facts.review_trend == Trend.SLOW else Need.STALLING
    if alert.reason == ReasonCode.RELAPSED:
        yield Need.RELAPSED


def _words(alert: WaitingAlert, act: Act) -> str:
    """What the alert suggested when it was opened, unless the act has become another one since."""
    if act is Act.RESOLVE:
        return FOLLOWED if alert.kind is AlertKind.RELAPSE else ANSWERED
    if act is Act.CORRECT_ADDRESS:
        return CORRECT_ADDRESS
    return CALL_PATIENT if act is Act.CALL and alert.action == CORRECT_ADDRESS else alert.action


def _act_of(alert: WaitingAlert, facts: CaseFacts) -> Act:
    """A red flag is read before it is cleared; a silence that is over can be closed, and one whose questions
    never arrive is no call but a wrong address; a relapse that is treated already can be closed, too.
    """
    call = Act.CORRECT_ADDRESS if facts.email_bounced else Act.CALL
    if alert.kind is AlertKind.RED_FLAG:
        return Act.CLEAR if alert.acknowledged else Act.ACKNOWLEDGE
    if alert.kind is AlertKind.SILENT:
        return Act.RESOLVE if facts.answered_since else call
    if alert.kind is AlertKind.STALL:
        if facts.review_state == State.ON_TRACK:
            return Act.LOOK
        if alert.reason == ReasonCode.SILENT:
            return call
        return Act.MOVE_STAGE if _progresses(alert) else ACTS_OF_REASONS.get(alert.reason, Act.LOOK)
    if alert.kind is AlertKind.RELAPSE and facts.followed:
        return Act.RESOLVE
    return ACTS_OF_KINDS[alert.kind]


def _progresses(alert: WaitingAlert) -> bool:
    return suggests_progress(kind=alert.kind, reason=alert.reason, action=alert.action)


STARTS: Mapping[Start, Needed] = {
    Start.NOTHING: Needed(Need.ASSESS, "Not assessed yet, and no program", "Record the intake", Act.ASSESS),
    Start.ASSESSED: Needed(Need.BEGIN, "Assessed, and no program yet", "Match a program", Act.MATCH),
    Start.PREPARED: Needed(
        Need.BEGIN, "A program is prepared and was not sent", "Look it through and send it", Act.SEND
    ),
}

WAYS: Mapping[Way, Needed] = {
    Way.NOT_INVITED: Needed(
        Need.INVITE, "Has a program, and was never invited to the app", "Invite the patient", Act.INVITE
    ),
    Way.RAN_OUT: Needed(
        Need.INVITE, "Has a program, and the invitation ran out unopened", "Invite again", Act.INVITE
    ),
    Way.ADDRESS_CHANGED: Needed(
        Need.INVITE,
        "Has a program, and no access since the e-mail address was changed",
        "Invite again, at the new address",
        Act.INVITE,
    ),
    Way.NO_ADDRESS: Needed(
        Need.INVITE,
        "Has a program, and no e-mail address to be invited at",
        "Add an e-mail address, then invite",
        Act.CORRECT_ADDRESS,
    ),
    Way.BOUNCED: Needed(
        Need.INVITE, "Has a program and no account, and e-mail bounces", CORRECT_ADDRESS, Act.CORRECT_ADDRESS
    ),
    Way.UNREACHED: Needed(
        Need.ADDRESS, "E-mail bounces: no check-in reaches the patient", CORRECT_ADDRESS, Act.CORRECT_ADDRESS
    ),
}


def _to_begin(facts: CaseFacts) -> Iterator[Needed]:
    """What still stands between the patient and the first session."""
    if facts.start is not None:
        yield STARTS[facts.start]
    if not facts.stands_still and facts.way in WAYS:
        yield WAYS[facts.way]


def _of_pause(facts: CaseFacts) -> Iterator[Needed]:
    if facts.paused_since is not None:
        why = f"Paused since {_day(facts.paused_since)}; all its pauses are too long by now to just go on"
        yield Needed(Need.PAUSED_LONG, why, "Restart or discharge?", Act.RESUME)


def _of_course(facts: CaseFacts) -> Iterator[Needed]:
    """What the program's own course asks for, without an alert."""
    since, entered = facts.gate_open_since, facts.stage_started_on
    if since is not None and (entered is None or entered < since) and not facts.held_back:
        why = f"The gate to stage {facts.stage + 1} has been open since {_day(since)}"
        yield Needed(Need.READY, why, f"Progress to stage {facts.stage + 1}", Act.MOVE_STAGE)
    due = []
    if facts.reassess_due is not None:
        due.append("Long without success, and not re-assessed since")
    if facts.akps_due is not None:
        due.append("AKPS due")
    if due:
        yield Needed(Need.REASSESS, "; ".join(due), "Re-assess, with AKPS", Act.REASSESS)


def _to_read(facts: CaseFacts) -> Iterator[Needed]:
    if facts.new_answers:
        yield Needed(Need.NEW_ANSWERS, facts.new_answers.words, "Read what is new", Act.LOOK)


def _day(on: date) -> str:
    return f"{on.day} {on:%b}"
