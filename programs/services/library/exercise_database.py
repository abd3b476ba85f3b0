"""Exercises from the public-domain Free Exercise DB into the clinic's own library."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NoReturn

from django.db import transaction

from clinic.models import Clinic, User
from clinic.roles import Capability, require
from programs.models import Exercise
from programs.rules.library import DatabaseError, Found, read_records
from programs.services.library.content import exercise_fields
from programs.services.library.copies import slug_of
from programs.services.library.exchange import NotReadable

MAX_CHARACTERS = 200_000
TOO_LONG = f"Too much at once: at most {MAX_CHARACTERS // 1000} thousand characters"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record of the file. ``skipped`` says why it cannot be added, empty where it can."""

    found: Found
    skipped: str

    @property
    def slug(self) -> str:
        return self.found.exercise.slug if self.found.exercise else ""


def preview_exercises(*, text: str, clinic: Clinic, by: User) -> list[Candidate]:
    """What ``import_exercises`` would do with this text, JSON in that database's format.

    Raises:
        Denied: ``by`` may do no clinical work here.
        NotReadable: with the record of each mistake.
    """
    require(by, Capability.WRITE_CLINICAL, clinic.pk)
    try:
        records = read_records(_json(text))
    except DatabaseError as error:
        raise NotReadable(str(mistake) for mistake in error.mistakes) from None
    rows = Exercise.objects.usable_by(clinic).values_list("slug", "name")
    taken = {taken for slug, name in rows for taken in (slug, slug_of(name))}
    return [_candidate(found, taken) for found in records]


def _candidate(found: Found, taken: set[str]) -> Candidate:
    if found.exercise is None:
        return Candidate(found, f"No kind of ours for {found.category}.")
    names = {found.exercise.slug, slug_of(found.name)}
    if names & taken:
        return Candidate(found, "Your library has it already.")
    taken |= names
    return Candidate(found, "")


@transaction.atomic
def import_exercises(
    *, text: str, clinic: Clinic, by: User, chosen: Collection[str] | None = None
) -> list[Candidate]:
    """Add the records, or those of the ``chosen`` slugs, to the clinic's own library; which, in their order.

    Those that are skipped say why.

    Raises:
        Denied: ``by`` may do no clinical work here.
        NotReadable: with the record of each mistake; nothing is added.
    """
    found = preview_exercises(text=text, clinic=clinic, by=by)
    candidates = [candidate for candidate in found if chosen is None or candidate.slug in chosen]
    Exercise.objects.bulk_create(
        Exercise(clinic=clinic, slug=candidate.slug, **exercise_fields(candidate.found.exercise))
        for candidate in candidates
        if candidate.found.exercise and not candidate.skipped
    )
    return candidates


def _json(text: str) -> Any:
    if len(text) > MAX_CHARACTERS:
        raise NotReadable([TOO_LONG])
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise NotReadable([f"line {line}: is no JSON" if line else "is no JSON"]) from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)
