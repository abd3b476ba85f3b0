"""An assessment as plain data: its columns by name, and a list of rows for each kind of measurement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model

from patients.models import (
    AggravatingActivity,
    Assessment,
    FlexibilityTest,
    FootPosture,
    MovementTest,
    OutcomeScore,
    QAngle,
    StrengthTest,
)
from patients.scoring import AKPS_ITEMS, KOOS_PF_ITEMS, LEFS_ITEMS, ScoringError, psfs_score, score
from patients.scoring.questionnaires import GROC_ITEMS, Item
from patients.vocabulary import OutcomeMeasure, StrengthMethod, StrengthUnit
from programs.rules.red_flags import Symptom

type Data = Mapping[str, Any]
type Errors = dict[str, str]

NOT_DATA = ("id", "clinic", "episode", "assessed_by", "created_at", "version", "signed_at", "signed_by")
COLUMNS: tuple[str, ...] = tuple(
    field.name for field in Assessment._meta.concrete_fields if field.name not in NOT_DATA
)

QUESTIONNAIRES: Mapping[str, Mapping[str, Item]] = {
    OutcomeMeasure.AKPS.value: AKPS_ITEMS,
    OutcomeMeasure.KOOS_PF.value: KOOS_PF_ITEMS,
    OutcomeMeasure.LEFS.value: LEFS_ITEMS,
    OutcomeMeasure.GROC.value: GROC_ITEMS,
}
NOT_A_GRADE = "A manual test is given as a grade, any other as N, kgf or Nm."


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of measurement: its columns, and those by which a row is known again (none: by its place)."""

    model: type[Model]
    columns: tuple[str, ...]
    key: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "strength_tests": Kind(
        StrengthTest,
        ("muscle_group", "side", "method", "value", "unit", "lever_arm_m", "position", "fixation"),
        ("muscle_group", "side", "method", "position"),
    ),
    "q_angles": Kind(
        QAngle,
        ("side", "degrees", "position", "quadriceps", "notes"),
        ("side", "position", "quadriceps"),
    ),
    "aggravating_activities": Kind(
        AggravatingActivity, ("activity", "pain", "minutes_until_pain", "ability"), ()
    ),
    "flexibility_tests": Kind(
        FlexibilityTest, ("structure", "side", "tight", "degrees"), ("structure", "side")
    ),
    "foot_postures": Kind(FootPosture, ("side", "fpi6"), ("side",)),
    "movement_tests": Kind(
        MovementTest,
        ("test", "side", "arm", "trunk", "pelvis", "knee", "steady_stance", "rubric", "grade"),
        ("test", "side", "rubric"),
    ),
}
SCORES = "outcome_scores"
SCORE_COLUMNS = ("measure", "items", "value", "taken_on")


def as_data(assessment: Assessment) -> dict[str, Any]:
    """What is stored, in the shape in which it is recorded."""
    data: dict[str, Any] = {name: getattr(assessment, name) for name in COLUMNS}
    for name, kind in KINDS.items():
        rows = getattr(assessment, name).all()
        data[name] = [{column: getattr(row, column) for column in kind.columns} for row in rows]
    scores = assessment.outcome_scores.all()
    data[SCORES] = [{column: getattr(row, column) for column in SCORE_COLUMNS} for row in scores]
    return data


@dataclass(slots=True)
class Built:
    """Rows that are not stored yet, in the order of the data; and what is wrong with it, by path."""

    assessment: Assessment
    rows: dict[str, list[Any]]
    scores: list[OutcomeScore] | None
    errors: Errors


def build(assessment: Assessment, data: Data) -> Built:
    """Set the columns that ``data`` holds, and make its rows. Nothing is asked of the database."""
    errors: Errors = {name: "is unknown." for name in data if name not in (*COLUMNS, *KINDS, SCORES)}
    for name in COLUMNS:
        if name in data:
            setattr(assessment, name, data[name])
    _clean(assessment, [name for name in COLUMNS if name in data], "", errors)
    known = {symptom.value for symptom in Symptom}
    if unknown := set(assessment.red_flags) - known:
        errors["red_flags"] = f"{', '.join(sorted(unknown))} is no red flag."
    rows = {name: _rows(assessment, name, data[name], errors) for name in KINDS if data.get(name) is not None}
    scores = None
    if data.get(SCORES) is not None or "aggravating_activities" in rows:
        scores = _scores(assessment, data.get(SCORES) or (), rows.get("aggravating_activities", ()), errors)
    return Built(assessment, rows, scores, errors)


