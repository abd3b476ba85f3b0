"""What is done to a patient: taken on with the first case, invited, given another case."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.urls import reverse

from clinic.admin.actions import Act
from clinic.admin.forms import zone_field
from clinic.models import Clinic, Membership, User
from clinic.roles import Capability
from patients.models import Patient
from patients.services import open_episode, register_patient
from patients.vocabulary import Diagnosis, OnsetKind, RunningTrack, Sex, Side
from programs.admin.caseload import page_url
from programs.services.invitations import invite

# Nothing is preset: a knee or a diagnosis nobody chose would be on record unseen.
_CHOOSE = ("", "Choose")


class _CaseFields(forms.Form):
    """What a new case needs."""

    clinician = forms.ModelChoiceField(User.objects.none())
    diagnosis = forms.ChoiceField(choices=[_CHOOSE, *Diagnosis.choices()])
    index_side = forms.ChoiceField(
        label="Index knee", choices=[_CHOOSE, *Side.choices()], help_text="The worse one."
    )
    both_knees = forms.BooleanField(label="Both knees hurt", required=False)
    running_track = forms.ChoiceField(label="Running", choices=[_CHOOSE, *RunningTrack.choices()])
    onset_on = forms.DateField(label="Pain began on", required=False)
    onset_kind = forms.ChoiceField(
        label="It began", choices=[("", "Not known"), *OnsetKind.choices()], required=False
    )
    opened_on = forms.DateField(label="Case opened on")
    case_number = forms.CharField(
        max_length=40, required=False, help_text="Empty: the next free number of the clinic."
    )

    CASE_FIELDS = (
        "clinician",
        "diagnosis",
        "index_side",
        "both_knees",
        "running_track",
        "onset_on",
        "onset_kind",
        "opened_on",
        "case_number",
    )

    def offer_clinicians(self, clinic: Clinic, by: User, today: date) -> None:
        members = Membership.objects.clinicians().arrived().filter(clinic=clinic)
        choices = User.objects.filter(memberships__in=members)
        self.fields["clinician"].queryset = choices  # type: ignore[attr-defined]
        self.initial.setdefault("opened_on", today.isoformat())
        if choices.filter(pk=by.pk).exists():
            self.initial.setdefault("clinician", by.pk)

    def case_values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.CASE_FIELDS}


class TakeOn(Act, _CaseFields):
    """A patient and, by those who treat, the first case; others write down the contact data alone."""

    model = Clinic
    needs = Capability.WRITE_CONTACT
    title = "Add a patient"
    submit = "Add the patient"

    given_name = forms.CharField(max_length=100)
    family_name = forms.CharField(max_length=100, required=False)
    email = forms.EmailField(
        label="E-mail", max_length=254, required=False, help_text="For the invitation and the check-ins."
    )
    phone = forms.CharField(max_length=40, required=False)
    birth_date = forms.DateField(required=False, help_text="Under 18 the hip is examined first.")
    sex = forms.ChoiceField(choices=[("", "Not known"), *Sex.choices()], required=False)
    timezone = zone_field(label="Time zone", help_text="When check-ins are asked for.")
    guardian_name = forms.CharField(
        label="Guardian", max_length=200, required=False, help_text="Under 18: who consented."
    )
    guardian_consented_on = forms.DateField(label="Guardian consented on", required=False)

    PATIENT_FIELDS = (
        "given_name",
        "family_name",
        "email",
        "phone",
        "birth_date",
        "sex",
        "timezone",
        "guardian_name",
        "guardian_consented_on",
    )
    field_order = (*PATIENT_FIELDS, *_CaseFields.CASE_FIELDS)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.target.timezone)

    def prepare(self) -> None:
        self.initial.setdefault("timezone", self.target.timezone)
        self.opens_case = self.by.may(Capability.WRITE_CLINICAL, self.target.pk)
        if self.opens_case:
            self.offer_clinicians(self.target, self.by, self.today)
            return
        for name in self.CASE_FIELDS:
            del self.fields[name]

    def perform(self) -> str:
        contact = {name: self.cleaned_data[name] for name in self.PATIENT_FIELDS}
        patient = register_patient(clinic=self.target, by=self.by, today=self.today, **contact)
        if not self.opens_case:
            self.done_url = reverse("admin:patients_patient_change", args=[patient.pk])
            return f"{patient} is on the list. A physio opens the case."
        episode = open_episode(patient=patient, by=self.by, today=self.today, **self.case_values())
        self.done_url = page_url(episode)
        return f"{patient} is on the list, case {episode.case_number}."

    def next_url(self) -> str:
        return getattr(self, "done_url", reverse("admin:patients_patient_changelist"))


class NewCase(Act, _CaseFields):
    """Another problem, or the same one come back: re-opening is a new case."""

    model = Patient
    needs = Capability.WRITE_CLINICAL
    title = "Open a new case"
    submit = "Open the case"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.target.timezone)

    def prepare(self) -> None:
        self.offer_clinicians(self.target.clinic, self.by, self.today)

    def perform(self) -> str:
        episode = open_episode(patient=self.target, by=self.by, today=self.today, **self.case_values())
        return f"Case {episode.case_number} is open."

    def next_url(self) -> str:
        return reverse("admin:patients_patient_change", args=[self.target.pk])


class Invite(Act):
    model = Patient
    needs = Capability.WRITE_CONTACT
    title = "Invite the patient"
    submit = "Send the invitation"
    template = "admin/programs/invite.html"
    intro = "An e-mail with a personal link, good for 14 days. An earlier link stops working."

    def about(self) -> str:
        return f"{self.target}, {self.target.email or 'no e-mail address'}"

    def perform(self) -> str:
        invite(patient=self.target, by=self.by, now=self.now)
        return f"The invitation to {self.target.email} is on its way."

    def next_url(self) -> str:
        return reverse("admin:patients_patient_change", args=[self.target.pk])
