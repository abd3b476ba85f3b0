"""What a verdict's codes are called: one wording for screens and files."""

from __future__ import annotations

from collections.abc import Mapping

from programs.rules.stall.reasons import ReasonCode
from programs.rules.stall.success import Trend
from programs.rules.stall.verdict import State

STATES: Mapping[str, str] = {
    State.PAUSED: "Paused",
    State.ON_HOLD: "On hold",
    State.TOO_EARLY: "Too early",
    State.INSUFFICIENT_DATA: "Too few answers",
    State.ON_TRACK: "On track",
    State.STALLED: "Stalled",
    State.STALLING: "Stalling",
    State.WATCH: "Watch",
}

TRENDS: Mapping[str, str] = {Trend.WORSE: "Worse", Trend.SLOW: "Slow", Trend.FLAT: "Flat"}

REASONS: Mapping[str, str] = {
    ReasonCode.RED_FLAG: "Red flag",
    ReasonCode.HELD: "Held by the clinician",
    ReasonCode.DRIFTED: "Pain elsewhere than the diagnosis explains",
    ReasonCode.NO_BASELINE: "No baseline",
    ReasonCode.SILENT: "Too few answers",
    ReasonCode.RESUMING: "Resuming after a pause",
    ReasonCode.ADHERENCE_UNKNOWN: "No session ever logged",
    ReasonCode.NOT_DOING: "Exercises not done",
    ReasonCode.RELAPSED: "Relapsed",
    ReasonCode.OVERLOADED: "Overloaded",
    ReasonCode.FLARE: "Flare",
    ReasonCode.UNDER_LOADED: "Under-loaded",
    ReasonCode.DEFICIT_UNTREATED: "Deficit untreated",
    ReasonCode.ADHERENT_BUT_FLAT: "Done as prescribed, and flat",
    ReasonCode.REASSESS: "Long without success",
    ReasonCode.RESTART_OR_DISCHARGE: "Paused for long",
}


def reason_label(code: str, trend: str = "") -> str:
    """A slow or a worse trend moves: "flat" beside it would contradict it."""
    if code == ReasonCode.ADHERENT_BUT_FLAT and trend in (Trend.SLOW, Trend.WORSE):
        return f"Done as prescribed, {TRENDS[trend].lower()}"
    return REASONS.get(code, code.replace("_", " ").capitalize())
