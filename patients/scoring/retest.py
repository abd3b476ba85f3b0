"""Assessments side by side: each measure's values over time, and the change where two may be compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from clinic.thresholds import DEFAULTS, Thresholds
from patients.scoring.change import Change, ChangeKind, Value, is_real_change


@dataclass(frozen=True, slots=True)
class Measured:
    """One finding of one assessment. ``value`` is None for what is only seen or told: ``words`` say it."""

    group: str
    label: str
    words: str
    measure: str = ""
    value: Value | None = None

    @property
    def how(self) -> str:
        """The way it was taken, as far as it was noted."""
        if self.value is None:
            return ""
        taken = self.value.taken
        lever = f"lever arm {taken.lever_arm}" if taken.lever_arm else ""
        return ", ".join(
            part for part in (taken.method, taken.position, taken.fixation, lever, taken.detail) if part
        )


@dataclass(frozen=True, slots=True)
class Visit:
    """An assessment's findings; ``key`` is its id."""

    key: int
    on: date
    label: str
    found: Sequence[Measured]
    is_signed: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One measure: what each visit found (nothing, one value or several), and the change."""

    label: str
    cells: Sequence[Sequence[Measured]]
    change: Change | None


@dataclass(frozen=True, slots=True)
class Block:
    label: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Visits as columns, oldest first; ``left_out`` between the first and the others for want of room."""

    visits: Sequence[Visit]
    blocks: Sequence[Block]
    left_out: int = 0


def side_by_side(
    visits: Sequence[Visit], *, thresholds: Thresholds = DEFAULTS, left_out: int = 0
) -> SideBySide:
    """The table of visits, which come oldest first. A row is there if any visit has it."""
    labels: dict[tuple[str, str], None] = {}
    for visit in visits:
        labels |= dict.fromkeys((found.group, found.label) for found in visit.found)
    groups = dict.fromkeys(group for group, _ in labels)
    blocks = [
        Block(group, [_row(group, label, visits, thresholds) for of, label in labels if of == group])
        for group in groups
    ]
    return SideBySide(visits, blocks, left_out)


def _row(group: str, label: str, visits: Sequence[Visit], thresholds: Thresholds) -> Row:
    cells = [
        [found for found in visit.found if (found.group, found.label) == (group, label)] for visit in visits
    ]
    return Row(label, cells, _change(cells, thresholds))


def _change(cells: Sequence[Sequence[Measured]], thresholds: Thresholds) -> Change | None:
    """From the first visit that took it in the same way to the latest; refused if none did."""
    taken = [[found for found in cell if found.value is not None] for cell in cells]
    taken = [cell for cell in taken if cell]
    if len(taken) < 2:
        return _told(cells)
    *earlier, latest = taken
    changes = [
        is_real_change(after.measure, before.value, after.value, thresholds=thresholds)
        for cell in earlier
        for before in cell
        for after in latest
        if before.value and after.value
    ]
    return next((change for change in changes if change.kind is not ChangeKind.REFUSED), changes[0])


def _told(cells: Sequence[Sequence[Measured]]) -> Change | None:
    """Of what is only seen or told: whether the words differ."""
    words = ["; ".join(found.words for found in cell) for cell in cells if cell]
    if len(words) < 2 or any(found.value for cell in cells for found in cell):
        return None
    if words[0] == words[-1]:
        return Change(ChangeKind.NOT_REAL, None, "As before.", "as before")
    text = f"{words[0]} before, {words[-1]} now"
    return Change(ChangeKind.CHANGED, None, f"{text}.", text)


def visits_shown(keys: Iterable[int], most: int) -> tuple[list[int], int]:
    """The first and the latest ones, oldest first, ``most`` at most; and how many lie between."""
    ordered = list(keys)
    if len(ordered) <= most:
        return ordered, 0
    return [ordered[0], *ordered[-(most - 1) :]], len(ordered) - most
