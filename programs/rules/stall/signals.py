"""What may open an alert, found on the day whatever the case's state; a stall is the state itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from clinic.thresholds import Thresholds
from programs.rules.stall.findings import Findings, KneePain
from programs.rules.stall.reasons import (
    CALL_PATIENT,
    CHECK_LOAD,
    CORRECT_ADDRESS,
    CUT_LOAD,
    RE_SCREEN,
    SEE_PATIENT,
    overloads,
)
from programs.rules.stall.wording import count, day, pain_text

OTHER_KNEE, OTHER_KNEE_WORDS = "other", "Other knee:"
"""Of a worsening: the key of the one that is not the index knee, and how its evidence begins."""


class AlertKind(StrEnum):
    """In the order of urgency. A relapse is of a closed case: an answer opens it, no review."""

    RED_FLAG = "red_flag"
    WORSENING = "worsening"
    STALL = "stall"
    RELAPSE = "relapse"
    OVERLOAD = "overload"
    DRIFT = "drift"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Signal:
    """Grounds for an alert. ``keys`` tell grounds apart: a key not seen before is a new reason."""

    kind: AlertKind
    keys: frozenset[str]
    evidence: str
    action: str


def find_signals(f: Findings) -> tuple[Signal, ...]:
    """At most one signal of each kind, the stall left out."""
    found = (_red_flag(f), _worsening(f), _overload(f), _drift(f), _silent(f))
    return tuple(signal for signal in found if signal is not None)


def _red_flag(f: Findings) -> Signal | None:
    flags = f.open_red_flags
    if not flags:
        return None
    evidence = "; ".join(flag.evidence for flag in flags)
    return Signal(AlertKind.RED_FLAG, frozenset(flag.code for flag in flags), evidence, SEE_PATIENT)


def _worsening(f: Findings) -> Signal | None:
    """From day 14, pain up by 2 or more: the index knee, and the other one where it hurts."""
    if f.timeline.case_day(f.today) < f.thresholds.worsening_from_day:
        return None
    found = {
        "index": _rise_text(f.index, f.thresholds),
        OTHER_KNEE: _rise_text(f.other, f.thresholds) if f.other is not None else None,
    }
    worse = {key: text for key, text in found.items() if text is not None}
    if not worse:
        return None
    evidence = "; ".join(
        f"{OTHER_KNEE_WORDS} {text}" if key == OTHER_KNEE else text for key, text in worse.items()
    )
    return Signal(AlertKind.WORSENING, frozenset(worse), evidence, CHECK_LOAD)


def _rise_text(knee: KneePain, t: Thresholds) -> str | None:
    baseline, now = knee.baseline, knee.now.judged
    if baseline is None or now is None or now - baseline.value < t.worsening_rise:
        return None
    return pain_text(baseline, now, knee.now)


def _overload(f: Findings) -> Signal | None:
    found = dict(overloads(f))
    if not found:
        return None
    return Signal(AlertKind.OVERLOAD, frozenset(found), "; ".join(found.values()), CUT_LOAD)


def _drift(f: Findings) -> Signal | None:
    drift = f.facts.drift
    if drift is None:
        return None
    return Signal(AlertKind.DRIFT, frozenset({drift.location}), drift.evidence, RE_SCREEN)


def _silent(f: Findings) -> Signal | None:
    """Ten unpaused days without an answer and two check-ins missed since; never just after a long pause."""
    t, last = f.thresholds, _last_answer_on(f)
    if f.timeline.resumed_on(f.today, t) is not None:
        return None
    days = sum(last is None or on > last for on in f.timeline.days)
    asked_since = [request for request in f.facts.requests if last is None or request.due_on > last]
    missed = sum(request.missed_on <= f.today for request in asked_since)
    if days < t.silent_days or missed < t.silent_missed_requests:
        return None
    since = f"since {day(last)}" if last else "since the start"
    evidence = f"No answer {since}: {count(days, 'day')}, {count(missed, 'check-in')} missed"
    if f.facts.undeliverable:
        return Signal(
            AlertKind.SILENT, frozenset({"undeliverable"}), f"{evidence}; e-mail bounces", CORRECT_ADDRESS
        )
    return Signal(AlertKind.SILENT, frozenset({"silent"}), evidence, CALL_PATIENT)


def _last_answer_on(f: Findings) -> date | None:
    """The last day, so far, on which the patient answered for either knee or to a request."""
    answered = [request.answered_on for request in f.facts.requests if request.answered_on is not None]
    knees = (f.facts.index, f.facts.other)
    answered += [answer.on for knee in knees if knee is not None for answer in knee.answers]
    return max((on for on in answered if on <= f.today), default=None)
