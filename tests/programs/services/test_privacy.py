"""A patient's data are exported whole, and erased so that no restore brings them back."""

from __future__ import annotations

import csv
import io
import json
import threading
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.audit import chain, seen
from clinic.audit.models import AuditEntry
from clinic.data_keys import DataKey
from clinic.legal_terms import LONGEST, TERMS, term_of
from clinic.models import Clinic, OutboxMessage, RowAttempt, User
from clinic.outbox import MASK, PLACEHOLDER
from clinic.roles import Denied, Role
from clinic.row_security import NOBODY, Origin, Tenant, acting_for
from patients import consents
from patients.models import Consent, Episode, Erasure, Invitation, Patient, PrivacyEvent, RestrictedRecord
from patients.services import CaseError, open_episode
from programs.models import Answer, CheckInRequest, Digest, Program, ProgramDose
from programs.services import privacy, retention
from programs.services.patient_data import HIDDEN, NOT_EXPORTED, SWEPT, columns, tables
from programs.services.red_flags import MAILS_TO_STAFF, escalate_due, raise_red_flag
from tests.api import Device
from tests.connections import wait_for_a_lock
from tests.enforced import enforced
from tests.factories import (
    NOW,
    TODAY,
    make_case,
    make_clinic,
    make_patient,
    make_program,
    make_template,
    make_user,
)
from tests.programs.services.weekly import SEVEN, alert, bare_case, mail, send
from tests.whole_case import as_tenant, whole_case

pytestmark = pytest.mark.django_db

YEAR = timedelta(days=366)


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic(country="DE")


@pytest.fixture
def owner(clinic: Clinic) -> User:
    return make_user(role=Role.OWNER, clinic=clinic)


@pytest.fixture
def case(clinic: Clinic) -> Episode:
    """With a row in every table, and a note in the answer."""
    episode = whole_case(clinic)
    answer = Answer.objects.get(episode=episode)
    answer.note = "=HYPERLINK(1)"
    answer.save()
    return episode


def erase(case: Episode, by: User, **changes: Any) -> Erasure:
    asked = {"case_number": case.case_number, "reason": "Asked for by letter", **changes}
    return privacy.erase_patient(patient=case.patient, by=by, now=NOW, today=TODAY, **asked)


def everything(patient_key: Any) -> dict[str, int]:
    """How many rows each table has of the patient."""
    counts = {
        model._meta.db_table: model._base_manager.filter(**{model.scope.patient: patient_key}).count()
        for model in tables()
    }
    return {table: count for table, count in counts.items() if count}


