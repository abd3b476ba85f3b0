"""Every write leaves an entry, whatever way it was made; the entries are the database's, and stay."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from clinic.audit import checks, exempt
from clinic.audit.models import AuditEntry
from clinic.data_keys import DataKey
from clinic.models import Clinic, Factor, OutboxMessage, User
from clinic.row_security import NOBODY, Origin, Tenant, acting_for, enter
from patients.models import DeviceToken, Episode, LoginCode, Patient, RestrictedRecord
from programs.models import CheckInRequest, Program, ProgramDose, Review, StageMove
from tests.factories import NOW, TODAY, make_assessment, make_case, make_clinic, make_patient, make_user
from tests.staff import give_app
from tests.whole_case import as_tenant, whole_case

pytestmark = pytest.mark.django_db

PHYSIO = Origin("user:7", "203.0.113.9", "admin:do", "Break glass: called at night")
RECORDED = {
    model._meta.db_table: model
    for model in apps.get_models(include_auto_created=True)
    if model._meta.db_table not in exempt.EXEMPT and model._meta.managed
}


def entries(**filters: Any) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(**filters).order_by("id"))


def last() -> AuditEntry:
    return AuditEntry.objects.order_by("id").last()  # type: ignore[return-value]


def execute(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_every_table_is_on_record_or_exempt_with_a_reason() -> None:
    assert checks.audited_tables(["default"]) == []
    assert all(exempt.EXEMPT.values())
    assert len(RECORDED) == 54


def test_a_table_without_trigger_is_refused(monkeypatch: Any) -> None:
    reasons = {table: why for table, why in exempt.EXEMPT.items() if table != "clinic_sweeprun"}
    monkeypatch.setattr(checks, "EXEMPT", reasons)
    [found] = checks.audited_tables(["default"])
    assert (found.id, found.msg) == ("clinic.E010", "Changes of clinic_sweeprun are not on record.")


def test_a_role_that_may_write_the_trail_is_refused(monkeypatch: Any) -> None:
    monkeypatch.setattr(checks, "WRITABLE", checks.WRITABLE.replace("clinic_auditseal", "clinic_sweeprun"))
    [found] = checks.audited_tables(["default"])
    assert found.id == "clinic.E011"


def test_a_row_of_every_table_is_on_record_with_its_patient() -> None:
    """By the scope that the models declare: a trigger that looks elsewhere for the patient is found."""
    case = whole_case(make_clinic())
    give_app(case.clinician)
    for table, model in RECORDED.items():
        row = model._base_manager.order_by("-pk").first()
        assert row is not None, table
        found = entries(table_name=table)
        assert found[0].action == "added", table
        if model is DeviceToken:  # its key stays out of the trail
            continue
        entry = [entry for entry in found if entry.row_id == str(row.pk)][-1]
        assert (entry.patients, entry.clinic_id) == (_patient_of(row, case), _clinic_of(row)), table


def _patient_of(row: Any, case: Episode) -> list[UUID]:
    """What an erasure leaves names the patient there was by a key."""
    left = getattr(row, "owner" if isinstance(row, DataKey) else "patient_key", None)
    if isinstance(row, RestrictedRecord):
        left = row.erasure_id
    if left:
        return [left]
    path = getattr(row, "scope", None) and row.scope.patient
    return [case.patient_id] if path else []


def _clinic_of(row: Any) -> int | None:
    if isinstance(row, User | Factor):
        return None
    for part in row.scope.clinic.split("__"):
        row = getattr(row, part)
    return row.pk if isinstance(row, models.Model) else row


def test_who_when_from_where_and_why_are_told() -> None:
    case = make_case()
    with acting_for(Tenant((case.clinic_id,)), PHYSIO):
        case.running_track = "stopped"
        case.save()
    entry = last()
    assert (entry.who, entry.address, entry.route, entry.why) == (
        "user:7",
        "203.0.113.9",
        "admin:do",
        "Break glass: called at night",
    )
    assert (entry.action, entry.table_name, entry.row_id) == ("changed", "patients_episode", str(case.pk))
    assert (entry.patients, entry.clinic_id) == ([case.patient_id], case.clinic_id)
    assert entry.changes == {"running_track": ["still_running", "stopped"]}
    assert entry.at is not None


def test_what_was_told_ends_with_the_block() -> None:
    clinic = make_clinic()
    with acting_for(NOBODY, PHYSIO):
        enter(Tenant((clinic.pk,)), "user:8")
        Clinic.objects.update(phone="1")
        assert last().who == "user:8"
    Clinic.objects.update(phone="2")
    assert last().who == "role:clinic_app"
    assert last().why == ""


@pytest.mark.parametrize("way", ["bulk", "queryset", "sql", "bulk_update"])
def test_every_way_to_write_is_on_record(way: str) -> None:
    cases = [make_case(), make_case()]
    if way == "bulk":
        Patient.objects.bulk_create([Patient(clinic=c.clinic, given_name="A", timezone="UTC") for c in cases])
    elif way == "queryset":
        Episode.objects.filter(pk__in=[c.pk for c in cases]).update(opened_on=date(2026, 1, 1))
    elif way == "sql":
        execute("UPDATE patients_episode SET opened_on = '2026-01-01'")
    else:
        for case in cases:
            case.opened_on = date(2026, 1, 1)
        Episode.objects.bulk_update(cases, ["opened_on"])
    found = entries()[-2:]
    if way == "bulk":
        assert [entry.action for entry in found] == ["added", "added"]
        assert {entry.row_id for entry in found} == {str(entry.patients[0]) for entry in found}
    else:
        assert [entry.changes for entry in found] == [{"opened_on": ["2026-03-02", "2026-01-01"]}] * 2
        assert {entry.row_id for entry in found} == {str(case.pk) for case in cases}


def test_a_deleted_row_leaves_what_it_held() -> None:
    assessment = make_assessment(make_case())
    row = assessment.foot_postures.create(clinic=assessment.clinic, side="left", fpi6=3)
    pk = row.pk
    row.delete()
    entry = last()
    assert (entry.action, entry.row_id) == ("deleted", str(pk))
    assert entry.changes is not None
    assert entry.changes["fpi6"] == [3, None]
    assert entry.patients == [assessment.episode.patient_id]


def test_a_write_that_is_rolled_back_leaves_nothing() -> None:
    case, before = make_case(), AuditEntry.objects.count()
    with transaction.atomic():
        Episode.objects.filter(pk=case.pk).update(both_knees=True)
        transaction.set_rollback(True)
    assert AuditEntry.objects.count() == before


def test_what_changes_nothing_leaves_nothing() -> None:
    case = make_case()
    before = AuditEntry.objects.count()
    case.save()
    Program.objects.update(next_check_in_at=NOW)
    assert AuditEntry.objects.count() == before


CANARY = "Quillfeather"


def test_contact_data_secrets_and_bodies_stay_out_of_the_trail() -> None:
    """Of every column of these tables: what is text holds the canary, and only its change is told."""
    give_app(whole_case(make_clinic()).clinician)
    kept_out = {
        Patient: {"given_name", "family_name", "phone", "guardian_name"},
        User: {"name", "password"},
        OutboxMessage: {"subject", "last_error"},
        DeviceToken: {"device_name", "token_key"},
        LoginCode: {"code_hash"},
    }
    for model, columns in kept_out.items():
        for change in (CANARY, CANARY * 2):
            limit = {name: change[: model._meta.get_field(name).max_length] for name in columns}
            model._base_manager.update(**limit)
        changes = entries(table_name=model._meta.db_table, action="changed")[-1].changes
        assert changes == dict.fromkeys(columns), model
    Patient.objects.update(email="Quillfeather@example.org", birth_date=TODAY)
    OutboxMessage.objects.update(to_email="Quillfeather@example.org", secret=b"Quillfeather")
    mail = OutboxMessage.objects.first()
    mail.text = mail.html = CANARY
    mail.save(update_fields=["text", "html"])
    assert last().changes == {"text_sealed": None, "html_sealed": None}
    Factor.objects.update(secret=b"Quillfeather")
    assert last().changes == {"secret": None}
    execute("DELETE FROM patients_devicetoken")
    make_patient(given_name=CANARY, guardian_name=CANARY, email=f"{CANARY}@example.org", phone=CANARY)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM clinic_auditentry AS e WHERE e::text ILIKE '%%quill%%'")
        assert cursor.fetchone() == (0,)
    assert entries(table_name="patients_patient")[-1].changes == {
        **dict.fromkeys(("given_name", "guardian_name", "email", "phone", "family_name")),
        **{name: [None, value] for name, value in _rest_of(Patient.objects.last()).items()},
    }


def _rest_of(patient: Any) -> dict[str, Any]:
    at = entries(row_id=str(patient.pk))[-1].changes["created_at"][1]  # type: ignore[index]
    return {
        "id": str(patient.pk),
        "clinic_id": patient.clinic_id,
        "timezone": patient.timezone,
        "created_at": at,
    }


def test_what_a_machine_adds_by_the_thousand_is_kept_short() -> None:
    whole_case(make_clinic())
    for model in (CheckInRequest, Review, OutboxMessage):
        [entry] = entries(table_name=model._meta.db_table)
        assert (entry.action, entry.changes) == ("added", None)
    Review.objects.update(state="stalled", verdict={"a": 1})
    assert last().changes == {"state": ["too_early", "stalled"], "verdict": None}


def test_the_reason_of_an_override_stands_in_its_row() -> None:
    case = whole_case(make_clinic())
    move = StageMove.objects.create(
        clinic=case.clinic,
        program=Program.objects.get(),
        from_stage=1,
        to_stage=2,
        moved_on=TODAY,
        moved_by=case.clinician,
        unmet=["days"],
        override_reason="Race on Sunday",
    )
    stored = StageMove.objects.values_list("override_reason", flat=True).get(pk=move.pk).stored
    assert last().changes["override_reason_sealed"] == [None, "\\x" + stored.hex()]  # type: ignore[index]


def test_numbers_are_kept_as_they_were_stored() -> None:
    assessment = make_assessment(make_case(), worst_pain=Decimal("6.0"))
    type(assessment).objects.update(worst_pain=Decimal("7.5"))
    assert last().changes == {"worst_pain": [6.0, 7.5]}


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO clinic_auditentry (who, route, action, table_name, row_id, why, patients) "
        "VALUES ('user:1', '', 'changed', '', '', '', '{}')",
        "UPDATE clinic_auditentry SET who = 'nobody'",
        "DELETE FROM clinic_auditentry",
        "DELETE FROM clinic_auditseal",
        "INSERT INTO clinic_auditseal (position, hash, entries) VALUES (1, '', 1)",
        "SELECT audit_write('x', '1', NULL, NULL, '{}', '{}', '{}', '{}', false)",
        "SELECT audit_read('changed', '', '{}', '{}')",
    ],
)
def test_the_application_can_neither_forge_nor_change_an_entry(statement: str) -> None:
    make_clinic()
    before = entries()
    with pytest.raises(DatabaseError), transaction.atomic():
        execute(statement)
    assert entries() == before


def test_a_clinic_reads_its_entries_a_patient_who_read_theirs_and_an_operator_none() -> None:
    case, other = make_case(), make_case()
    neighbour = make_case(case.clinic)
    with acting_for(NOBODY, PHYSIO):
        for whose in (case, neighbour, other):
            execute(
                "SELECT audit_read('read', '', %s::bigint[], %s::uuid[])",
                [whose.clinic_id],
                [whose.patient_id],
            )
    own = set(AuditEntry.objects.filter(clinic=case.clinic).values_list("pk", flat=True))
    with as_tenant(Tenant((case.clinic_id,))):
        assert set(AuditEntry.objects.values_list("pk", flat=True)) == own
    with as_tenant(Tenant((case.clinic_id,), patient=case.patient_id)):
        [read] = AuditEntry.objects.all()
        assert (read.action, read.patients) == ("read", [case.patient_id])
    for tenant in (NOBODY, Tenant(platform=True)):
        with as_tenant(tenant):
            assert not AuditEntry.objects.exists()


def test_a_dose_three_rows_below_the_patient_is_theirs() -> None:
    case = whole_case(make_clinic())
    ProgramDose.objects.update(sets=4)
    assert (last().patients, last().changes) == ([case.patient_id], {"sets": [3, 4]})


def test_a_members_new_role_is_on_record() -> None:
    clinic = make_clinic()
    member = make_user(clinic=clinic).memberships.get()
    member.role = "assistant"
    member.save()
    assert (last().clinic_id, last().changes) == (clinic.pk, {"role": ["physio", "assistant"]})
