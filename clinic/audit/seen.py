"""Whose records a request shows. What was loaded counts as seen, so that no page can forget to say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import connection

RECORD = "SELECT audit_read(%s, %s, %s::bigint[], %s::uuid[])"

type Seen = dict[UUID, int | None]
"""The clinic of each patient."""

_seen: ContextVar[Seen | None] = ContextVar("seen", default=None)


@contextmanager
def watching() -> Iterator[Seen]:
    """What is loaded inside the block, a request."""
    seen: Seen = {}
    before = _seen.set(seen)
    try:
        yield seen
    finally:
        _seen.reset(before)


def see(patient: UUID | None, clinic: int | None) -> None:
    """A row of the patient was loaded."""
    if patient is not None and (seen := _seen.get()) is not None:
        seen[patient] = clinic


def take_out(patient: UUID, clinic: int) -> None:
    """The patient's data leave: a request notes it with its answer, whatever else notes it at once."""
    see(patient, clinic)
    if _seen.get() is None:
        record({patient: clinic}, exported=True, place=str(patient))


def show_only(patients: Iterable[UUID]) -> None:
    """Of those loaded so far the page shows no others: it only counted them."""
    if (seen := _seen.get()) is not None:
        shown = set(patients)
        for patient in [patient for patient in seen if patient not in shown]:
            del seen[patient]


def record(seen: Seen, *, exported: bool, place: str) -> None:
    """One entry a clinic, in one statement; ``place`` is the object in the address."""
    action = "exported" if exported else "read"
    with connection.cursor() as cursor:
        cursor.execute(RECORD, [action, place, list(seen.values()), list(seen)])