class TestExport:
    def test_every_table_is_in_it_with_every_column_that_is_no_secret(
        self, case: Episode, owner: User
    ) -> None:
        export = privacy.export_patient(patient=case.patient, by=owner, reason="Asked for", now=NOW)

        found = json.loads(export.as_json())["tables"]
        assert set(found) == {model._meta.db_table for model in tables() if model not in NOT_EXPORTED}
        for model in tables():
            if model in NOT_EXPORTED:
                continue
            rows = found[model._meta.db_table]
            assert rows, model
            every = {field.name for field in model._meta.concrete_fields}
            in_words = {
                name for name in rows[0] if name.endswith(("_label", "exercise_name", "template_name"))
            }
            assert set(rows[0]) - in_words == every - set(HIDDEN)
        assert found["patients_patient"][0]["given_name"] == "Robin"
        assert found["programs_answer"][0]["note"] == "=HYPERLINK(1)"

    def test_what_no_copy_holds_is_named_with_its_reason_and_is_there(self) -> None:
        names = {field.name for model in tables() for field in model._meta.concrete_fields}
        assert set(HIDDEN) <= names
        assert all(len(reason) > 12 for reason in HIDDEN.values())

    def test_it_is_read_from_the_patient_to_the_mails_and_names_the_exercises(
        self, case: Episode, owner: User
    ) -> None:
        export = privacy.export_patient(patient=case.patient, by=owner, reason="Asked for", now=NOW)

        names = list(export.tables)
        assert names[0] == "patients_patient"
        assert names.index("patients_episode") < names.index("programs_answer")
        assert names.index("programs_answer") < names.index("clinic_outboxmessage")
        name = ProgramDose.objects.get(stage__program__episode=case).exercise.name
        for table in ("programs_programdose", "programs_sessionexercise"):
            [row] = export.tables[table]
            assert row["exercise_name"] == name
        with zipfile.ZipFile(io.BytesIO(export.as_zip())) as archive:
            assert archive.namelist()[:2] == ["README.txt", "patients_patient.csv"]
            [row] = csv.DictReader(
                io.StringIO(archive.read("programs_sessionexercise.csv").decode("utf-8-sig"))
            )
        assert row["exercise_name"] == name

    def test_codes_and_numbers_stand_beside_their_words(self, case: Episode, owner: User) -> None:
        Answer.objects.filter(episode=case).update(red_flags=["knee_locks"])
        template = make_template(clinic=case.clinic)
        Program.objects.filter(episode=case).update(template=template)
        export = privacy.export_patient(patient=case.patient, by=owner, reason="Asked for", now=NOW)
        [episode], [answer] = export.tables["patients_episode"], export.tables["programs_answer"]
        assert (episode["diagnosis"], episode["diagnosis_label"]) == ("pfp", "Patellofemoral pain")
        assert (episode["index_side_label"], episode["clinic"]) == ("Left", str(case.clinic))
        assert answer["red_flags_label"] == ["Knee locks"]
        [row] = export.tables["programs_program"]
        assert (row["template"], row["template_name"]) == (template.pk, template.name)

    def test_the_zip_says_what_its_files_are_and_excel_reads_them(
        self, clinic: Clinic, case: Episode, owner: User
    ) -> None:
        Patient.objects.filter(pk=case.patient_id).update(given_name="Zoë")
        for patient in (case.patient, make_patient(clinic)):
            export = privacy.export_patient(patient=patient, by=owner, reason="Asked for", now=NOW)
            with zipfile.ZipFile(io.BytesIO(export.as_zip())) as archive:
                first, *files = archive.namelist()
                words = archive.read(first).decode()
                person = archive.read("patients_patient.csv")
            assert person.startswith(b"\xef\xbb\xbf")
            assert (first, words.count(".csv\n    ")) == ("README.txt", len(files))
            assert all(file in words for file in files)
            filled = [name for name, rows in export.tables.items() if rows]
            assert files == [f"{name}.csv" for name in filled]
        assert files == ["patients_patient.csv"]
        assert json.loads(export.as_json())["tables"]["patients_episode"] == []

    def test_it_says_who_has_read_the_record(self, case: Episode, owner: User) -> None:
        with acting_for(Tenant((case.clinic_id,)), Origin(f"user:{case.clinician_id}")):
            seen.record({case.patient_id: case.clinic_id}, exported=False, place="x")
        export = privacy.export_patient(patient=case.patient, by=owner, reason="Asked for", now=NOW)
        [reading] = json.loads(export.as_json())["who_read_the_record"]
        assert reading.pop("at")
        assert reading == {"name": case.clinician.name, "role": "Physio", "how": "The record"}
        with zipfile.ZipFile(io.BytesIO(export.as_zip())) as archive:
            assert "who_read_the_record.csv" in archive.namelist()
            assert "who_read_the_record.csv" in archive.read("README.txt").decode()

    def test_of_a_mail_it_says_what_the_patient_read(self, case: Episode, owner: User) -> None:
        mail = OutboxMessage.objects.get(patient_key=case.patient_id)
        mail.text = f"Your code: {PLACEHOLDER}"
        mail.save()
        export = privacy.export_patient(patient=case.patient, by=owner, reason="Asked for", now=NOW)
        [row] = export.tables["clinic_outboxmessage"]
        assert row["text"] == f"Your code: {MASK}"
        assert not {"dedupe_key", "attempts", "next_attempt_at", "lease", "leased_until"} & set(row)

    def test_what_staff_were_mailed_is_not_the_patients(self, case: Episode, owner: User) -> None:
        ends = privacy.what_ends(case.patient)
        raise_red_flag(episode=case, codes=["knee_locks"], source="a call", evidence=[], now=NOW)
        export = privacy.export_patient(patient=case.patient, by=owner, reason="Asked for", now=NOW)
        assert [row["kind"] for row in export.tables["clinic_outboxmessage"]] == ["check_in"]
        assert case.clinician.email not in export.as_json()
        assert privacy.what_ends(case.patient) == ends

    def test_without_a_request_it_is_on_record_too(self, case: Episode, tmp_path: Path) -> None:
        asked = {"clinic": case.clinic.slug, "case": case.case_number, "reason": "Asked for by post"}
        with enforced(), acting_for(NOBODY, Origin("command:export_patient")):
            call_command("export_patient", **asked, to=tmp_path / "x.json")
        [entry] = AuditEntry.objects.filter(action="exported")
        assert (entry.patients, entry.clinic_id) == ([case.patient_id], case.clinic_id)
        assert (entry.who, entry.why) == ("command:export_patient", "Asked for by post")

    def test_as_csv_a_formula_stays_text(self, case: Episode, owner: User) -> None:
        export = privacy.export_patient(patient=case.patient, by=owner, reason="Asked for", now=NOW)

        with zipfile.ZipFile(io.BytesIO(export.as_zip())) as archive:
            assert len(archive.namelist()) == len(tables()) - len(NOT_EXPORTED) + 1
            [row] = csv.DictReader(io.StringIO(archive.read("programs_answer.csv").decode("utf-8-sig")))
        assert row["note"] == "'=HYPERLINK(1)"
        assert row["worst_left"] == "3.0"
        assert [name for name in row if not name.endswith("_label")] == [
            field.name for field in columns(Answer)
        ]

    def test_another_patients_rows_are_not_in_it(self, clinic: Clinic, case: Episode, owner: User) -> None:
        other = whole_case(clinic)
        text = privacy.export_patient(patient=case.patient, by=owner, reason="Asked for", now=NOW).as_json()
        assert str(other.patient_id) not in text
        assert other.patient.email not in text

    def test_it_costs_the_same_queries_for_one_row_and_for_three(self, case: Episode, owner: User) -> None:
        def cost() -> int:
            connection.memory.clear()
            with CaptureQueriesContext(connection) as queries:
                privacy.export_patient(patient=case.patient, by=owner, reason="Asked for", now=NOW)
            return len(queries)

        cost()  # the owner's memberships are read once
        once = cost()
        for _ in range(2):
            answer = Answer.objects.filter(episode=case).first()
            assert answer is not None
            answer.pk, answer.client_id = None, uuid4()
            answer.note = "Another"
            answer.save(force_insert=True)
        assert cost() == once

    @pytest.mark.parametrize("role", [Role.PHYSIO, Role.ASSISTANT])
    def test_only_the_owner_exports_and_says_why(self, case: Episode, owner: User, role: Role) -> None:
        member = make_user(role=role, clinic=case.clinic)
        with pytest.raises(Denied):
            privacy.export_patient(patient=case.patient, by=member, reason="Curious", now=NOW)
        with pytest.raises(CaseError, match="Say why"):
            privacy.export_patient(patient=case.patient, by=owner, reason=" ", now=NOW)
        assert not PrivacyEvent.objects.filter(patient_key=case.patient_id).exists()

    def test_the_command_writes_a_file_and_names_what_is_wrong(self, case: Episode, tmp_path: Path) -> None:
        asked = {"clinic": case.clinic.slug, "case": case.case_number, "reason": "Asked for"}
        call_command("export_patient", **asked, to=tmp_path / "x.json")
        assert json.loads((tmp_path / "x.json").read_text())["patient"] == str(case.patient_id)
        with pytest.raises(CommandError, match=r"--case: .* has no case"):
            call_command("export_patient", **{**asked, "case": "no"}, to=tmp_path / "y.json")
        with pytest.raises(CommandError, match=r"--to: expected a name that ends in \.json or \.zip"):
            call_command("export_patient", **asked, to=tmp_path / "y.txt")
        assert [file.name for file in tmp_path.iterdir()] == ["x.json"]


