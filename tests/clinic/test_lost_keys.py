"""A key that ENCRYPTION_KEYS can't open any more: no erasure, no server error, and one patient's alone."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from clinic.checks import opened_keys
from clinic.data_keys import DataKey, prepare
from clinic.roles import Role
from clinic.row_security import NOBODY, acting_for
from clinic.secrets import SecretLostError
from patients.models import Assessment, Episode, Erasure
from programs.models import ContactLog
from programs.services.privacy import erase_patient
from tests.api import Device
from tests.enforced import enforced
from tests.factories import NOW, TODAY, make_assessment, make_case, make_program, make_user
from tests.staff import sign_in

pytestmark = pytest.mark.django_db


def lose_key(case: Episode) -> None:
    """The data key of this patient was wrapped by a master key that is not there any more."""
    lost = Fernet(Fernet.generate_key()).encrypt(Fernet.generate_key())
    DataKey.objects.filter(pk=case.patient_id).update(wrapped=lost)
    connection.memory.clear()


def test_a_key_that_can_not_be_opened_is_no_erasure_and_stands_in_nobody_elses_way() -> None:
    lost, well = make_case(), make_case()
    make_assessment(lost, notes="Of the one")
    make_assessment(well, notes="Of the other")
    lose_key(lost)

    rows = {row.episode_id: row for row in Assessment.objects.all()}
    assert rows[well.pk].notes == "Of the other"
    with pytest.raises(SecretLostError):
        str(rows[lost.pk].notes)
    assert make_assessment(well, notes="One more").notes == "One more"
    prepare({lost.patient_id: lost.clinic_id, well.patient_id: well.clinic_id})
    with pytest.raises(SecretLostError):
        make_assessment(lost, notes="Not under another key")


def test_what_can_not_be_opened_is_503_for_everybody_and_erases_and_exports_nothing(caplog: Any) -> None:
    case = make_program(make_case()).episode
    make_assessment(case, notes="Still there")
    about_call = {"clinic": case.clinic, "episode": case, "kind": "call", "at": NOW, "by": case.clinician}
    ContactLog.objects.create(**about_call, note="Rang twice")
    owner, device = make_user(clinic=case.clinic, role=Role.OWNER), Device(case.patient)
    lose_key(case)
    client = Client(raise_request_exception=False)
    sign_in(client, owner)

    page = client.get(reverse("admin:patients_patient_change", args=[case.patient_id]))
    export = device.get("me/export")

    for answer in (page, export):
        assert (answer.status_code, b"[erased]" in answer.content) == (503, False)
        assert "encrypted" in answer.content.decode()
    assert [record.getMessage() for record in caplog.records].count(
        "ENCRYPTION_KEYS lacks a key that is in use"
    ) == 2
    about = {"by": owner, "case_number": case.case_number, "reason": "Asked for", "now": NOW, "today": TODAY}
    with pytest.raises(SecretLostError), transaction.atomic():
        erase_patient(patient=case.patient, **about)
    assert Assessment.objects.filter(episode=case).exists()
    assert not Erasure.objects.exists()


def test_the_check_before_a_start_refuses_keys_that_do_not_open_what_is_stored(settings: Any) -> None:
    def found() -> list[str | None]:
        with enforced(), acting_for(NOBODY):
            return [error.id for error in opened_keys(databases=["default"])]

    right, wrong = settings.ENCRYPTION_KEYS, [Fernet.generate_key().decode()]
    settings.ENCRYPTION_KEYS = wrong
    assert found() == []  # nothing is stored yet
    settings.ENCRYPTION_KEYS = right
    first, last = make_case(), make_case()
    make_assessment(first, notes="Note")
    make_assessment(last, notes="Note")
    DataKey.objects.filter(pk=first.patient_id).update(created_at=NOW)
    assert found() == []
    settings.ENCRYPTION_KEYS = wrong
    assert found() == ["clinic.E007"]
    assert opened_keys(databases=None) == []
    settings.ENCRYPTION_KEYS = [*wrong, *right]
    assert found() == []
    lose_key(first)
    assert found() == ["clinic.E007"]
