"""A patient's data are exported whole."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.audit import seen
from clinic.audit.models import AuditEntry
from clinic.models import Clinic, OutboxMessage, User
from clinic.outbox import MASK, PLACEHOLDER
from clinic.roles import Denied, Role
from clinic.row_security import NOBODY, Origin, Tenant, acting_for
from patients.models import Episode, Patient, PrivacyEvent
from patients.services import CaseError
from programs.models import Answer, Program, ProgramDose
from programs.services import privacy
from programs.services.patient_data import HIDDEN, NOT_EXPORTED, columns, tables
from programs.services.red_flags import raise_red_flag
from tests.enforced import enforced
from tests.factories import (
    NOW,
    make_patient,
    make_template,
    make_user,
)
from tests.whole_case import whole_case

pytestmark = pytest.mark.django_db


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
