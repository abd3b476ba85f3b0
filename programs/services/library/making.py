"""What a clinic adds to its own library from nothing, by the same rules as a file that it imports."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from clinic.models import Clinic, User
from clinic.roles import Capability, require
from programs.models import Exercise, Template
from programs.rules.library import DocumentError, parse_stages
from programs.rules.library.document import MAX_EMPHASIS
from programs.rules.matching import Driver
from programs.services.library.content import write_stages
from programs.services.library.copies import LibraryRefused, slug_of

type Stages = Sequence[Mapping[str, Any]]
"""In their order: the columns of a stage, and its ``doses`` with the key of an ``exercise`` each."""

BRACKETS = re.compile(r"\[(\d+)\]")


@transaction.atomic
def make_exercise(*, clinic: Clinic, values: Mapping[str, Any], by: User) -> Exercise:
    """A new exercise of the clinic's own.

    Raises:
        Denied: ``by`` may do no clinical work here.
        LibraryRefused: a name that is taken or none, or a neighbour that there is not.
        ValidationError: a value is not valid, by name.
    """
    require(by, Capability.WRITE_CLINICAL, clinic.pk)
    exercise = Exercise(clinic=clinic, slug=own_slug(values.get("name", ""), Exercise, clinic.pk), **values)
    check_neighbours(exercise, values)
    exercise.full_clean(exclude=["clinic"])
    exercise.save()
    return exercise


@transaction.atomic
def make_template(*, clinic: Clinic, values: Mapping[str, Any], stages: Stages, by: User) -> Template:
    """A new program to assign, of the clinic's own, with its stages.

    Raises:
        Denied: ``by`` may do no clinical work here.
        LibraryRefused: a name that is taken or none, or a driver that there is not.
        ValidationError: a value is not valid, by its path.
    """
    require(by, Capability.WRITE_CLINICAL, clinic.pk)
    template = Template(clinic=clinic, slug=own_slug(values.get("name", ""), Template, clinic.pk), **values)
    check_drivers(template.drivers)
    template.full_clean(exclude=["clinic"])
    template.save()
    put_stages(template, stages)
    return template


def own_slug(name: str, model: type[Exercise] | type[Template], clinic_id: int | None) -> str:
    """Of a new row of the clinic's own: two of one name are one too many.

    Raises:
        LibraryRefused: a name without letter or digit, or one that the clinic's library has.
    """
    slug = slug_of(name)
    if not slug:
        raise LibraryRefused("name", "Needs at least one letter or digit.")
    if model.objects.filter(clinic=clinic_id, slug=slug).exists():
        raise LibraryRefused("name", "Your library already has this name.")
    return slug


def check_neighbours(exercise: Exercise, values: Mapping[str, Any]) -> None:
    """``easier`` and ``harder`` name another exercise that the clinic may use; what stood there may stay.

    Raises:
        LibraryRefused: there is none.
    """
    others = Exercise.objects.usable_by(exercise.clinic_id).exclude(pk=exercise.pk)
    for name in ("easier", "harder"):
        slug, stood = values.get(name), exercise.pk and getattr(exercise, name)
        if slug and slug != stood and not others.filter(slug=slug).exists():
            raise LibraryRefused(name, "No other exercise of your library has this slug.")


def check_drivers(drivers: Mapping[str, int]) -> None:
    """Each driver that a template targets is one of ours, with its weight.

    Raises:
        LibraryRefused: a driver that there is not, or a weight that is not 1-3.
    """
    for driver, weight in drivers.items():
        if driver not in set(Driver) or not 1 <= weight <= MAX_EMPHASIS:
            known = ", ".join(Driver)
            raise LibraryRefused("drivers", f"Each of {known} may have a weight from 1 to {MAX_EMPHASIS}.")


def put_stages(template: Template, stages: Stages) -> None:
    """These stages in place of the template's own.

    Raises:
        ValidationError: with the path of each mistake, such as ``stages.0.doses.1.sets``.
    """
    named = {dose.get("exercise") for stage in stages for dose in stage.get("doses", ())}
    rows = Exercise.objects.usable_by(template.clinic_id).filter(pk__in=named - {None})
    exercises = {str(row.pk): row for row in rows}
    try:
        read = parse_stages(_as_in_a_file(stages), exercises.keys())
    except DocumentError as error:
        raise ValidationError({_path(one.path): f"{one.message}." for one in error.mistakes}) from None
    write_stages(template, read, exercises)


def _as_in_a_file(stages: Stages) -> list[dict[str, Any]]:
    return [
        {**{name: value for name, value in stage.items() if name != "doses"}, "number": number}
        | {"exercises": [{**dose, "exercise": str(dose.get("exercise"))} for dose in stage.get("doses", ())]}
        for number, stage in enumerate(stages, start=1)
    ]


def _path(path: str) -> str:
    return BRACKETS.sub(r".\1", path).replace(".exercises.", ".doses.")
