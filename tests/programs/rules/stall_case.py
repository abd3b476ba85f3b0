"""A case for the stall rule in a few words: days are numbers, check-ins stand on days 0, 2 and 4 of a week.

Unless told otherwise the patient does three strength sessions a week (days 1, 3 and 5), answers what the
diary says, and misses every other check-in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from clinic.thresholds import DEFAULTS
from programs.rules.stall import (
    AkpsScore,
    CaseFacts,
    CheckInRequest,
    Drift,
    IntakePain,
    Knee,
    PainAnswer,
    Pause,
    PauseKind,
    RedFlag,
    Run,
    StrengthSession,
    Verdict,
    review,
)

START = date(2026, 1, 5)
LAST_DAY = 140
CHECK_IN_DAYS = tuple(n for n in range(LAST_DAY + 1) if n % 7 in (0, 2, 4))
SESSION_DAYS = tuple(n for n in range(LAST_DAY + 1) if n % 7 in (1, 3, 5))

RED = RedFlag("locking", START + timedelta(days=30), "Knee locks (answer of 4 Feb 2026)")
DRIFTED = Drift("outer", "Pain on the outer side since 1 Feb 2026")

Diary = dict[int, str]


def day(n: int) -> date:
    return START + timedelta(days=n)


def diary(*spans: tuple[int, int, str], skip: Iterable[int] = ()) -> Diary:
    """Answers on the check-in days of each (first day, last day, worst pain)."""
    left_out = set(skip)
    return {
        n: pain
        for first, last, pain in spans
        for n in CHECK_IN_DAYS
        if first <= n <= last and n not in left_out
    }


def flat(pain: str = "6.0", last: int = LAST_DAY) -> Diary:
    return diary((0, last, pain))


def then(first: str, later: str, *, change: int = 7) -> Diary:
    """One pain in the first days, another from day ``change`` on."""
    return diary((0, change - 1, first), (change, LAST_DAY, later))


def answers(pain: Mapping[int, str]) -> tuple[PainAnswer, ...]:
    return tuple(PainAnswer(day(n), Decimal(value)) for n, value in pain.items())


def requests(pain: Mapping[int, str], *, late: int | None = None) -> tuple[CheckInRequest, ...]:
    """Answered on their day where the diary has one; the others never, or all on the day ``late``."""
    otherwise = None if late is None else day(late)
    return tuple(
        CheckInRequest(day(n), day(n + 2), day(n) if n in pain else otherwise) for n in CHECK_IN_DAYS
    )


def intake(pain: str, n: int = 0) -> IntakePain:
    return IntakePain(day(n), Decimal(pain), recall_days=3)


def sessions(days: Iterable[int], *, red: Iterable[int] = ()) -> tuple[StrengthSession, ...]:
    reds = set(red)
    return tuple(StrengthSession(day(n), red=n in reds) for n in days)


def runs(km_by_day: Mapping[int, str], *, red: Iterable[int] = ()) -> tuple[Run, ...]:
    reds = set(red)
    return tuple(Run(day(n), Decimal(km), red=n in reds) for n, km in km_by_day.items())


def holiday(first: int, back: int | None) -> Pause:
    return Pause(PauseKind.HOLIDAY, day(first), None if back is None else day(back))


def illness(first: int, back: int | None) -> Pause:
    return Pause(PauseKind.ILLNESS, day(first), None if back is None else day(back))


def hold(first: int, back: int | None, why: str = "") -> Pause:
    return Pause(PauseKind.HOLD, day(first), None if back is None else day(back), why)


def akps(points_by_day: Mapping[int, int]) -> tuple[AkpsScore, ...]:
    return tuple(AkpsScore(day(n), points) for n, points in points_by_day.items())


def case(pain: Mapping[int, str], *, first_intake: IntakePain | None = None, **changes: Any) -> CaseFacts:
    """The facts of a case whose index knee has this diary; ``changes`` are fields of CaseFacts."""
    fields: dict[str, Any] = {
        "started_on": START,
        "clock_started_on": START,
        "prescribed_per_week": 3,
        "index": Knee(answers(pain), first_intake),
        "requests": requests(pain),
        "sessions": sessions(SESSION_DAYS),
        "first_session_on": day(1),
    }
    return CaseFacts(**(fields | changes))


def judge(facts: CaseFacts, on: int = 56) -> Verdict:
    """The verdict by the default thresholds; day 56 is the first of week 8."""
    return review(facts, day(on), DEFAULTS)


def codes(facts: CaseFacts, on: int = 56) -> list[str]:
    return [reason.code.value for reason in judge(facts, on).reasons]
