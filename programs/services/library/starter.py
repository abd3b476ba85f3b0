"""Load the starter library: global exercises and templates, by slug, again without harm."""

from __future__ import annotations

from django.db import transaction

from clinic.row_security import Tenant, acting_for
from programs.library import starter_library
from programs.models import Exercise, Template
from programs.rules.library import Exercise as ExerciseData
from programs.rules.library import Template as TemplateData
from programs.services.library.content import exercise_data, exercise_fields, write_template
from programs.services.library.versions import changing_template, raise_exercise_version


@acting_for(Tenant(platform=True))
@transaction.atomic
def load_starter_library() -> tuple[int, int]:
    """Bring the global library up to the files; how many exercises and templates it holds.

    Programs are copies, so none changes; what has changed is a version more. Raises LibraryError where a
    file holds a mistake.
    """
    library = starter_library()
    exercises = {data.slug: _exercise(data) for data in library.exercises}
    for data in library.templates:
        _template(data, exercises)
    return len(library.exercises), len(library.templates)


def _exercise(data: ExerciseData) -> Exercise:
    fields = exercise_fields(data)
    row, made = Exercise.objects.get_or_create(clinic=None, slug=data.slug, defaults=fields)
    if not made and exercise_data(row) != data:
        Exercise.objects.filter(pk=row.pk).update(**fields)
        raise_exercise_version(row)
    return row


def _template(data: TemplateData, exercises: dict[str, Exercise]) -> None:
    row = Template.objects.filter(clinic=None, slug=data.slug).first()
    if row is None:
        write_template(Template(clinic=None, slug=data.slug), data, exercises)
        return
    with changing_template(row, by=None):
        write_template(row, data, exercises)
