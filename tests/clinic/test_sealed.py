"""Free text about a patient lies encrypted under a key of their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext

from clinic import seal_migration
from clinic.data_keys import DataKey, destroy, unseal
from clinic.seal_migration import seal_rows
from clinic.sealed import ERASED, EncryptedCharField, EncryptedTextField
from clinic.secrets import SecretLostError
from patients.models import Assessment
from programs.models import ContactLog, Hold, Pause
from programs.services.patient_data import APART, tables
from tests.enforced import enforced
from tests.factories import NOW, TODAY, make_assessment, make_case, make_clinic, make_program

pytestmark = pytest.mark.django_db

PLAIN = {
    "programs_program.name": "The program's title, copied from a template.",
    "programs_program.end_reason": "Words of the service: replaced, discharged.",
    "programs_programstage.name": "Copied from the clinic's template.",
    "programs_programstage.goal": "Copied from the clinic's template.",
    "programs_programstage.advice": "Copied from the clinic's template.",
    "programs_programdose.note": "How an exercise is done, copied from the clinic's template.",
    "programs_programdose.tempo": "How an exercise is done, copied from the clinic's template.",
    "programs_programdose.source": "Where an exercise's dose was published.",
    "patients_devicetoken.digest": "Hash of an access token.",
    "programs_hold.reason": "Words of the service: which symptoms were ticked.",
    "programs_review.action": "Words of the service, from the rules.",
    "programs_alert.summary": "Words of the service, from the rules.",
    "programs_alert.action": "Words of the service, from the rules.",
    "patients_strengthtest.position": "How a test was set up; part of what makes it unique.",
    "patients_strengthtest.fixation": "How a test was set up.",
    "patients_movementtest.rubric": "The name of a published scale.",
    "patients_patient.given_name": "Contact data: searched.",
    "patients_patient.family_name": "Contact data: searched.",
    "patients_patient.guardian_name": "Contact data.",
    "patients_patient.email": "Contact data: searched.",
    "patients_devicetoken.device_name": "What the device calls itself.",
    "clinic_outboxmessage.to_email": "Contact data: searched.",
    "clinic_outboxmessage.subject": "Words of the service; an owner looks for them.",
    "clinic_outboxmessage.dedupe_key": "Which row the e-mail is about.",
    "clinic_outboxmessage.last_error": "What the mail server answered.",
    "patients_privacyevent.reason": "Why data were taken out: about the act, kept with the audit.",
}
"""Columns of a patient's tables that could hold a sentence, and are not encrypted."""


def free_text() -> dict[str, models.Field[Any, Any]]:
    """Text columns of a sentence's length that no list of choices limits."""
    return {
        f"{model._meta.db_table}.{field.name}": field
        for model in [*tables(), *APART]
        for field in model._meta.concrete_fields
        if isinstance(field, models.TextField)
        or (isinstance(field, models.CharField) and not field.choices and (field.max_length or 0) > 64)
    }


def test_every_text_about_a_patient_is_encrypted_or_says_why_not() -> None:
    plain = {
        name
        for name, field in free_text().items()
        if not isinstance(field, EncryptedTextField | EncryptedCharField)
    }
    assert plain == set(PLAIN)
    assert all(len(reason) > 12 for reason in PLAIN.values())


def test_the_database_holds_no_word_of_it_and_the_row_reads_as_written() -> None:
    row = make_assessment(make_case(), notes="Fell off a horse", red_flag_note="")
    with connection.cursor() as cursor:
        cursor.execute("SELECT a::text, notes_sealed FROM patients_assessment AS a")
        text, sealed = cursor.fetchone()
    assert "horse" not in text
    assert bytes(sealed)[:16] == row.episode.patient_id.bytes
    stored = Assessment.objects.get()
    assert (stored.notes, stored.red_flag_note) == ("Fell off a horse", "")


def test_text_that_was_not_changed_stays_as_it_is_stored() -> None:
    make_assessment(make_case(), notes="Same")
    before = sealed_notes()
    row = Assessment.objects.get()
    row.notes = str(row.notes)
    row.full_clean()
    row.save()
    assert sealed_notes() == before
    row.notes = "Other"
    row.save()
    assert sealed_notes() != before


def sealed_notes() -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT notes_sealed FROM patients_assessment ORDER BY id")
        return [bytes(value) for (value,) in cursor.fetchall()]


