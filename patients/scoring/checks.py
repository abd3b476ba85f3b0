"""Values of an assessment before they are stored: the impossible is refused, the unusual questioned.

The assessment comes as plain data: its columns by name, and a list of rows for each kind of measurement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from patients.scoring.errors import ScoringError, exact
from patients.scoring.ranges import check_range
from patients.scoring.strength import QUADRICEPS_PUBLISHED, Reading, nm_per_kg
from patients.vocabulary import MuscleGroup, OutcomeMeasure, Side, StrengthMethod, StrengthUnit

type Row = Mapping[str, Any]

COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("worst_pain", "usual_pain", "pain_now", "worst_pain_week", "usual_pain_week"),
            *("other_knee_worst_pain", "stress"),
        ),
        "pain",
    ),
    "sitting_tolerance_min": "sitting_tolerance_min",
    "cadence_spm": "cadence_spm",
    "peak_knee_flexion_deg": "peak_knee_flexion",
    "body_mass_kg": "body_mass_kg",
    "weekly_km_now": "weekly_km",
    "weekly_km_before": "weekly_km",
    "sleep_hours": "sleep_hours",
    "shoe_age_months": "shoe_age_months",
    "shoe_km": "shoe_km",
}
"""Column of an assessment to its range in ``RANGES``."""

ROWS: Mapping[str, Mapping[str, str]] = {
    "strength_tests": {"lever_arm_m": "lever_arm_m"},
    "q_angles": {"degrees": "q_angle"},
    "aggravating_activities": {
        "pain": "pain",
        "ability": "psfs_ability",
        "minutes_until_pain": "minutes_until_pain",
    },
    "flexibility_tests": {"degrees": "flexibility"},
    "foot_postures": {"fpi6": "fpi6"},
}

STRENGTH_BY_UNIT: Mapping[str, str] = {
    StrengthUnit.NEWTON: "strength_n",
    StrengthUnit.KILOGRAM_FORCE: "strength_kgf",
    StrengthUnit.NEWTON_METRE: "strength_nm",
    StrengthUnit.GRADE: "strength_grade",
}

SCORES: Mapping[str, str] = {OutcomeMeasure.PSFS: "psfs_ability"}
"""Measures whose range has another name."""

NEVER_ABOVE = (
    ("usual_pain", "worst_pain", "usual pain", "worst pain of the same 3 days"),
    ("pain_now", "worst_pain", "pain now", "worst pain of the last 3 days"),
    ("usual_pain_week", "worst_pain_week", "usual pain", "worst pain of the same 7 days"),
    ("worst_pain", "worst_pain_week", "worst pain of 3 days", "worst pain of the 7 days around them"),
)


@dataclass(frozen=True, slots=True)
class Question:
    """An unusual value. It is stored once its ``key`` is confirmed: the key names place and value."""

    path: str
    key: str
    text: str


@dataclass(slots=True)
class Checked:
    """By path: a column's name, or ``list.index.column``."""

    errors: dict[str, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)

    def open_questions(self, confirmed: Sequence[str] | frozenset[str]) -> list[Question]:
        return [question for question in self.questions if question.key not in confirmed]


def check_values(data: Row, *, sex: str = "") -> Checked:
    """Each value against its range; then what the values say together."""
    checked = Checked()
    for path, measure, value in _measured(data):
        _check(checked, path, measure, value, _whose(path, data))
    for n, row in enumerate(data.get("strength_tests") or ()):
        if f"strength_tests.{n}.value" not in checked.errors:
            _check_torque(checked, n, row, data.get("body_mass_kg"), sex)
    _check_order(checked, data)
    return checked


def _measured(data: Row) -> Iterator[tuple[str, str, Any]]:
    for column, measure in COLUMNS.items():
        yield column, measure, data.get(column)
    for kind, columns in ROWS.items():
        for n, row in enumerate(data.get(kind) or ()):
            for column, measure in columns.items():
                yield f"{kind}.{n}.{column}", measure, row.get(column)
    for n, row in enumerate(data.get("strength_tests") or ()):
        unit = STRENGTH_BY_UNIT.get(row.get("unit", ""))
        if unit:
            yield f"strength_tests.{n}.value", unit, row.get("value")
    yield from _totals(data.get("outcome_scores") or ())


