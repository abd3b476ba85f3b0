"""Copies into the clinic's own library, to be edited there; each remembers what of the starter's it was."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.text import slugify

from clinic.errors import FieldError
from clinic.models import Clinic, User
from clinic.roles import Capability, require
from programs.models import Dose, Exercise, Template
from programs.services.library.content import (
    exercise_data,
    exercise_fields,
    template_data,
    write_template,
)

LONGEST_NAME, LONGEST_SLUG = 120, 80


class LibraryRefused(FieldError):
    """The library cannot be changed like that."""


@transaction.atomic
def copy_template(*, template: Template, clinic: Clinic, by: User) -> Template:
    """The clinic's own copy of a template it may use, with its stages and doses.

    Raises:
        Denied: ``by`` may do no clinical work here.
        LibraryRefused: the template is another clinic's.
    """
    require(by, Capability.WRITE_CLINICAL, clinic.pk)
    _check_usable(template, clinic)
    used = {dose.exercise_id: dose.exercise for dose in _doses(template)}
    keys = {pk: str(pk) for pk in used}
    name = free_name(f"{template.name} {_mark(template)}", Template, clinic)
    copy = Template(clinic=clinic, slug=slug_of(name), **_origin(template))
    write_template(copy, template_data(template, keys), {keys[pk]: row for pk, row in used.items()})
    copy.name = name
    copy.save(update_fields=["name"])
    return copy


@transaction.atomic
def copy_exercise(*, exercise: Exercise, clinic: Clinic, by: User) -> Exercise:
    """The clinic's own copy of an exercise it may use; programs go on using the one they have.

    Raises:
        Denied: ``by`` may do no clinical work here.
        LibraryRefused: the exercise is another clinic's.
    """
    require(by, Capability.WRITE_CLINICAL, clinic.pk)
    _check_usable(exercise, clinic)
    name = free_name(f"{exercise.name} {_mark(exercise)}", Exercise, clinic)
    fields = exercise_fields(exercise_data(exercise)) | {"name": name}
    made: Exercise = Exercise.objects.create(clinic=clinic, slug=slug_of(name), **_origin(exercise), **fields)
    return made


def slug_of(name: str) -> str:
    """Of a name in the library, cut to its column."""
    return slugify(name)[:LONGEST_SLUG]


def free_name(name: str, model: type[Template] | type[Exercise], clinic: Clinic) -> str:
    """The name, or the first of ``name 2``, ``name 3``... that neither library of the clinic has."""
    taken = set(model.objects.usable_by(clinic).values_list("slug", flat=True))
    number, free = 1, name[:LONGEST_NAME]
    while slug_of(free) in taken:
        number += 1
        free = f"{name[: LONGEST_NAME - 5]} {number}"
    return free


def _doses(template: Template) -> list[Dose]:
    return [
        dose for stage in template.stages.prefetch_related("doses__exercise") for dose in stage.doses.all()
    ]


def _check_usable(row: Template | Exercise, clinic: Clinic) -> None:
    if row.clinic_id not in (None, clinic.pk):
        raise LibraryRefused("library", "This is not in your library.")


def _mark(row: Template | Exercise) -> str:
    return "(ours)" if row.clinic_id is None else "(copy)"


def _origin(row: Template | Exercise) -> dict[str, Any]:
    """Of the starter library; a copy of a copy comes from where that one came from."""
    if row.clinic_id is None:
        return {"copied_from": row.slug, "copied_version": row.version}
    return {"copied_from": row.copied_from, "copied_version": row.copied_version}
