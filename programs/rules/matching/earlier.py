"""What an assessment did not look at, as the latest one before it found it: a re-test is no whole intake.

Pure. Item by item: a side of a muscle group, a structure, a value, or ticks that are looked at together. That
other causes are excluded each assessment says for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from operator import attrgetter
from typing import Any

from patients.vocabulary import StrengthMethod
from programs.rules.matching.facts import AssessmentFacts, StrengthFact

type Replaces = Callable[[Any, Any], bool]
"""Whether a later finding takes the place of an earlier one."""


def _same(*names: str) -> Replaces:
    key = attrgetter(*names)
    return lambda later, earlier: bool(key(later) == key(earlier))


_same_muscle = _same("muscle_group", "side")


def _retests(later: StrengthFact, earlier: StrengthFact) -> bool:
    """Taken the same way, as only such values are compared (clinical.md 2), or by an instrument after a hand:
    a manual "normal" takes back no deficit that was measured. The unit may differ: what is judged is a ratio.
    """
    same_way = (later.method, later.position) == (earlier.method, earlier.position)
    return _same_muscle(later, earlier) and (same_way or earlier.method == StrengthMethod.MANUAL)


ROWS: Mapping[str, Replaces] = {
    "strength": _retests,
    "flexibility": _same("structure", "side"),
    "q_angles": _same("side"),
    "fpi6": _same("side"),
    "step_down": _same("side"),
}
"""Lists of findings, and by what one takes the place of an earlier one."""

LASTING = ("strength",)
"""A deficit that was measured holds until it is tested again, however long ago it was."""

TOGETHER: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("hip_examined", "hip_findings"): (),
    ("locations",): (),
    ("provoked_by", "behaviour_asked", "in_flare"): ("other_causes_excluded",),
    ("patella",): ("fpi6",),
    ("cadence_spm",): (),
    ("overstriding", "crossover", "pelvic_drop", "hip_adduction", "running_examined"): ("cadence_spm",),
    ("weekly_km_now",): (),
    ("weekly_km_before",): (),
    ("load_changes",): ("weekly_km_before",),
    ("shoe_km",): (),
    ("shoe_age_months",): (),
    ("shoe_wrong_fit",): ("shoe_km", "shoe_age_months"),
}
"""Values that count together, and what else stands in their part of the form: one of either recorded says
that they were looked at, so that a box left empty takes an earlier tick back.
"""


def filled(
    now: AssessmentFacts,
    earlier: Sequence[tuple[date, AssessmentFacts]],
    *,
    oldest: date = date.min,
) -> AssessmentFacts:
    """The facts with what only an earlier assessment recorded, each with its date; the latest comes first.
    Of a day before ``oldest`` only what is lasting.
    """
    recent = [(day, facts) for day, facts in earlier if day >= oldest]
    found: dict[str, Any] = {name: _rows(name, now, earlier if name in LASTING else recent) for name in ROWS}
    dated: dict[str, date] = {}
    for names, others in TOGETHER.items():
        if _recorded(now, names + others):
            continue
        for day, facts in recent:
            if _recorded(facts, names + others):
                found |= {name: getattr(facts, name) for name in names}
                dated |= dict.fromkeys(names, day)
                break
    return replace(now, **found, dated=dated)


def standing_strength(tested: Iterable[Sequence[StrengthFact]]) -> tuple[StrengthFact, ...]:
    """Of each assessment's tests those that no later one takes the place of; the latest comes first."""
    return _standing(tested, _retests)


def _rows(
    name: str, now: AssessmentFacts, earlier: Iterable[tuple[date, AssessmentFacts]]
) -> tuple[Any, ...]:
    dated = [[replace(row, on=day) for row in getattr(facts, name)] for day, facts in earlier]
    return _standing([getattr(now, name), *dated], ROWS[name])


def _standing(lists: Iterable[Sequence[Any]], replaces: Replaces) -> tuple[Any, ...]:
    found: list[Any] = []
    for rows in lists:
        found += [row for row in rows if not any(replaces(later, row) for later in found)]
    return tuple(found)


def _recorded(facts: AssessmentFacts, names: Sequence[str]) -> bool:
    """A box that is not ticked and a list that is empty were not recorded; a distance of 0 was."""
    values = [getattr(facts, name) for name in names]
    return any(
        value is not None and value is not False and value not in ((), frozenset()) for value in values
    )
