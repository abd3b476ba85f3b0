"""A case and the caseload as CSV: whole, on record, and no text in it becomes a formula."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.csv_cells import FORMULA_STARTS
from clinic.models import AuditEntry
from clinic.roles import Denied, Role
from clinic.row_security import Origin, Tenant, acting_for
from patients.models import Episode, PrivacyEvent
from programs.models import Alert, Answer
from programs.services.case_exports import (
    CASE_HEADER,
    CASELOAD_HEADER,
    export_case_csv,
    export_caseload_csv,
)
from programs.services.cases import log_contact
from tests.factories import NOW, TODAY, make_case, make_clinic, make_patient, make_user
from tests.hostile import FORMULAS
from tests.whole_case import whole_case

pytestmark = pytest.mark.django_db


def rows_of(file) -> list[list[str]]:
    """As a spreadsheet reads it."""
    with file:
        content = file.read()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would compute it: it passes over what cannot be seen."""
    visible = "".join(character for character in cell if character.isprintable()).lstrip()
    number = visible.lstrip("+-").replace(".", "", 1).isdigit()
    return visible.startswith(FORMULA_STARTS) and not number


def test_a_case_holds_everything_by_date_one_thing_a_row(clinic, owner) -> None:
    case = whole_case(clinic)
    log_contact(episode=case, kind="call", note="Rang", by=owner, now=NOW, minutes=7, is_live=True)
    header, *rows = rows_of(export_case_csv(episode=case, by=owner, now=NOW))
    assert tuple(header) == CASE_HEADER
    assert {len(row) for row in rows} == {len(CASE_HEADER)}
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert {row[1] for row in rows} >= {
        *("Case opened", "Assessment", "Q-angle", "Strength", "Flexibility", "Foot posture", "Movement"),
        *("Aggravating activity", "Outcome measure", "Check-in", "Session", "Run", "Program started"),
        *("Stage", "Pause", "On hold", "Alert opened", "Contact"),
    }
    assert ["2026-03-02", "Check-in", "left", "Worst pain, last 3 days", "3.0", "NPRS", "", ""] in rows
    assert ["2026-03-02", "Contact", "", "Call, live", "7", "min", "Rang", str(owner)] in rows


@pytest.mark.parametrize("text", FORMULAS)
def test_no_hostile_text_becomes_a_formula(clinic, owner, text) -> None:
    patient = make_patient(clinic, given_name=text, family_name=text)
    case = make_case(patient=patient, case_number=text[:40])
    log_contact(episode=case, kind="call", note=text, by=owner, now=NOW)
    Alert.objects.create(
        clinic=clinic, episode=case, kind="stall", summary=text, opened_on=TODAY, opened_at=NOW
    )
    answer = {"occurred_at": NOW, "local_date": TODAY, "worst_left": Decimal(3), "note": text}
    Answer.objects.create(clinic=clinic, patient=patient, episode=case, client_id=uuid4(), **answer)
    files = (
        export_case_csv(episode=case, by=owner, now=NOW),
        export_caseload_csv(clinic=clinic, by=owner),
    )
    for file in files:
        cells = [cell for row in rows_of(file) for cell in row]
        assert not [cell for cell in cells if is_formula(cell)]
        assert any(text.strip() in cell for cell in cells if text.strip())


def test_the_caseload_is_one_row_a_case(clinic, owner, piet) -> None:
    case = whole_case(clinic)
    bare = make_case(clinic, clinician=piet)
    closed = make_case(clinic)
    Episode.objects.filter(pk=closed.pk).update(closed_on=TODAY, outcome="improved")
    make_case(make_clinic())
    header, *rows = rows_of(export_caseload_csv(clinic=clinic, by=owner))
    assert tuple(header) == CASELOAD_HEADER
    assert [row[0] for row in rows] == [case.case_number, bare.case_number]
    found = dict(zip(header, rows[0], strict=True))
    assert (found["State"], found["Open alerts"]) == ("Too early", "Red flag")
    assert found["Last answer on"] == "2026-03-02"
    [_, only] = rows_of(export_caseload_csv(clinic=clinic, by=owner, clinician=piet))
    assert only[2] == "Piet"
    assert len(rows_of(export_caseload_csv(clinic=clinic, by=owner, with_closed=True))) == 4


@pytest.mark.parametrize("role", [Role.PHYSIO, Role.ASSISTANT, None])
def test_only_an_owner_takes_data_out(clinic, role) -> None:
    case = make_case(clinic)
    by = make_user(role=role, clinic=clinic if role else None)
    with pytest.raises(Denied):
        export_case_csv(episode=case, by=by, now=NOW)
    with pytest.raises(Denied):
        export_caseload_csv(clinic=clinic, by=by)
    assert not PrivacyEvent.objects.exists()
    assert not AuditEntry.objects.filter(action="exported").exists()


def test_who_took_what_out_is_on_record(clinic, owner) -> None:
    cases = [make_case(clinic), make_case(clinic)]
    rows_of(export_case_csv(episode=cases[0], by=owner, now=NOW))
    event = PrivacyEvent.objects.get()
    assert (event.by, event.patient_key) == (owner, cases[0].patient_id)
    assert event.reason == f"CSV of case {cases[0].case_number}"
    before = set(AuditEntry.objects.values_list("pk", flat=True))
    with acting_for(Tenant((clinic.pk,)), Origin(who=f"user:{owner.pk}")):
        rows_of(export_caseload_csv(clinic=clinic, by=owner))
    new = AuditEntry.objects.filter(action="exported").exclude(pk__in=before)
    assert {patient for entry in new for patient in entry.patients} == {c.patient_id for c in cases}
    assert {(entry.who, entry.why) for entry in new} == {(f"user:{owner.pk}", "CSV of the caseload")}


@pytest.mark.parametrize("cases", [1, 3])
def test_the_caseload_costs_the_same_queries_for_one_case_and_for_three(clinic, owner, cases) -> None:
    for number in range(cases):
        make_case(clinic, opened_on=TODAY - timedelta(days=number))
    owner.active_memberships  # noqa: B018 - asked once a request
    with CaptureQueriesContext(connection) as queries:
        export_caseload_csv(clinic=clinic, by=owner)
    assert len([q for q in queries if "audit_read" not in q["sql"]]) == 8
