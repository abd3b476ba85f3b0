"""A patient is taken on, with the first case, and invited."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from clinic.models import OutboxMessage
from patients.models import (
    Episode,
    Invitation,
    Patient,
)
from tests.factories import (
    make_case,
    make_patient,
)
from tests.programs.admin.acting import act, case_of
from tests.programs.admin.test_patients import page_of

pytestmark = pytest.mark.django_db


def test_an_invitation_goes_to_the_outbox_without_showing_its_link(staff: Any) -> None:
    case = case_of(staff)

    act(staff.client(staff.assistant), "invite", case)

    assert Invitation.objects.get().patient == case.episode.patient
    assert OutboxMessage.objects.get(kind="invitation").to_email == case.episode.patient.email


def test_without_an_address_an_invitation_is_refused_in_words(staff: Any) -> None:
    case = case_of(staff)
    Patient.objects.update(email="")

    answer = act(staff.client(staff.physio), "invite", case)

    assert "needs an e-mail address" in answer.content.decode()
    assert not Invitation.objects.exists()


NEW_PATIENT = {
    "given_name": "Nina",
    "family_name": "New",
    "email": "nina@example.org",
    "timezone": "Europe/Amsterdam",
    "diagnosis": "pfp",
    "index_side": "left",
    "running_track": "stopped",
    "opened_on": "2026-03-02",
}


def test_an_assistant_adds_the_contact_data_and_opens_no_case(staff: Any) -> None:
    client = staff.client(staff.assistant)
    page = client.get(reverse("admin:patients_patient_add"))
    data = NEW_PATIENT | {"clinician": staff.physio.pk}

    answer = client.post(reverse("admin:patients_patient_add"), data)

    patient = Patient.objects.get(given_name="Nina")
    assert "diagnosis" not in page.context["form"].fields
    assert answer.url == page_of(patient)
    assert not Episode.objects.exists()
    html = client.get(answer.url).content.decode()
    assert "Contact data" in html
    assert "Open a new case" not in html
    assert "Open a new case" in staff.client(staff.physio).get(answer.url).content.decode()


def test_a_patient_and_a_case_are_taken_on_in_one_form(staff: Any) -> None:
    data = NEW_PATIENT | {"clinician": staff.physio.pk}

    answer = staff.client(staff.physio).post(reverse("admin:patients_patient_add"), data)

    case = Episode.objects.get(patient__given_name="Nina")
    assert answer.url == f"{page_of(case.patient)}?case={case.pk}"
    assert (case.clinic, case.clinician, case.running_track) == (staff.clinic, staff.physio, "stopped")
    assert case.case_number == "1001"


def test_neither_knee_nor_diagnosis_nor_running_is_chosen_beforehand(staff: Any) -> None:
    form = staff.client(staff.physio).get(reverse("admin:patients_patient_add")).context["form"]

    for name in ("index_side", "diagnosis", "running_track"):
        assert form[name].value() is None
        assert form.fields[name].choices[0] == ("", "Choose")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"email": "taken@example.org"}, "Another patient of this clinic has this e-mail."),
        ({"case_number": "4711"}, "This case number is taken."),
        ({"opened_on": "soon"}, "Enter a valid date."),
        ({"timezone": "Mars/Olympus"}, "is not one of the available choices"),
        ({"given_name": ""}, "This field is required."),
        ({"index_side": ""}, "This field is required."),
        ({"diagnosis": ""}, "This field is required."),
        ({"running_track": ""}, "This field is required."),
    ],
)
def test_a_mistake_is_named_and_nothing_is_half_written(
    staff: Any, change: dict[str, str], message: str
) -> None:
    taken = make_patient(staff.clinic, email="taken@example.org")
    make_case(staff.clinic, patient=taken, clinician=staff.physio, case_number="4711")
    data = NEW_PATIENT | {"clinician": staff.physio.pk} | change

    answer = staff.client(staff.physio).post(reverse("admin:patients_patient_add"), data)

    assert answer.status_code == 200
    assert message in answer.content.decode()
    assert Patient.objects.count() == 1
