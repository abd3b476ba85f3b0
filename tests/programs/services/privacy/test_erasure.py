"""An erased patient is gone everywhere, and what they send meanwhile is answered."""

from __future__ import annotations

import json
import threading
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from clinic.audit.models import AuditEntry
from clinic.data_keys import DataKey
from clinic.models import Clinic, OutboxMessage, RowAttempt, User
from clinic.roles import Denied, Role
from clinic.row_security import Origin, Tenant, acting_for
from patients import consents
from patients.models import Consent, Episode, Erasure, Invitation, PrivacyEvent, RestrictedRecord
from patients.services import CaseError
from programs.models import Answer, CheckInRequest, Digest, Program, ProgramDose
from programs.services import privacy
from programs.services.patient_data import SWEPT, tables
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
from tests.programs.services.privacy.acts import YEAR, erase, everything
from tests.programs.services.weekly import SEVEN, alert, bare_case, mail, send
from tests.whole_case import as_tenant, whole_case

pytestmark = pytest.mark.django_db


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