class TestErasure:
    def test_no_table_keeps_a_row_and_the_key_is_gone(self, case: Episode, owner: User) -> None:
        patient, login = case.patient, case.patient.user_id
        assert len(everything(patient.pk)) == len(tables())
        erase(case, owner)
        connection.check_constraints()

        assert everything(patient.pk) == {}
        assert not DataKey.objects.filter(pk=patient.pk).exists()
        assert not User.objects.filter(pk=login).exists()

    def test_the_trail_says_why(self, case: Episode, owner: User) -> None:
        before = AuditEntry.objects.latest("id").pk
        with acting_for(Tenant((case.clinic_id,)), Origin(f"user:{owner.pk}")):
            erase(case, owner)

        deleted = AuditEntry.objects.filter(pk__gt=before, action="deleted")
        assert deleted.filter(table_name="patients_patient").exists()
        assert {entry.why for entry in deleted} == {"Asked for by letter"}

    def test_what_the_law_keeps_is_put_away_without_contact_data(self, case: Episode, owner: User) -> None:
        patient, given = case.patient, ProgramDose.objects.get(stage__program__episode=case)
        exercise, program_name = given.exercise.name, given.stage.program.name
        template = make_template(clinic=case.clinic)
        Program.objects.filter(episode=case).update(template=template)
        erasure = erase(case, owner)

        record = erasure.record
        assert erasure.keep_until == date(TODAY.year + 10, TODAY.month, TODAY.day)
        content = privacy.open_record(record=record, by=owner, reason="A claim", now=NOW)
        tables_kept = json.loads(content)
        assert tables_kept["patients_episode"][0]["case_number"] == case.case_number
        assert tables_kept["programs_answer"][0]["note"] == "=HYPERLINK(1)"
        [dose], [program] = tables_kept["programs_programdose"], tables_kept["programs_program"]
        assert dose["exercise_name"] == exercise
        assert (program["name"], program["template_name"]) == (program_name, template.name)
        assert "clinic_outboxmessage" not in tables_kept
        for name in (patient.family_name, patient.email):
            assert name not in content
        with connection.cursor() as cursor:
            cursor.execute("SELECT content_sealed FROM patients_restrictedrecord WHERE id = %s", [record.pk])
            assert case.case_number.encode() not in bytes(cursor.fetchone()[0])

    def test_a_copy_of_the_old_rows_is_unreadable_afterwards(self, case: Episode, owner: User) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT note_sealed FROM programs_answer WHERE episode_id = %s", [case.pk])
            backup = bytes(cursor.fetchone()[0])
        erase(case, owner)
        other = Answer.objects.get(pk=Answer.objects.get(episode=whole_case(case.clinic)).pk)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE programs_answer SET note_sealed = %s WHERE id = %s", [backup, other.pk])
        assert Answer.objects.get(pk=other.pk).note == "[erased]"

    def test_others_keep_everything(self, clinic: Clinic, case: Episode, owner: User) -> None:
        other = whole_case(clinic)
        before = everything(other.patient_id)
        erase(case, owner)
        assert everything(other.patient_id) == before

    def test_a_login_that_another_clinic_uses_stays(self, case: Episode, owner: User) -> None:
        elsewhere = make_patient(make_clinic(), email=case.patient.email, user=case.patient.user)
        with as_tenant(Tenant((case.clinic_id,))):
            erase(case, owner)
        connection.check_constraints()
        assert User.objects.filter(pk=elsewhere.user_id).exists()

    @pytest.mark.parametrize("role", [Role.PHYSIO, Role.ASSISTANT])
    def test_only_the_owner_erases(self, case: Episode, role: Role) -> None:
        before = everything(case.patient_id)
        with pytest.raises(Denied):
            erase(case, make_user(role=role, clinic=case.clinic))
        assert everything(case.patient_id) == before

    @pytest.mark.parametrize("wrong", [{"case_number": "1"}, {"reason": " "}])
    def test_without_the_number_or_a_reason_nothing_changes(
        self, case: Episode, owner: User, wrong: dict[str, str]
    ) -> None:
        before = everything(case.patient_id)
        with pytest.raises(CaseError) as refused:
            erase(case, owner, **wrong)
        assert refused.value.field == next(iter(wrong))
        assert everything(case.patient_id) == before

    def test_a_second_time_changes_nothing(self, case: Episode, owner: User) -> None:
        first = erase(case, owner)
        assert erase(case, owner, case_number="whatever") == first
        assert RestrictedRecord.objects.filter(erasure=first).count() == 1

    def test_without_a_case_nothing_is_kept(self, clinic: Clinic, owner: User) -> None:
        patient = make_patient(clinic)
        erasure = privacy.erase_patient(
            patient=patient,
            by=owner,
            case_number=patient.full_name,
            reason="Never came",
            now=NOW,
            today=TODAY,
        )
        assert erasure.purged_at == NOW
        assert not RestrictedRecord.objects.filter(erasure=erasure).exists()

    def test_a_digest_that_told_of_the_case_says_nothing_any_more(self, case: Episode, owner: User) -> None:
        mail = OutboxMessage.objects.create(
            clinic=case.clinic,
            kind="digest",
            dedupe_key="d",
            to_email="p@example.org",
            text="Robin stalls",
            state="sent",
            sent_at=NOW,
        )
        Digest.objects.filter(clinic=case.clinic).update(message=mail, content={"new": [case.pk]})
        erase(case, owner)
        assert OutboxMessage.objects.get(pk=mail.pk).text == ""

    def test_no_job_keeps_the_number_of_a_row_in_trouble(self, case: Episode, owner: User) -> None:
        about = {"clinic": case.clinic, "attempts": 8, "began_at": NOW}
        RowAttempt.objects.all().delete()
        for sweep, model in SWEPT.items():
            row = model._base_manager.filter(**{model.scope.patient: case.patient_id}).get()  # type: ignore[attr-defined]
            RowAttempt.objects.create(**about, sweep=sweep, key=row.pk)
            RowAttempt.objects.create(**about, sweep=sweep, key=row.pk + 1000)
        with enforced(), acting_for(Tenant((case.clinic_id,), user=owner.pk)):
            erase(case, owner)
        assert all(attempt.key > 1000 for attempt in RowAttempt.objects.all())
        assert RowAttempt.objects.count() == len(SWEPT)

    def test_what_staff_were_mailed_about_the_patient_goes(self, case: Episode, owner: User) -> None:
        raise_red_flag(episode=case, codes=["knee_locks"], source="a call", evidence=[], now=NOW)
        escalate_due(now=NOW + timedelta(days=5))
        kinds = OutboxMessage.objects.filter(kind__in=MAILS_TO_STAFF)
        assert set(kinds.values_list("kind", "patient_key")) == {
            (kind, case.patient_id) for kind in MAILS_TO_STAFF
        }
        with enforced(), acting_for(Tenant((case.clinic_id,), user=owner.pk)):
            erase(case, owner)
        assert not kinds.exists()

    def test_who_confirms_is_told_what_ends(self, case: Episode) -> None:
        ends = " ".join(privacy.what_ends(case.patient))
        assert "is running" in ends
        assert "red flag" in ends
        assert "e-mails to the patient" in ends

    def test_what_was_noted_for_good_can_not_be_changed(self, case: Episode, owner: User) -> None:
        erase(case, owner)
        other = whole_case(case.clinic)
        for rows in (
            lambda: PrivacyEvent.objects.update(reason="None"),
            lambda: PrivacyEvent.objects.all()._raw_delete("default"),
            lambda: Consent.objects.update(version=9),
            lambda: Consent.objects.filter(patient=other.patient)._raw_delete("default"),
        ):
            with pytest.raises(Error, match="for good"), transaction.atomic():
                rows()


