"""Contact and case data: what a saved form changes, what follows from it, and what it leaves alone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from patients.models import Episode, Invitation, Patient
from programs.admin.episodes import EpisodeAdmin
from programs.admin.patients import PatientAdmin
from programs.services.cases import change_contact
from programs.services.invitations import invite
from tests.factories import NOW, TODAY, make_case, make_patient, make_program, make_user

pytestmark = pytest.mark.django_db


def test_a_corrected_address_is_no_longer_marked_as_bounced(staff: Any) -> None:
    patient = make_patient(staff.clinic, email_bounced_at=NOW)
    data = {"given_name": "Robin", "family_name": "Runner", "email": "right@example.org", "timezone": "UTC"}

    staff.client(staff.assistant).post(reverse("admin:patients_patient_contact", args=[patient.pk]), data)

    patient.refresh_from_db()
    assert (patient.email, patient.email_bounced_at) == ("right@example.org", None)


@pytest.mark.parametrize("birth_date", ["2100-01-01", "1899-12-31"])
def test_an_impossible_birth_date_is_refused_beside_its_field(staff: Any, birth_date: str) -> None:
    patient = make_patient(staff.clinic)
    data = {"given_name": "Robin", "timezone": "UTC", "birth_date": birth_date}
    client = staff.client(staff.assistant)

    page = client.post(reverse("admin:patients_patient_contact", args=[patient.pk]), data)
    assert "1 Jan 1900" in page.context["adminform"].form.errors["birth_date"][0]
    page = client.post(reverse("admin:patients_patient_add"), data)
    assert "1 Jan 1900" in page.context["form"].errors["birth_date"][0]

    assert Patient.objects.get().birth_date is None


def test_the_service_refuses_an_impossible_birth_date_too(staff: Any) -> None:
    patient = make_patient(staff.clinic)
    patient.birth_date = NOW.date() + timedelta(days=1)
    with pytest.raises(ValidationError):
        change_contact(patient=patient, changed=["birth_date"], by=staff.assistant, now=NOW)
    assert Patient.objects.get().birth_date is None


@pytest.mark.parametrize("changed", ["guardian_consented_on", "birth_date"])
def test_nobody_consented_before_the_patient_was_born(staff: Any, changed: str) -> None:
    born, before = date(2011, 3, 1), date(2011, 2, 28)
    patient = make_patient(staff.clinic, birth_date=born, guardian_name="Robin", guardian_consented_on=born)
    data = {"given_name": "Robin", "timezone": patient.timezone, "guardian_name": "Robin"}
    dates = {"birth_date": born, "guardian_consented_on": born}
    dates[changed] = before if changed == "guardian_consented_on" else born + timedelta(days=1)
    url = reverse("admin:patients_patient_contact", args=[patient.pk])
    answer = staff.client(staff.assistant).post(url, data | dates)
    assert "Choose a day from their birth" in answer.content.decode()
    stored = Patient.objects.get()
    assert (stored.birth_date, stored.guardian_consented_on) == (born, born)


def test_another_address_ends_the_invitation_to_the_old_one(staff: Any) -> None:
    patient = make_patient(staff.clinic)
    invite(patient=patient, by=staff.physio, now=timezone.now())
    data = {"given_name": "Robin", "email": "right@example.org", "timezone": patient.timezone}

    client, page = staff.client(staff.assistant), reverse("admin:patients_patient_change", args=[patient.pk])
    assert "not opened yet" in client.get(page).content.decode()
    client.post(reverse("admin:patients_patient_contact", args=[patient.pk]), data)

    assert Invitation.objects.get().revoked_at is not None
    shown = client.get(page).content.decode()
    assert "at an earlier address" in shown
    assert "not opened yet" not in shown


def test_a_form_undoes_nothing_that_it_does_not_show(staff: Any, rf: Any) -> None:
    """The row was read, then the case was closed elsewhere, then the form is saved."""
    case = make_case(staff.clinic, clinician=staff.physio)
    request = rf.post("/")
    request.user = staff.physio
    page = EpisodeAdmin(Episode, admin.site)
    data = {"diagnosis": "itb_syndrome", "index_side": "left", "running_track": "stopped"}
    form = page.get_form(request, case, change=True)(data, instance=Episode.objects.get())
    assert form.is_valid(), form.errors
    Episode.objects.update(closed_on=TODAY, outcome="improved")

    page.save_model(request, form.instance, form, True)

    case.refresh_from_db()
    assert (case.diagnosis, case.closed_on, case.outcome) == ("itb_syndrome", TODAY, "improved")


def test_the_track_is_chosen_with_the_case_until_a_program_is_under_way(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio, running_track="stopped")
    client, page = staff.client(staff.physio), reverse("admin:patients_episode_change", args=[case.pk])
    data = {"diagnosis": "pfp", "index_side": "left", "running_track": "still_running"}
    assert client.post(page, data).status_code == 302
    case.refresh_from_db()
    assert case.running_track == "still_running"
    program = make_program(case, next_review_on=timezone.localdate() + timedelta(days=3))

    shown = client.get(page).content.decode()
    assert 'name="running_track"' not in shown
    assert reverse("admin:do", args=["running", program.pk]) in shown
    assert client.post(page, {**data, "running_track": "stopped", "both_knees": "on"}).status_code == 302

    case.refresh_from_db()
    program.refresh_from_db()
    assert (case.running_track, case.both_knees) == ("still_running", True)
    assert program.next_review_on <= timezone.localdate()


def test_saved_contact_data_undoes_no_account_opened_meanwhile(staff: Any, rf: Any) -> None:
    patient = make_patient(staff.clinic)
    request = rf.post("/")
    request.user = staff.assistant
    page = PatientAdmin(Patient, admin.site)
    data = {"given_name": "Robina", "email": patient.email, "timezone": patient.timezone}
    form = page.get_form(request, patient, change=True)(data, instance=Patient.objects.get())
    assert form.is_valid(), form.errors
    login = make_user(role=None)
    Patient.objects.update(user=login)

    page.save_model(request, form.instance, form, True)

    patient.refresh_from_db()
    assert (patient.given_name, patient.user) == ("Robina", login)


def test_another_time_zone_moves_the_next_check_in(staff: Any) -> None:
    program = make_program(make_case(staff.clinic, clinician=staff.physio))
    patient = program.episode.patient
    data = {"given_name": "Robin", "email": patient.email, "timezone": "Pacific/Auckland"}

    staff.client(staff.assistant).post(reverse("admin:patients_patient_contact", args=[patient.pk]), data)

    program.refresh_from_db()
    assert program.next_check_in_at is not None
    assert f"{program.next_check_in_at.astimezone(ZoneInfo('Pacific/Auckland')):%H:%M}" == "18:00"