@pytest.mark.parametrize("patients", [1, 3])
def test_a_list_of_many_patients_asks_for_its_keys_in_one_query(patients: int) -> None:
    clinic = make_clinic()
    for number in range(patients):
        make_assessment(make_case(clinic), notes=f"Note {number}")
    connection.memory.clear()
    with CaptureQueriesContext(connection) as queries:
        read = [row.notes for row in Assessment.objects.order_by("pk")]
    assert read == [f"Note {number}" for number in range(patients)]
    assert len(queries) == 2


def test_a_key_made_in_a_savepoint_that_was_undone_is_not_used_again() -> None:
    case = make_case()
    with transaction.atomic():
        make_assessment(case, notes="Undone")
        transaction.set_rollback(True)
    assert not DataKey.objects.exists()
    make_assessment(case, notes="Kept")
    connection.memory.clear()
    assert Assessment.objects.get().notes == "Kept"


def test_without_its_key_text_reads_as_erased_and_saving_the_row_keeps_what_is_stored() -> None:
    case = make_case()
    make_assessment(case, notes="Secret")
    before = sealed_notes()
    destroy(case.patient_id)
    row = Assessment.objects.get()
    assert row.notes == ERASED
    row.notes = ERASED
    row.full_clean()
    row.save()
    assert sealed_notes() == before


def test_a_key_of_another_patient_does_not_open_it() -> None:
    first, second = make_case(), make_case()
    make_assessment(first, notes="First")
    make_assessment(second, notes="Second")
    keys = {key.pk: key for key in DataKey.objects.all()}
    keys[first.patient_id].wrapped = keys[second.patient_id].wrapped
    keys[first.patient_id].save()
    connection.memory.clear()
    assert Assessment.objects.get(episode=first).notes == ERASED


def test_no_query_looks_for_text_and_no_update_writes_it_unencrypted() -> None:
    make_assessment(make_case(), notes="Secret")
    for lookup in ({"notes": "Secret"}, {"notes__contains": "Sec"}):
        with pytest.raises(FieldError):
            Assessment.objects.filter(**lookup).exists()
    with pytest.raises(FieldError, match="set it on the row"), transaction.atomic():
        Assessment.objects.update(notes="Plain")
    assert Assessment.objects.exclude(notes="").count() == 1


def test_a_check_on_encrypted_text_holds_in_the_form_and_in_the_database() -> None:
    case = make_case()
    hold = Hold(
        clinic=case.clinic,
        program=make_program(case),
        since=NOW,
        red_flags=["fever"],
        reason="Fever",
        cleared_at=NOW,
        cleared_by=case.clinician,
    )
    with pytest.raises(Exception, match="needs a finding"):
        hold.full_clean()
    with pytest.raises(Exception, match="hold_cleared_with_finding"), transaction.atomic():
        hold.save()
    hold.finding = "Well again"
    hold.full_clean()
    hold.save()


def test_rotation_wraps_the_keys_anew_and_rewrites_nothing_else(settings: Any) -> None:
    case = make_case()
    make_assessment(case, notes="Before the change")
    notes, wrapped = sealed_notes(), bytes(DataKey.objects.get().wrapped)
    old, new = settings.ENCRYPTION_KEYS[0], Fernet.generate_key().decode()

    settings.ENCRYPTION_KEYS = [new, old]
    with enforced():  # the command finds the clinics itself
        call_command("rotate_keys")
    settings.ENCRYPTION_KEYS = [new]
    connection.memory.clear()

    assert Assessment.objects.get().notes == "Before the change"
    assert sealed_notes() == notes
    assert bytes(DataKey.objects.get().wrapped) != wrapped
    settings.ENCRYPTION_KEYS = [old]
    connection.memory.clear()
    with pytest.raises(SecretLostError):
        assert Assessment.objects.get().notes


def test_rotation_without_the_old_key_says_so_and_changes_nothing(settings: Any) -> None:
    make_assessment(make_case(), notes="Note")
    before = bytes(DataKey.objects.get().wrapped)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="No key of ENCRYPTION_KEYS"):
        call_command("rotate_keys")
    assert bytes(DataKey.objects.get().wrapped) == before


