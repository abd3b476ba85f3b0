"""Copy of the starter library into the clinic's own, to be edited there; it remembers what it was."""

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

OURS = "(ours)"
LONGEST_NAME, LONGEST_SLUG = 120, 80


class LibraryRefused(FieldError):
    """The library cannot be changed like that."""


@transaction.atomic
def copy_template(*, template: Template, clinic: Clinic, by: User) -> Template:
    """The clinic's own copy of a starter template, with its stages and doses.

    Raises:
        Denied: ``by`` may do no clinical work here.
        LibraryRefused: the template is not of the starter library.
    """
    require(by, Capability.WRITE_CLINICAL, clinic.pk)
    _check_starter(template)
    used = {dose.exercise.slug: dose.exercise for dose in _doses(template)}
    name = free_name(f"{template.name} {OURS}", Template, clinic)
    copy = Template(clinic=clinic, slug=slug_of(name), **_origin(template))
    write_template(copy, template_data(template), used)
    copy.name = name
    copy.save(update_fields=["name"])
    return copy


@transaction.atomic
def copy_exercise(*, exercise: Exercise, clinic: Clinic, by: User) -> Exercise:
    """The clinic's own copy of a starter exercise; programs go on using the one they have.

    Raises:
        Denied: ``by`` may do no clinical work here.
        LibraryRefused: the exercise is not of the starter library.
    """
    require(by, Capability.WRITE_CLINICAL, clinic.pk)
    _check_starter(exercise)
    name = free_name(f"{exercise.name} {OURS}", Exercise, clinic)
    fields = exercise_fields(exercise_data(exercise)) | {"name": name}
    made: Exercise = Exercise.objects.create(clinic=clinic, slug=slug_of(name), **_origin(exercise), **fields)
    return made


def slug_of(name: str) -> str:
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


def _check_starter(row: Template | Exercise) -> None:
    if row.clinic_id is not None:
        raise LibraryRefused("library", f"{row} is not of the starter library: it is edited where it stands.")


def _origin(row: Template | Exercise) -> dict[str, Any]:
    return {"copied_from": row.slug, "copied_version": row.version}
