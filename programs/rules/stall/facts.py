"""What the stall rule must know about a case: plain rows, no interpretation.

Every row carries its local date (the patient's zone) and may lie after the day under review: the rule
leaves those out, so the same facts can be judged as of any day. The order of rows never matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class PainAnswer:
    """One answer for one knee: NPRS 0-10 in tenths, on the local date of its ``occurred_at``.

    A corrected answer is left out by the caller; several answers a day are all passed. ``recall_days`` is the
    window it was asked over, where that is known.
    """

    on: date
    worst: Decimal
    usual: Decimal | None = None
    recall_days: int | None = None


@dataclass(frozen=True, slots=True)
class IntakePain:
    """Worst pain as the intake assessment found it; ``recall_days`` is the window it was asked over."""

    on: date
    worst: Decimal
    recall_days: int | None = None


@dataclass(frozen=True, slots=True)
class Knee:
    """The pain of one knee since the case began."""

    answers: tuple[PainAnswer, ...] = ()
    intake: IntakePain | None = None


@dataclass(frozen=True, slots=True)
class CheckInRequest:
    """A check-in the server asked for.

    ``due_on`` is its local date, ``answered_on`` the date of the first answer to it, ``missed_on`` the
    local date on which its missed time falls (known from the start: due time + 48 h).
    """

    due_on: date
    missed_on: date
    answered_on: date | None = None


class PauseKind(StrEnum):
    HOLIDAY = "holiday"
    ILLNESS = "illness"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Pause:
    """Days that do not count: ``start`` is the first of them, ``resumed_on`` the first day back."""

    kind: PauseKind
    start: date
    resumed_on: date | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class RedFlag:
    """An open (not cleared) red flag. ``evidence`` names the answer or assessment that raised it."""

    code: str
    raised_on: date
    evidence: str


@dataclass(frozen=True, slots=True)
class Drift:
    """Pain where the diagnosis does not explain it: the place (a fixed key), and the text to show."""

    location: str
    evidence: str


@dataclass(frozen=True, slots=True)
class AkpsScore:
    on: date
    points: int


@dataclass(frozen=True, slots=True)
class StrengthSession:
    """A logged strength session; ``red`` by the 24-hour rule (an incomplete one is not red)."""

    on: date
    red: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    on: date
    km: Decimal
    red: bool = False


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """One case, as rows give it.

    ``started_on`` is the first program's start: baseline and success are measured from it.
    ``clock_started_on`` is where weeks count from: the same day, unless a clinician declared a new fair
    trial. ``prescribed_per_week`` counts strength sessions. ``gate_met_since`` and ``ready_since`` (three
    greens in a row) are the days since which the rules of progression have said so without a break.
    ``untreated_deficits`` are names a clinician can read.
    """

    started_on: date
    clock_started_on: date
    prescribed_per_week: int
    index: Knee
    other: Knee | None = None
    requests: tuple[CheckInRequest, ...] = ()
    pauses: tuple[Pause, ...] = ()
    red_flags: tuple[RedFlag, ...] = ()
    akps: tuple[AkpsScore, ...] = ()
    first_session_on: date | None = None
    sessions: tuple[StrengthSession, ...] = ()
    runs: tuple[Run, ...] = ()
    on_ladder: bool = False
    gate_met_since: date | None = None
    ready_since: date | None = None
    last_progressed_on: date | None = None
    untreated_deficits: tuple[str, ...] = ()
    drift: Drift | None = None
    undeliverable: bool = False
