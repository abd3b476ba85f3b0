"""Load the starter library: global exercises and templates, by slug, again without harm."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from django.db import transaction

from clinic.row_security import Tenant, acting_for
from programs.library import starter_library
from programs.models import Dose, Exercise, Stage, Template
from programs.rules.library import Exercise as ExerciseData
from programs.rules.library import Template as TemplateData

EXERCISE_FIELDS = [field.name for field in dataclasses.fields(ExerciseData) if field.name != "slug"]
TEMPLATE_FIELDS = [
    field.name for field in dataclasses.fields(TemplateData) if field.name not in ("slug", "stages", "trains")
]


@acting_for(Tenant(platform=True))
@transaction.atomic
def load_starter_library() -> tuple[int, int]:
    """Bring the global library up to the files; how many exercises and templates it holds.

    Programs are copies, so none changes. Raises LibraryError where a file holds a mistake.
    """
    library = starter_library()
    exercises = {data.slug: _exercise(data) for data in library.exercises}
    for data in library.templates:
        _template(data, exercises)
    return len(library.exercises), len(library.templates)


def _exercise(data: ExerciseData) -> Exercise:
    exercise, _ = Exercise.objects.update_or_create(
        clinic=None, slug=data.slug, defaults={name: _plain(getattr(data, name)) for name in EXERCISE_FIELDS}
    )
    return exercise


def _template(data: TemplateData, exercises: dict[str, Exercise]) -> None:
    template, _ = Template.objects.update_or_create(
        clinic=None, slug=data.slug, defaults={name: _plain(getattr(data, name)) for name in TEMPLATE_FIELDS}
    )
    template.stages.all().delete()
    for stage in data.stages:
        fields = _fields(stage, leave="doses")
        row = Stage.objects.create(template=template, **fields)
        Dose.objects.bulk_create(
            Dose(stage=row, exercise=exercises[dose.exercise], **_fields(dose, leave="exercise"))
            for dose in stage.doses
        )


def _fields(data: object, *, leave: str) -> dict[str, object]:
    names = [field.name for field in dataclasses.fields(data) if field.name != leave]  # type: ignore[arg-type]
    return {name: _plain(getattr(data, name)) for name in names}


def _plain(value: object) -> object:
    """Tuples as lists and mappings as dicts, as the columns take them."""
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