class TestLedger:
    def test_after_a_restore_the_ledger_erases_again_and_twice_is_once(
        self, clinic: Clinic, case: Episode, owner: User, tmp_path: Path
    ) -> None:
        file, key = tmp_path / "erasures.jsonl", case.patient_id
        with transaction.atomic():  # rolled back: the database is as it was before, the file is not
            erase(case, owner)
            retention.write_ledger(file)
            transaction.set_rollback(True)
        connection.memory.clear()
        assert everything(key)
        assert "Robin" not in file.read_text()

        with enforced():  # the command finds the clinics itself
            call_command("reapply_erasures", ledger=file)
        assert everything(key) == {}
        erasure = Erasure.objects.get(pk=key)
        assert (erasure.erased_at, erasure.keep_until.year) == (NOW, TODAY.year + 10)
        events = PrivacyEvent.objects.count()
        call_command("reapply_erasures", ledger=file)
        assert PrivacyEvent.objects.count() == events

    def test_what_was_purged_since_the_dump_is_purged_again(self, case: Episode, owner: User) -> None:
        erasure = erase(case, owner)
        entry = privacy.Entry(erasure.pk, case.clinic_id, NOW, erasure.keep_until, NOW + YEAR)
        assert privacy.reapply(entries=[entry], now=NOW) == {"erased": 0, "purged": 1, "unchanged": 0}
        assert not RestrictedRecord.objects.filter(erasure=erasure).exists()

    def test_the_file_keeps_what_a_restored_database_forgot(
        self, case: Episode, owner: User, tmp_path: Path
    ) -> None:
        file = tmp_path / "deep" / "erasures.jsonl"
        erasure = erase(case, owner)
        lines = retention.write_ledger(file)
        RestrictedRecord.objects.filter(erasure=erasure).delete()
        Erasure.objects.filter(pk=erasure.pk).delete()
        assert retention.write_ledger(file) == lines
        assert str(erasure.pk) in file.read_text()
        assert [path.name for path in file.parent.iterdir()] == [file.name]

    @pytest.mark.parametrize("broken", ["{", "[]", '{"patient_key": "x"}', '{"clinic": 1}'])
    def test_a_broken_ledger_is_refused_by_its_line_and_erases_nobody(
        self, case: Episode, tmp_path: Path, broken: str
    ) -> None:
        good = {"patient_key": str(case.patient_id), "clinic": case.clinic_id, "purged_at": None}
        good |= {"erased_at": NOW.isoformat(), "keep_until": "2036-01-01"}
        (tmp_path / "l").write_text(f"{json.dumps(good)}\n{broken}\n")
        with pytest.raises(CommandError, match=r"line 2.*Nothing was erased"):
            call_command("reapply_erasures", ledger=tmp_path / "l")
        assert everything(case.patient_id)


