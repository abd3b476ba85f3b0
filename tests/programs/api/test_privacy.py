"""Over the API: the consent text and who agreed to it, and everything stored, to take along."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from patients import consents
from patients.models import Consent, Invitation, PrivacyEvent
from patients.services import issue_invitation
from tests.api import Device, fields_of, problem_of
from tests.factories import make_case, make_clinic, make_user
from tests.staff import sign_in
from tests.whole_case import whole_case

pytestmark = pytest.mark.django_db

PUBLISHED = {
    1: "8881cdeaaa3d8fc517c12e8e9ba8997bbba5bf7477aeefdfe1d1905f5a5f723c",
    2: "f94bfaaf55b4bc418f59805bccb0ea345139b50e63a1f18955313a39507a08bd",
}
"""SHA-256 of each version that patients were shown."""


@pytest.fixture
def device() -> Device:
    cache.clear()
    return Device(make_case().patient)


class TestConsent:
    def test_the_text_is_shown_before_anybody_logs_in(self) -> None:
        answer = Device().get("auth/consent")
        assert answer.status_code == 200
        assert answer.json() == {"version": 2, "text": consents.current().text}

    def test_the_text_names_everybody_who_may_read_the_record(self) -> None:
        text = " ".join(consents.current().text.split())
        assert "the staff of your clinic" in text
        assert "Whoever runs this service for your clinic may open its records" in text

    def test_a_text_that_was_shown_is_never_changed(self) -> None:
        assert {text.version: text.hash for text in consents.versions()} == PUBLISHED

    def test_it_is_asked_for_until_it_is_agreed_to_and_the_first_time_stands(self, device: Device) -> None:
        assert device.get("me/consent").json()["needed"] is True
        first = device.put("me/consent", {"version": 2})
        again = device.put("me/consent", {"version": 2})

        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json() == again.json() == device.get("me/consent").json()
        assert first.json()["needed"] is False
        consent = Consent.objects.get()
        assert (consent.version, consent.text_hash) == (2, consents.current().hash)

    def test_a_new_version_is_asked_for_again(self, device: Device, monkeypatch: Any) -> None:
        with monkeypatch.context() as earlier:
            first, *_ = consents.versions()
            earlier.setattr(consents, "versions", lambda: (first,))
            assert device.put("me/consent", {"version": 1}).json()["needed"] is False

        assert device.get("me/consent").json()["needed"] is True
        stale = device.put("me/consent", {"version": 1})
        assert stale.status_code == 409
        assert fields_of(stale) == ["version"]
        assert device.put("me/consent", {"version": 2}).json()["needed"] is False
        assert list(Consent.objects.values_list("version", flat=True)) == [2, 1]

    @pytest.mark.parametrize("body", [{}, {"version": "x"}, {"version": 0}, {"version": 2, "more": 1}])
    def test_a_wrong_body_is_refused_by_its_field(self, device: Device, body: dict[str, Any]) -> None:
        refused = device.put("me/consent", body)
        assert refused.status_code == 400
        problem_of(refused)
        assert not Consent.objects.exists()

    def test_under_18_the_clinic_notes_a_guardian_first(self) -> None:
        today = timezone.localdate()
        patient = make_case().patient
        patient.birth_date = date(today.year - 15, 1, 1)
        patient.save()
        device = Device(patient)

        refused = device.put("me/consent", {"version": 2})
        assert refused.status_code == 400
        assert fields_of(refused) == ["guardian"]
        assert not Consent.objects.exists()

        patient.guardian_name, patient.guardian_consented_on = "Kim", today
        patient.save()
        assert device.put("me/consent", {"version": 2}).status_code == 200
        assert Consent.objects.get().guardian_consented_on == today

    @pytest.mark.parametrize(("version", "status", "accepted"), [(2, 201, 1), (1, 409, 0)])
    def test_an_invitation_is_accepted_with_the_text_or_stays_open(
        self, version: int, status: int, accepted: int
    ) -> None:
        cache.clear()
        case = make_case()
        _, token = issue_invitation(patient=case.patient, by=case.clinician, now=timezone.now())
        body = {"token": token, "device_name": "Phone", "consent_version": version}

        assert Device().post("auth/invitation", body).status_code == status
        assert Consent.objects.count() == accepted
        assert Invitation.objects.exclude(accepted_at=None).count() == accepted


class TestExport:
    def test_the_patient_takes_along_their_own_data_and_no_others(self) -> None:
        cache.clear()
        clinic = make_clinic()
        own, other = whole_case(clinic), whole_case(clinic)
        device = Device(own.patient)

        answer = device.get("me/export")

        assert answer.status_code == 200
        assert answer["Content-Disposition"] == 'attachment; filename="my-data.json"'
        assert answer["Cache-Control"] == "no-store"
        content = json.loads(answer.content)
        assert content["patient"] == str(own.patient_id)
        empty = [name for name, rows in content["tables"].items() if not rows]
        assert empty == ["patients_assessmentdraft"]  # what is not said yet is for its author alone
        assert other.patient.email not in answer.content.decode()
        event = PrivacyEvent.objects.get(patient_key=own.patient_id)
        assert (event.what, event.by) == ("exported", None)

    def test_as_csv_it_is_a_zip(self, device: Device) -> None:
        answer = device.get("me/export?content=csv")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.namelist()[:2] == ["README.txt", "patients_patient.csv"]

    def test_another_content_is_refused(self, device: Device) -> None:
        assert fields_of(device.get("me/export?content=xml")) == ["content"]
        assert not PrivacyEvent.objects.exists()

    def test_nobody_exports_without_a_token(self) -> None:
        assert Device().get("me/export").status_code == 401
        assert not PrivacyEvent.objects.exists()

    def test_ten_an_hour_are_enough(self, device: Device) -> None:
        codes = [device.get("me/export").status_code for _ in range(11)]
        assert codes == [200] * 10 + [429]
        assert device.get("me/export")["Retry-After"]


def test_who_is_erased_is_logged_out_everywhere(device: Device) -> None:
    case = make_case()
    owner = make_user(role="owner", clinic=case.clinic)
    phone = Device(case.patient)
    from_admin = Client()
    sign_in(from_admin, owner)
    url = f"/admin/patients/patient/do/erase/{case.patient_id}/"

    page = from_admin.get(url).content.decode()
    assert f"Type {case.case_number} to confirm" in page
    refused = from_admin.post(url, {"case_number": "no", "reason": "Asked for"})
    assert refused.status_code == 200
    assert phone.get("me").status_code == 200

    assert from_admin.post(url, {"case_number": case.case_number, "reason": "Asked for"}).status_code == 302
    assert phone.get("me").status_code == 401
    assert from_admin.get(f"/admin/patients/patient/{case.patient_id}/change/").status_code in (302, 404)
    kept = from_admin.get("/admin/patients/restrictedrecord/").content.decode()
    assert case.case_number in kept