def _totals(scores: Sequence[Row]) -> Iterator[tuple[str, str, Any]]:
    """Those entered as such: of items the total is computed."""
    for n, row in enumerate(scores):
        measure = row.get("measure", "")
        if not row.get("items"):
            yield f"outcome_scores.{n}.value", SCORES.get(measure, measure), row.get("value")


def _whose(path: str, data: Row) -> str:
    """Which muscle group, structure or activity, and side, a value of a list is of; empty for a column."""
    kind, _, rest = path.partition(".")
    if not rest:
        return ""
    row = data[kind][int(rest.partition(".")[0])]
    group = str(row.get("muscle_group", ""))
    what = (
        MuscleGroup(group).label if group in set(MuscleGroup) else row.get("structure") or row.get("activity")
    )
    return " ".join(str(part) for part in (what, row.get("side")) if part)


def _check(checked: Checked, path: str, measure: str, value: Any, whose: str) -> None:
    if value in (None, ""):
        return
    try:
        question = check_range(measure, value, field=path)
    except ScoringError as error:
        checked.errors[path] = error.message
        return
    if question:
        _ask(checked, path, value, f"{whose}: {question}".removeprefix(": "))


def _ask(checked: Checked, path: str, value: Any, text: str) -> None:
    checked.questions.append(Question(path, f"{path}={exact(path, value).normalize():f}", text))


def _check_torque(checked: Checked, n: int, row: Row, mass: Any, sex: str) -> None:
    """A typing error in unit, lever arm or value shows in Nm/kg, where each of them looks usual."""
    path = f"strength_tests.{n}.value"
    try:
        ratio = nm_per_kg(_reading(row), exact("body_mass_kg", mass))
    except (ScoringError, ValueError, KeyError):  # no torque to be had
        return
    shown = ratio.quantize(Decimal("0.1"), ROUND_HALF_UP)
    published = QUADRICEPS_PUBLISHED.get(sex)
    is_norm = row["muscle_group"] == MuscleGroup.QUADRICEPS and row["method"] == StrengthMethod.HANDHELD
    whose = _whose(path, {"strength_tests": {n: row}})
    if is_norm and published and ratio > published[1]:
        low, high = published
        text = f"{whose}: Nm/kg of {shown} is above what is published ({low}-{high}, Sarabon 2021): keep it?"
        _ask(checked, path, row["value"], text)
        return
    _check_ratio(checked, path, row["value"], shown, whose)


def _check_ratio(checked: Checked, path: str, value: Any, shown: Decimal, whose: str) -> None:
    try:
        question = check_range("nm_per_kg", shown, field=path)
    except ScoringError as error:
        checked.errors[path] = f"{error.message} Look at value, unit, lever arm and body mass."
        return
    if question:
        _ask(checked, path, value, f"{whose}: {question}")


def _reading(row: Row) -> Reading:
    lever = row.get("lever_arm_m")
    return Reading(
        muscle_group=MuscleGroup(row["muscle_group"]),
        side=Side(row["side"]),
        method=StrengthMethod(row["method"]),
        value=exact("value", row["value"]),
        unit=StrengthUnit(row["unit"]),
        lever_arm_m=None if lever in (None, "") else exact("lever_arm_m", lever),
        position=str(row.get("position", "")),
    )


def _check_order(checked: Checked, data: Row) -> None:
    for low, high, name, other in NEVER_ABOVE:
        if low in checked.errors or high in checked.errors or None in (data.get(low), data.get(high)):
            continue
        if "" in (data[low], data[high]):
            continue
        one, most = exact(low, data[low]), exact(high, data[high])
        if one > most:
            _ask(checked, low, one, f"{name.capitalize()} {one:f} is above {most:f}, the {other}: keep it?")
