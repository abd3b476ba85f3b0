"""No restore brings an erased patient back, and nobody gets their case number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from clinic.audit.models import AuditEntry
from clinic.models import Clinic, User
from clinic.row_security import Tenant, acting_for
from patients.models import Episode, Erasure, PrivacyEvent, RestrictedRecord
from patients.services import open_episode
from programs.services import privacy, retention
from tests.enforced import enforced
from tests.factories import (
    NOW,
    TODAY,
    make_case,
    make_clinic,
    make_patient,
    make_user,
)
from tests.programs.services.privacy.acts import YEAR, erase, everything

pytestmark = pytest.mark.django_db


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
