"""Library rows as the rules' dataclasses, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from patients.vocabulary import Diagnosis
from programs.models import Dose, Exercise, Stage, Template
from programs.rules.library import Dose as DoseData
from programs.rules.library import Exercise as ExerciseData
from programs.rules.library import ExerciseKind
from programs.rules.library import Stage as StageData
from programs.rules.library import Template as TemplateData

EXERCISE_FIELDS = [field.name for field in dataclasses.fields(ExerciseData) if field.name != "slug"]
TEMPLATE_FIELDS = [
    field.name for field in dataclasses.fields(TemplateData) if field.name not in ("slug", "stages", "trains")
]
STAGE_FIELDS = [field.name for field in dataclasses.fields(StageData) if field.name != "doses"]
DOSE_FIELDS = [field.name for field in dataclasses.fields(DoseData) if field.name != "exercise"]


def exercise_data(row: Exercise) -> ExerciseData:
    """The row as it stands now."""
    lists: dict[str, Any] = {name: tuple(getattr(row, name)) for name in ("muscle_groups", "cues", "tags")}
    plain = {name: getattr(row, name) for name in EXERCISE_FIELDS if name not in (*lists, "kind")}
    return ExerciseData(slug=row.slug, kind=ExerciseKind(row.kind), **lists, **plain)


def template_data(row: Template, keys: Mapping[int, str] | None = None) -> TemplateData:
    """The row with its stages as they stand now; ``keys`` call an exercise something else than its slug."""
    keys = keys or {}
    stages = Stage.objects.filter(template=row).prefetch_related("doses__exercise")
    plain = {name: getattr(row, name) for name in TEMPLATE_FIELDS if name != "diagnoses"}
    return TemplateData(
        slug=row.slug,
        diagnoses=tuple(Diagnosis(diagnosis) for diagnosis in row.diagnoses),
        stages=tuple(_stage_data(stage, keys) for stage in stages),
        trains=frozenset(),
        **plain,
    )


def _stage_data(row: Stage, keys: Mapping[int, str]) -> StageData:
    doses = (_dose_data(dose, position, keys) for position, dose in enumerate(row.doses.all(), start=1))
    return StageData(**{name: getattr(row, name) for name in STAGE_FIELDS}, doses=tuple(doses))


def _dose_data(row: Dose, position: int, keys: Mapping[int, str]) -> DoseData:
    values = {name: getattr(row, name) for name in DOSE_FIELDS} | {"position": position}
    return DoseData(exercise=keys.get(row.exercise_id, row.exercise.slug), **values)


def write_template(row: Template, data: TemplateData, exercises: Mapping[str, Exercise]) -> None:
    """Save the row with the data's fields, stages and doses in place of its own; not its slug."""
    for name in TEMPLATE_FIELDS:
        setattr(row, name, _plain(getattr(data, name)))
    row.save()
    write_stages(row, data.stages, exercises)


def write_stages(row: Template, stages: Iterable[StageData], exercises: Mapping[str, Exercise]) -> None:
    """Save these stages and their doses in place of the row's own."""
    row.stages.all().delete()
    for stage in stages:
        made = Stage.objects.create(template=row, **{name: getattr(stage, name) for name in STAGE_FIELDS})
        Dose.objects.bulk_create(
            Dose(
                stage=made,
                exercise=exercises[dose.exercise],
                **{name: getattr(dose, name) for name in DOSE_FIELDS},
            )
            for dose in stage.doses
        )


def exercise_fields(data: ExerciseData) -> dict[str, Any]:
    """What the columns of a row take; not its slug."""
    return {name: _plain(getattr(data, name)) for name in EXERCISE_FIELDS}


def _plain(value: object) -> object:
    """Tuples as lists and mappings as dicts, as the columns take them."""
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
