"""What a client reports, and the fingerprint that tells a retry from another report."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What every report holds. ``corrects`` is the client UUID of the row that this one replaces."""

    occurred_at: datetime
    red_flags: tuple[str, ...] = ()
    worse_red_flags: tuple[str, ...] = ()
    limping: bool = False
    note: str = ""
    corrects: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerReport(Report):
    """Pain up to ``occurred_at``, NPRS per knee: of the days that the check-in named by its id in ``request``
    asks of, of 24 hours where none is named. None at all only beside a red flag.

    ``active`` is asked after discharge: "yes" or "no" to being back to what they want to do.
    """

    request: int | None = None
    worst_left: Decimal | None = None
    worst_right: Decimal | None = None
    usual_left: Decimal | None = None
    usual_right: Decimal | None = None
    locations_left: tuple[str, ...] = ()
    locations_right: tuple[str, ...] = ()
    active: Literal["yes", "no"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortReport(Report):
    """What sessions and runs share: pain on the morning before, during, and on the morning after."""

    pain_during: Decimal
    pain_before: Decimal | None = None
    pain_next_morning: Decimal | None = None
    pain_rising: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseDone:
    """One exercise as done; ``dose`` is its id in the patient's program."""

    dose: int
    sets_done: int
    reps_done: int | None = None
    seconds_done: int | None = None
    load_kg: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport(EffortReport):
    """An exercise session: at least one exercise."""

    exercises: tuple[ExerciseDone, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport(EffortReport):
    """A run: kilometres, and minutes where known; ``terrain`` beside flat ground, fast running included."""

    distance_km: Decimal
    minutes: int | None = None
    terrain: tuple[str, ...] = ()


def fingerprint(report: Report) -> str:
    """The same for the same report however it was written (3 or 3.0, any offset, any order of codes).

    What is empty is left out, so that a field added later does not change the fingerprint of older reports.
    """
    text = json.dumps(_canonical(dataclasses.asdict(report)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items() if not _is_empty(item)}
    if isinstance(value, list | tuple):
        return sorted((_canonical(item) for item in value), key=str)
    if isinstance(value, Decimal):
        return f"{(value + 0).normalize():f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value if isinstance(value, bool | int) else str(value)


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value in ("", (), [])
