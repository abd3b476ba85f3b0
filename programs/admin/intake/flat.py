"""An assessment as the fields of its form: what is stored, typed, drafted and compared has one shape.

A form's fields as they are sent: name to a list of texts, those left empty not in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.signing import BadSignature, Signer

from patients.models import Assessment
from patients.scoring import STEP_DOWN_ITEMS
from patients.vocabulary import MovementKind, OutcomeMeasure
from programs.admin.intake.fields import ACTIVITIES, ANGLES, GROUPS, MOST_LINES, SPARE_TESTS
from programs.services.assessment_data import COLUMNS, KINDS, QUESTIONNAIRES, SCORES, as_data

type Flat = dict[str, list[str]]

SHARED = ("method", "unit", "position", "lever", "fixation")
"""How a strength test is taken: chosen once, and again where a line differs."""

PRESET = re.compile(
    r"s\d*-(group|method|unit|position|lever|fixation)|q\d+-(position|quadriceps)|a\d+-activity"
    r"|k-rubric|body_mass_kg"
)
"""How things were taken last time, and the activities of the PSFS: what makes two tests comparable."""

CARRIED = "kept"
"""The field that carries them from page to page, signed: so that nothing else comes in by it."""

COLUMN_OF = {"lever": "lever_arm_m"}
WORDS = {"position", "fixation", "notes", "rubric", "grade"}
"""Columns that are empty texts where nothing is said."""


@dataclass(slots=True)
class Shape:
    """A form's fields, and rows that have no place in it: they are kept as they are."""

    fields: Flat = field(default_factory=dict)
    kept: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def put(self, name: str, value: Any) -> None:
        if texts := as_texts(value):
            self.fields[name] = texts

    def keep(self, kind: str, row: Mapping[str, Any]) -> None:
        self.kept.setdefault(kind, []).append(dict(row))

    def has(self, *names: str) -> bool:
        return any(name in self.fields for name in names)


def as_texts(value: Any) -> list[str]:
    """A value as a form sends it."""
    if value is None or value is False or value in ("", []):  # and not 0, which is a value
        return []
    if isinstance(value, list):
        return sorted(str(item) for item in value)
    if value is True:
        return ["on"]
    if isinstance(value, date):
        return [value.isoformat()]
    if isinstance(value, float):
        value = Decimal(str(value))
    return [f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)]


def lines_of(fields: Iterable[str]) -> tuple[int, int, int]:
    """How many lines of strength tests, Q-angles and activities a form with these fields needs."""
    most = {"s": len(GROUPS) + SPARE_TESTS - 1, "q": ANGLES - 1, "a": ACTIVITIES - 1}
    for name in fields:
        if found := re.match(r"([sqa])(\d{1,2})-", name):
            kind, number = found[1], int(found[2])
            most[kind] = max(most[kind], number + (1 if kind == "a" else 0))
    return tuple(min(number + 1, MOST_LINES) for number in most.values())  # type: ignore[return-value]


def flat(assessment: Assessment) -> Shape:
    """What is stored, as the form shows it."""
    return _flat(as_data(assessment), assessment.assessed_on)


def of_values(values: Mapping[str, Any], assessment: Assessment | None, today: date) -> Flat:
    """Values that a tool kept, over what is stored, as the form shows them."""
    data = {**(as_data(assessment) if assessment else dict.fromkeys(COLUMNS)), **values}
    for name, kind in KINDS.items():
        data[name] = [{column: row.get(column) for column in kind.columns} for row in data.get(name) or ()]
        for row in data[name]:
            row |= {column: "" for column in WORDS & row.keys() if row[column] is None}
    day = data["assessed_on"] or today
    data[SCORES] = [
        {"items": {}, "value": None, **row, "taken_on": row.get("taken_on") or day}
        for row in data.get(SCORES) or ()
    ]
    shape = _flat(data, day)
    if sent := {kind: shape.kept.get(kind, []) for kind in (*KINDS, SCORES) if kind in values}:
        shape.fields[CARRIED] = [Signer(salt=CARRIED).sign(json.dumps(sent, default=str))]
    return shape.fields


def carried(fields: Mapping[str, list[str]]) -> dict[str, list[dict[str, Any]]]:
    """Rows of a tool's draft that have no place in the form, by kind; none of what is not of our making."""
    try:
        text = Signer(salt=CARRIED).unsign("".join(fields.get(CARRIED, [])))
    except BadSignature:
        return {}
    found: dict[str, list[dict[str, Any]]] = json.loads(text, parse_float=Decimal)
    return found


def _flat(data: Mapping[str, Any], day: date | str) -> Shape:
    shape = Shape()
    for name in COLUMNS:
        shape.put(name, data[name])
    _put_strength(shape, data["strength_tests"])
    _put_angles(shape, data["q_angles"])
    _put_sides(shape, data)
    for n, row in enumerate(data["aggravating_activities"]):
        for name, column in (("pain", "pain"), ("minutes", "minutes_until_pain"), ("ability", "ability")):
            shape.put(f"a{n}-{name}", row[column])
        shape.put(f"a{n}-activity", row["activity"])
    for row in data[SCORES]:
        _put_score(shape, row, day)
    return shape


