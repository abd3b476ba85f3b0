"""How long records are kept, and what is deleted when their time is over."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import Error, transaction

from clinic.audit import chain
from clinic.audit.models import AuditEntry
from clinic.data_keys import DataKey
from clinic.legal_terms import LONGEST, TERMS, term_of
from clinic.models import Clinic, OutboxMessage, User
from clinic.row_security import Tenant, acting_for
from patients.models import Episode, Erasure, RestrictedRecord
from programs.services import privacy, retention
from tests.enforced import enforced
from tests.factories import (
    NOW,
    TODAY,
    make_patient,
)
from tests.programs.services.privacy.acts import erase

pytestmark = pytest.mark.django_db


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
