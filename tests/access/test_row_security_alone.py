"""The same with every filter forgotten: the database alone lets no foreign row out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from clinic.admin import base
from clinic.tenancy import ScopedQuerySet
from patients.models import Patient
from programs.api.base import PatientView
from programs.models.library import LibraryQuerySet
from tests import enforced
from tests.access import table
from tests.access.asking import Asking, Request, undone
from tests.access.world import Bundle, Person

STAFF = (
    *("owner", "other clinic's owner", "assistant"),
    *("operator", "operator, records open", "disabled membership"),
)
PATIENTS = {"patient": ("a2", "b1"), "another patient": ("a1",)}


@pytest.fixture
def unscoped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each queryset asks for all rows, wherever it is imported."""
    monkeypatch.setattr(ScopedQuerySet, "scoped", lambda rows, user: rows.all())
    monkeypatch.setattr(LibraryQuerySet, "scoped", lambda rows, user: rows.all())
    monkeypatch.setattr(ScopedQuerySet, "of_patient", lambda rows, patient: rows.all())
    monkeypatch.setattr(base.rows_where, "__code__", (lambda user, capability, rows: rows.all()).__code__)


@contextmanager
def without_policies() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enforced, "_set", lambda value: None)
        yield


def foreign_marks(marks: set[str], person: Person) -> set[str]:
    return {mark for mark in marks - person.sees if outside(mark, person)}


def outside(mark: str, person: Person) -> bool:
    """Of another clinic; of another patient too, where a patient asks."""
    own = person.own
    if own is None or person.role in (table.OPERATOR, table.FORMER):
        return True
    return not mark.startswith(own.name if person.role == table.PATIENT else own.name[0])


def staff_requests(person: Person) -> Iterator[Request]:
    """Every page without an object; every page and action of a foreign object."""
    for route, row in table.ADMIN.items():
        targets = [b for b in person.foreign if row.of] or [None]
        for bundle in targets:
            whose = "foreign" if row.of else "own"
            yield Request(person, "GET", route, row, whose, bundle)
            if row.of and row.does:
                yield Request(person, "POST", route, row, whose, bundle, read=False)


@pytest.mark.parametrize("name", STAFF)
def test_staff_meet_no_row_of_another_clinic(asking: Asking, unscoped: None, name: str) -> None:
    person = asking.world.people[name]
    for asked in staff_requests(person):
        with undone():
            answer = asking.ask(asked)
            assert not foreign_marks(answer.marks, person), str(asked)
            of_platform = person.role in table.OPERATORS and asked.row.of in table.OF_PLATFORM
            if asked.method == "POST" and not of_platform:
                assert not asking.changed(), str(asked)


def test_without_the_policies_they_would(asking: Asking, unscoped: None) -> None:
    """Else the filters above would not be forgotten at all."""
    person = asking.world.people["owner"]
    found: set[str] = set()
    with without_policies(), undone():
        for route in ("admin:patients_patient_changelist", "admin:programs_alert_change", "admin:do snooze"):
            row = table.ADMIN[route]
            bundle = asking.world.bundles["b1"] if row.of else None
            answer = asking.ask(Request(person, "GET", route, row, "foreign", bundle))
            assert answer.status == 200, route
            found |= foreign_marks(answer.marks, person)
    assert {"b1person", "b1finding"} <= found


@contextmanager
def mistaken_for(person: Person, other: Bundle) -> Iterator[None]:
    """The API works with the device of one patient and the record of another; it may fail over that."""
    assert person.own
    wrong = Patient(pk=other.case.patient_id, clinic=person.own.clinic, timezone="UTC")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PatientView, "patient", property(lambda view: wrong))
        patch.setattr(person.client, "raise_request_exception", False)
        yield


def patient_requests(person: Person, other: Bundle) -> Iterator[Request]:
    for route, row in table.API.items():
        method = "GET" if row.sees else row.method
        if row.sees or "morning" in route:
            yield Request(person, method, route, row, "foreign", other)


@pytest.mark.parametrize(("name", "other"), [(n, o) for n, others in PATIENTS.items() for o in others])
def test_a_patient_meets_no_row_of_another(asking: Asking, unscoped: None, name: str, other: str) -> None:
    person, bundle = asking.world.people[name], asking.world.bundles[other]
    with mistaken_for(person, bundle):
        for asked in patient_requests(person, bundle):
            with undone():
                answer = asking.ask(asked)
                assert not foreign_marks(answer.marks, person), str(asked)
                notes_it = asked.row.does and asked.method == "GET"  # whoever takes data out is on record
                assert notes_it or not asking.changed(), str(asked)


def test_without_the_policies_a_patient_would(asking: Asking, unscoped: None) -> None:
    person, other = asking.world.people["patient"], asking.world.bundles["a2"]
    found: set[Any] = set()
    with mistaken_for(person, other), without_policies(), undone():
        for asked in patient_requests(person, other):
            found |= foreign_marks(asking.ask(asked).marks, person)
    assert "a2finding" in found
