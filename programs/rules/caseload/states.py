"""The state of a case as it stands now: what shows at once, then the latest review's verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from programs.rules.stall import State


class CaseState(StrEnum):
    """Beside the states of a review, those that stand in for it."""

    CLOSED = "closed"
    CLOSED_NOT_CLEARED = "closed_not_cleared"
    CLOSED_RELAPSED = "closed_relapsed"
    NO_PROGRAM = "no_program"
    ASLEEP = "asleep"
    NOT_REVIEWED = "not_reviewed"
    REVIEW_DUE = "review_due"


@dataclass(frozen=True, slots=True)
class Standing:
    """``held``: the program is on hold; ``paused``: on the patient's date; ``relapse``: after discharge."""

    is_open: bool
    red_flag: bool
    relapse: bool
    has_program: bool
    held: bool
    paused: bool
    asleep: bool
    review_state: str


def state_of(s: Standing) -> str:
    """A hold, a pause and the end of a case show at once; a review's word of a hold or a pause that is over
    does not count.
    """
    steps = (
        (not s.is_open and s.red_flag, CaseState.CLOSED_NOT_CLEARED),
        (not s.is_open and s.relapse, CaseState.CLOSED_RELAPSED),
        (not s.is_open, CaseState.CLOSED),
        (s.held or s.red_flag, State.ON_HOLD),
        (not s.has_program, CaseState.NO_PROGRAM),
        (s.paused, State.PAUSED),
        (not s.review_state and s.asleep, CaseState.ASLEEP),
        (not s.review_state, CaseState.NOT_REVIEWED),
        (s.review_state in (State.ON_HOLD, State.PAUSED), CaseState.REVIEW_DUE),
    )
    return next((state.value for holds, state in steps if holds), s.review_state)