class TestTheCaseNumber:
    """Of someone erased: whoever looks for a number years later finds one person."""

    @pytest.fixture
    def erasure(self, clinic: Clinic, owner: User) -> Erasure:
        case = make_case(clinic, case_number="1060")
        with enforced(), acting_for(Tenant((clinic.pk,), user=owner.pk)):
            return erase(case, owner)

    def opened(self, clinic: Clinic, case_number: str = "") -> str:
        physio, patient = make_user(clinic=clinic), make_patient(clinic)
        with enforced(), acting_for(Tenant((clinic.pk,), user=physio.pk)):
            return open_episode(
                patient=patient,
                by=physio,
                clinician=physio,
                diagnosis="pfp",
                index_side="left",
                opened_on=TODAY,
                today=TODAY,
                case_number=case_number,
            ).case_number

    def test_is_not_given_to_the_next_patient_nor_when_the_record_is_destroyed(
        self, clinic: Clinic, erasure: Erasure
    ) -> None:
        with transaction.atomic():
            assert self.opened(clinic) == "1061"
            transaction.set_rollback(True)
        with enforced(), acting_for(Tenant((clinic.pk,))):
            privacy.purge_due(now=NOW, today=erasure.keep_until)
        assert self.opened(clinic) == "1061"
        assert self.opened(make_clinic()) == "1001"

    def test_is_refused_where_it_is_typed(self, clinic: Clinic, erasure: Erasure) -> None:
        with pytest.raises(ValidationError) as refused:
            self.opened(clinic, "1060")
        assert refused.value.message_dict == {
            "case_number": ["This number belongs to a record that was erased. Take another."]
        }
        assert not Episode.objects.filter(clinic=clinic).exists()
        assert self.opened(make_clinic(), "1060") == "1060"

    def test_stands_in_no_trail_when_it_is_destroyed(self, clinic: Clinic, erasure: Erasure) -> None:
        privacy.purge_due(now=NOW, today=erasure.keep_until)
        entry = AuditEntry.objects.filter(table_name="clinic_clinic").latest("id")
        assert entry.changes == {"case_number": None}