def presets(earlier: Assessment | None) -> Flat:
    """How the tests were taken last time: two are compared only if taken the same way."""
    shape = Shape()
    shape.put("s-method", "handheld_dynamometer")
    shape.put("s-unit", "N")
    if earlier is not None:
        before = flat(earlier).fields
        shape.fields |= {name: texts for name, texts in before.items() if PRESET.fullmatch(name)}
    shape.fields.setdefault("q0-position", ["supine"])
    shape.fields.setdefault("q0-quadriceps", ["relaxed"])
    shape.fields.setdefault("q1-position", ["standing"])
    shape.fields.setdefault("q1-quadriceps", ["relaxed"])
    return shape.fields


def _put_strength(shape: Shape, rows: list[dict[str, Any]]) -> None:
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        way = (row["muscle_group"], *(row[COLUMN_OF.get(name, name)] for name in SHARED))
        lines.setdefault(way, {})[row["side"]] = row["value"]
    common = _common([way[1:] for way in lines])
    for name, value in zip(SHARED, common, strict=True):
        shape.put(f"s-{name}", value)
    spare = len(GROUPS)
    for way, values in lines.items():
        n = GROUPS.index(way[0])
        if shape.has(f"s{n}-left", f"s{n}-right"):
            n, spare = spare, spare + 1
            shape.put(f"s{n}-group", way[0])
        for name, value, usual in zip(SHARED, way[1:], common, strict=True):
            shape.put(f"s{n}-{name}", value if value != usual else None)
        for side, value in values.items():
            shape.fields[f"s{n}-{side}"] = as_texts(Decimal(str(value)))


def _common(ways: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """What most lines share of method and unit; of the rest only what all do, for empty can't be said."""
    if not ways:
        return ("handheld_dynamometer", "N", None, None, None)
    columns = list(zip(*ways, strict=True))
    usual = [max(set(column), key=column.count) for column in columns[:2]]
    return (*usual, *(column[0] if len(set(column)) == 1 else None for column in columns[2:]))


def _put_angles(shape: Shape, rows: list[dict[str, Any]]) -> None:
    lines: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        way = (row["position"], row["quadriceps"], row["notes"])
        slot = lines.setdefault(way, {})
        if row["side"] in slot:
            shape.keep("q_angles", row)
        slot.setdefault(row["side"], row["degrees"])
    for n, (way, values) in enumerate(lines.items()):
        for name, value in zip(("position", "quadriceps", "notes"), way, strict=True):
            shape.put(f"q{n}-{name}", value)
        for side, value in values.items():
            shape.fields[f"q{n}-{side}"] = as_texts(Decimal(str(value)))


def _put_sides(shape: Shape, data: Mapping[str, Any]) -> None:
    """One place a side: what is there twice is kept beside it."""
    for row in data["flexibility_tests"]:
        name = f"f-{row['structure']}-{row['side']}"
        if shape.has(f"{name}-tight"):
            shape.keep("flexibility_tests", row)
            continue
        shape.fields[f"{name}-tight"] = ["yes" if row["tight"] else "no"]
        shape.put(f"{name}-degrees", row["degrees"])
    for row in data["foot_postures"]:
        if shape.has(f"p-{row['side']}"):
            shape.keep("foot_postures", row)
            continue
        shape.fields[f"p-{row['side']}"] = [str(row["fpi6"])]
    for row in data["movement_tests"]:
        _put_movement(shape, row)


def _put_movement(shape: Shape, row: Mapping[str, Any]) -> None:
    side = row["side"]
    if row["test"] == MovementKind.LATERAL_STEP_DOWN:
        names = {item: f"d-{side}-{item}" for item in STEP_DOWN_ITEMS}
        filled = {item: row[item] for item in names if row[item] is not None}
        if filled and not shape.has(*names.values()):
            shape.fields |= {names[item]: [str(value)] for item, value in filled.items()}
            return
    elif row["grade"] and not shape.has(f"k-{side}-grade"):
        known = shape.fields.get("k-rubric", [row["rubric"]])
        if known == [row["rubric"]]:
            shape.put("k-rubric", row["rubric"])
            shape.put(f"k-{side}-grade", row["grade"])
            return
    shape.keep("movement_tests", row)


def _put_score(shape: Shape, row: Mapping[str, Any], day: date | str) -> None:
    measure = row["measure"]
    if str(row["taken_on"]) != str(day):
        shape.keep(SCORES, row)
    elif row["items"] and measure in QUESTIONNAIRES:
        for code, value in row["items"].items():
            shape.fields[f"o-{measure}-{code}"] = [str(value)]
    elif measure == OutcomeMeasure.GROC:
        shape.put("o-groc-groc", None if row["value"] is None else int(row["value"]))
    elif measure in QUESTIONNAIRES:
        shape.put(f"o-{measure}-total", row["value"])
    elif not row["items"]:  # a PSFS of no activities here
        shape.keep(SCORES, row)