def _rows(assessment: Assessment, name: str, rows: Sequence[Data], errors: Errors) -> list[Any]:
    kind, built, keys = KINDS[name], [], set[tuple[Any, ...]]()
    for n, values in enumerate(rows):
        path = f"{name}.{n}."
        errors |= {f"{path}{column}": "is unknown." for column in values if column not in kind.columns}
        row = kind.model(
            clinic_id=assessment.clinic_id,
            **{column: values[column] for column in kind.columns if column in values},
        )
        _clean(row, kind.columns, path, errors)
        if isinstance(row, StrengthTest):
            if _is_no_grade(row):
                errors.setdefault(f"{path}unit", NOT_A_GRADE)
            if (key := key_of(row, kind)) in keys:
                errors.setdefault(f"{path}{kind.key[0]}", "This test of this side is already there.")
            keys.add(key)
        built.append(row)
    return built


def key_of(row: Any, kind: Kind) -> tuple[Any, ...]:
    """By what a measurement is known again: two with the same key are the same test."""
    return tuple(getattr(row, column) for column in kind.key)


def _is_no_grade(row: StrengthTest) -> bool:
    return (row.method == StrengthMethod.MANUAL) != (row.unit == StrengthUnit.GRADE)


def _scores(
    assessment: Assessment, rows: Sequence[Data], activities: Iterable[AggravatingActivity], errors: Errors
) -> list[OutcomeScore]:
    """Totals from items where they were answered; PSFS from the patient's own activities."""
    built = []
    for n, values in enumerate(rows):
        path = f"{SCORES}.{n}."
        errors |= {f"{path}{column}": "is unknown." for column in values if column not in SCORE_COLUMNS}
        measure, items = values.get("measure", ""), dict(values.get("items") or {})
        value = _total(measure, items, path, errors) if items else values.get("value")
        if f"{path}items" in errors:
            continue
        taken_on = values.get("taken_on") or assessment.assessed_on
        built.append(_score(assessment, measure, items, value, taken_on))
        dated = () if "assessed_on" in errors else ("taken_on",)
        _clean(built[-1], ("measure", "value", *dated), path, errors)
    abilities = {str(n): row.ability for n, row in enumerate(activities, start=1) if row.ability is not None}
    if abilities and "aggravating_activities" not in " ".join(errors):
        built = [row for row in built if row.measure != OutcomeMeasure.PSFS]
        items = {place: f"{ability.normalize():f}" for place, ability in abilities.items()}
        psfs = OutcomeMeasure.PSFS.value
        built.append(_score(assessment, psfs, items, psfs_score(abilities), assessment.assessed_on))
    return built


def _total(measure: str, items: Mapping[str, Any], path: str, errors: Errors) -> Decimal | None:
    known = QUESTIONNAIRES.get(measure, {})
    if missing := [item.label for code, item in known.items() if code not in items]:
        label = OutcomeMeasure(measure).label
        some = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        errors[f"{path}items"] = f"{label}: not answered yet: {some}. Answer all of it, or none."
        return None
    try:
        return score(measure, items)
    except ScoringError as error:
        errors[f"{path}items"] = f"{error.field}: {error.message}"
        return None


def _score(assessment: Assessment, measure: str, items: Data, value: Any, taken_on: Any) -> OutcomeScore:
    return OutcomeScore(
        clinic_id=assessment.clinic_id,
        episode=assessment.episode,
        measure=measure,
        items=items,
        value=value,
        taken_on=taken_on,
    )


def _clean(row: Any, columns: Iterable[str], path: str, errors: Errors) -> None:
    """Types, choices and lengths; ranges are ``check_values``'s, and a model's own limits stand behind it."""
    wanted = set(columns)
    others = [field.name for field in row._meta.fields if field.name not in wanted]
    try:
        row.clean_fields(exclude=others)
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            errors.setdefault(f"{path}{name}", " ".join(messages))