class TestLegalTerms:
    def test_the_record_is_destroyed_at_its_term_and_not_a_day_before(
        self, case: Episode, owner: User
    ) -> None:
        erasure = erase(case, owner)
        before = erasure.keep_until - timedelta(days=1)
        key = erasure.record.pk
        assert privacy.purge_due(now=NOW, today=before) == 1  # the fixture's own, which is due
        assert RestrictedRecord.objects.filter(erasure=erasure).exists()
        assert privacy.purge_due(now=NOW, today=erasure.keep_until) == 1
        assert not RestrictedRecord.objects.filter(erasure=erasure).exists()
        assert not DataKey.objects.filter(pk=key).exists()
        assert privacy.purge_due(now=NOW, today=erasure.keep_until) == 0

    def test_with_it_the_values_leave_the_trail_which_can_still_be_proved(
        self, case: Episode, owner: User
    ) -> None:
        def of_them() -> Any:
            return AuditEntry.objects.of_patient(case.patient).filter(changes__isnull=False)

        recorded = str(list(of_them().values_list("changes", flat=True)))
        assert "index_side" in recorded
        assert case.case_number not in recorded
        chain.seal()
        with enforced(), acting_for(Tenant((case.clinic_id,), user=owner.pk)):
            erasure = erase(case, owner)
        with pytest.raises(Error, match="when the record is purged"), transaction.atomic():
            privacy._ask("audit_forget", erasure.pk)
        of_nobody = AuditEntry.objects.filter(patients=[], changes__isnull=False)
        others = of_nobody.count()
        assert of_them().exists()
        with enforced(), acting_for(Tenant((case.clinic_id,))):
            privacy.purge_due(now=NOW, today=erasure.keep_until)
        chain.seal()

        assert not of_them().exists()
        assert of_nobody.count() == others + 1 > 1  # that the clinic's number went up
        assert AuditEntry.objects.of_patient(case.patient).filter(action="deleted").exists()
        assert (chain.verify().problems, chain.verify().unsealed) == ([], 0)

    def test_who_had_no_case_leaves_no_values_at_all(self, clinic: Clinic, owner: User) -> None:
        patient = make_patient(clinic)
        asked = {"case_number": patient.full_name, "reason": "Never came"}
        with enforced(), acting_for(Tenant((clinic.pk,), user=owner.pk)):
            privacy.erase_patient(patient=patient, by=owner, now=NOW, today=TODAY, **asked)
        entries = AuditEntry.objects.of_patient(patient)
        assert entries.filter(action="deleted").exists()
        assert not entries.filter(changes__isnull=False).exists()

    def test_one_record_that_can_not_be_purged_keeps_no_other(
        self, case: Episode, owner: User, monkeypatch: Any
    ) -> None:
        poison = Erasure.objects.get(clinic=case.clinic)
        other = erase(case, owner)
        purge = privacy._purge
        monkeypatch.setattr(
            privacy, "_purge", lambda row, now: 1 / 0 if row.pk == poison.pk else purge(row, now)
        )
        with pytest.raises(privacy.PurgeError, match="1 records"):
            privacy.purge_due(now=NOW, today=other.keep_until)
        assert [record.erasure for record in RestrictedRecord.objects.all()] == [poison]

    def test_minors_are_counted_from_their_majority(self) -> None:
        born = date(2012, 2, 29)
        assert TERMS["DE"].ends_on(date(2026, 1, 1), None) == date(2036, 1, 1)
        assert TERMS["DE"].ends_on(date(2026, 1, 1), born) == date(2040, 2, 29)
        assert TERMS["GB"].ends_on(date(2026, 1, 1), born) == date(2038, 3, 1)
        assert TERMS["DE"].ends_on(date(2030, 3, 2), born) == date(2040, 3, 2)

    def test_an_unknown_country_keeps_longest(self) -> None:
        assert term_of("") is LONGEST
        assert max(term.years for term in TERMS.values()) == LONGEST.years
        assert max(term.minors_until for term in TERMS.values()) == LONGEST.minors_until