def test_rows_written_before_are_sealed_in_batches_for_their_patient() -> None:
    """As the migration does it, on a table that still has its plain column."""
    first, second = make_program(make_case()), make_program(make_case())
    for program in (first, second):
        about = {"clinic": program.clinic, "program": program, "paused_by": program.assigned_by}
        Pause.objects.create(**about, kind="holiday", starts_on=TODAY)
    patient = (
        "(SELECT patient_id FROM patients_episode JOIN programs_program AS p ON p.episode_id = "
        "patients_episode.id WHERE p.id = row.program_id)"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE plain_pause AS SELECT *, 'Alps ' || id AS note FROM programs_pause"
        )
        seal_rows("plain_pause", "note", patient=patient).code(apps, None)
        cursor.execute("SELECT note, note_sealed FROM plain_pause ORDER BY id")
        rows = cursor.fetchall()
    assert [note for note, _ in rows] == ["", ""]
    assert all(unseal(bytes(sealed)).startswith("Alps ") for _, sealed in rows)
    owners = [bytes(sealed)[:16] for _, sealed in rows]
    assert owners == [program.episode.patient_id.bytes for program in (first, second)]


@pytest.fixture
def half_sealed() -> list[int]:
    """Three rows with two plain columns; the first one's ``note`` was written sealed meanwhile."""
    program = make_program(make_case())
    for day in range(3):
        Pause.objects.create(
            clinic=program.clinic,
            program=program,
            paused_by=program.assigned_by,
            kind="holiday",
            starts_on=TODAY + timedelta(days=10 * day),
            ends_on=TODAY + timedelta(days=10 * day + 1),
        )
    first, *others = Pause.objects.order_by("pk")
    first.note = "Written since"
    first.save()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE plain_pause AS "
            "SELECT *, 'Old' AS note, 'Beside' AS place, ''::bytea AS place_sealed FROM programs_pause"
        )
        cursor.execute("UPDATE plain_pause SET note = '' WHERE id = %s", [first.pk])
    return [first.pk, *(pause.pk for pause in others)]


def seal_half_sealed() -> list[tuple[Any, ...]]:
    """What the plain columns hold afterwards, and what the sealed ones."""
    patient = (
        "(SELECT patient_id FROM patients_episode JOIN programs_program AS p ON p.episode_id = "
        "patients_episode.id WHERE p.id = row.program_id)"
    )
    with connection.cursor() as cursor:
        seal_rows("plain_pause", "note", "place", patient=patient).code(apps, None)
        cursor.execute("SELECT note || place, note_sealed, place_sealed FROM plain_pause ORDER BY id")
        return [(left, *(unseal(bytes(text)) for text in texts)) for left, *texts in cursor.fetchall()]


def test_text_that_is_sealed_already_is_not_overwritten_by_an_empty_plain_column(
    half_sealed: list[int],
) -> None:
    assert seal_half_sealed() == [("", "Written since", "Beside"), *[("", "Old", "Beside")] * 2]


def test_of_two_texts_in_one_place_the_sealed_one_stays(half_sealed: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE plain_pause SET note = 'Before' WHERE id = %s", [half_sealed[0]])
    assert seal_half_sealed()[0] == ("", "Written since", "Beside")


def test_each_batch_goes_on_behind_the_one_before(half_sealed: list[int], monkeypatch: Any) -> None:
    monkeypatch.setattr(seal_migration, "BATCH", 1)
    with CaptureQueriesContext(connection) as queries:
        seal_half_sealed()
    asked = [query["sql"] for query in queries if "FOR UPDATE OF row" in query["sql"]]
    behind = [sql.partition("row.id > ")[2].split()[:1] for sql in asked]
    assert behind == [[], *([str(pk)] for pk in half_sealed), []]


def test_every_row_of_a_call_log_is_sealed_for_the_patient_of_its_case() -> None:
    case = make_case()
    ContactLog.objects.create(
        clinic=case.clinic, episode=case, kind="call", at=NOW, by=case.clinician, note="Rang twice"
    )
    assert ContactLog.objects.get().note == "Rang twice"
    assert list(DataKey.objects.values_list("pk", flat=True)) == [case.patient_id]


def test_no_table_of_ours_leads_to_a_patient_unnoticed() -> None:
    """A table that is neither exported nor erased says why."""
    known = {*tables(), *APART}
    for model in apps.get_models():
        if model._meta.app_label in ("clinic", "patients", "programs"):
            names = {field.name for field in model._meta.concrete_fields}
            parents = {field.related_model for field in model._meta.concrete_fields if field.related_model}
            ours = {parent for parent in parents if parent in tables()}
            assert model in known or not (ours or names & {"patient_key", "owner"}), model