class TestRetention:
    def test_an_e_mail_is_blanked_after_a_month_and_forgotten_after_a_year(self, clinic: Clinic) -> None:
        ages = {"fresh": 29, "old": 31, "ancient": 401, "waiting": 500}
        for name, days in ages.items():
            message = OutboxMessage.objects.create(
                clinic=clinic,
                kind="check_in",
                dedupe_key=name,
                to_email="a@example.org",
                text="Hello",
                state="pending" if name == "waiting" else "sent",
                sent_at=None if name == "waiting" else NOW,
            )
            OutboxMessage.objects.filter(pk=message.pk).update(created_at=NOW - timedelta(days=days))

        retention.forget_of_clinic(now=NOW, today=TODAY)

        left = {message.dedupe_key: message.text for message in OutboxMessage.objects.all()}
        assert left == {"fresh": "Hello", "old": "", "waiting": "Hello"}


def test_an_open_invitation_of_someone_erased_opens_nothing(case: Episode, owner: User) -> None:
    erase(case, owner)
    assert not Invitation.objects.filter(patient=case.patient_id).exists()
    assert not OutboxMessage.objects.filter(patient_key=case.patient_id).exists()
    assert make_case(case.clinic).pk


class TestADigestThatIsNotSentYet:
    """Of two cases, one of them erased."""

    @pytest.fixture
    def erased(self) -> Episode:
        clinic = make_clinic(timezone="Europe/Amsterdam")
        physio = make_user("anna@example.org", clinic=clinic)
        episode, other = bare_case(physio, clinic, "GOES").episode, bare_case(physio, clinic, "STAYS").episode
        for case in (episode, other):
            alert(case.programs.get())
        send()
        assert "GOES" in mail().text
        return episode

    def erase(self, case: Episode) -> None:
        owner = make_user(role=Role.OWNER, clinic=case.clinic)
        with enforced(), acting_for(Tenant((case.clinic_id,), user=owner.pk)):
            erase(case, owner)

    def test_is_taken_back_and_written_again_without_them(self, erased: Episode) -> None:
        self.erase(erased)
        assert not OutboxMessage.objects.filter(kind="digest").exists()
        assert send(SEVEN + timedelta(minutes=1))["written"] == 1
        assert "GOES" not in mail().text
        assert "STAYS" in mail().text
        assert send(SEVEN + timedelta(minutes=2))["written"] == 0

    def test_and_on_its_way_is_not_sent_another_time(self, erased: Episode) -> None:
        OutboxMessage.objects.update(state="sending", lease=uuid4(), leased_until=SEVEN)
        self.erase(erased)
        assert not OutboxMessage.objects.filter(kind="digest").exists()
        assert send(SEVEN + timedelta(minutes=1))["written"] == 0


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    @pytest.fixture
    def program(self) -> Program:
        return make_program(make_case())

    def erasing(self, program: Program) -> tuple[threading.Thread, list[Any]]:
        owner, case = make_user(role=Role.OWNER, clinic=program.clinic), program.episode
        ended: list[Any] = []

        def run() -> None:
            try:
                ended.append(erase(case, owner))
            except Exception as error:
                ended.append(error)
            finally:
                connection.close()

        return threading.Thread(target=run), ended

    def test_what_a_job_is_about_to_add_is_waited_for_and_erased(self, program: Program) -> None:
        thread, ended = self.erasing(program)
        with transaction.atomic():  # as the job does that asks
            Program.objects.select_for_update(no_key=True).get(pk=program.pk)
            CheckInRequest.objects.create(
                clinic=program.clinic, program=program, local_date=TODAY, due_at=NOW, missed_at=NOW + YEAR
            )
            thread.start()
            wait_for_a_lock(thread)
        thread.join(20)
        assert [type(end) for end in ended] == [Erasure]
        assert everything(program.episode.patient_id) == {}

    def test_the_second_of_two_owners_finds_it_done(self, program: Program) -> None:
        thread, ended = self.erasing(program)
        owner = make_user(role=Role.OWNER, clinic=program.clinic)
        with transaction.atomic():
            first = erase(program.episode, owner)
            thread.start()
            wait_for_a_lock(thread)
        thread.join(20)
        assert ended == [first]

    @pytest.mark.parametrize("path", ["me/answers", "me/consent"])
    def test_what_the_patient_sends_meanwhile_is_refused_and_not_kept(
        self, program: Program, path: str
    ) -> None:
        now = timezone.now()
        Episode.objects.update(opened_on=now.date() - timedelta(days=9))
        device, refused = Device(program.episode.patient), list[Any]()
        report = {"occurred_at": now.isoformat(), "worst_left": 3, "red_flags": ["knee_locks"]}
        address, body, status = {
            "me/answers": (f"me/answers/{uuid4()}", report, 404),
            "me/consent": ("me/consent", {"version": consents.current().version}, 503),
        }[path]

        def send() -> None:
            refused.append(device.put(address, body))
            connection.close()

        thread = threading.Thread(target=send)
        owner = make_user(role=Role.OWNER, clinic=program.clinic)
        with transaction.atomic():
            erase(program.episode, owner)
            thread.start()
            wait_for_a_lock(thread)
        thread.join(20)
        assert [answer.status_code for answer in refused] == [status]
        assert ("advice" in refused[0].json()) == (path == "me/answers")
        assert everything(program.episode.patient_id) == {}
        assert device.put(address, body).status_code == 401
