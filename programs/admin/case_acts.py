"""What is done to a case from the patient page."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.urls import reverse

from clinic.admin.actions import Act
from clinic.admin.forms import text_area
from clinic.admin.policy import ThresholdFields
from clinic.models import Membership, User
from clinic.roles import Capability
from clinic.thresholds import FIELDS
from patients.models import Episode
from programs.admin.caseload import page_url
from programs.models import Alert, ContactLog, Template
from programs.services import cases, watches


class CaseAct(Act):
    """An action on a case; today is the patient's."""

    model = Episode
    needs = Capability.WRITE_CLINICAL

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        return super().rows(user).select_related("patient", "clinic__policy", "clinician")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.target.patient.timezone)

    def about(self) -> str:
        return f"{self.target.patient}, case {self.target.case_number}"

    def next_url(self) -> str:
        return page_url(self.target)


class Reassign(CaseAct):
    title = "Hand the case to a colleague"
    submit = "Hand over"
    intro = "Open alerts and the digest go with it."

    clinician = forms.ModelChoiceField(User.objects.none())

    def prepare(self) -> None:
        members = Membership.objects.clinicians().arrived().filter(clinic=self.target.clinic_id)
        others = User.objects.filter(memberships__in=members).exclude(pk=self.target.clinician_id)
        self.fields["clinician"].queryset = others  # type: ignore[attr-defined]

    def perform(self) -> str:
        episode = cases.reassign(episode=self.target, by=self.by, now=self.now, **self.cleaned_data)
        return f"{episode.clinician} treats this case now."

    def next_url(self) -> str:
        if self.by.pk != self.target.clinician_id and not self.by.may(
            Capability.MANAGE_CLINIC, self.target.clinic_id
        ):
            return reverse("admin:patients_patient_changelist")
        return super().next_url()


class Discharge(CaseAct):
    title = "Discharge"
    submit = "Discharge"
    danger = True
    template = "admin/programs/discharge.html"

    outcome = forms.ChoiceField(choices=[("", "Choose"), *Episode.Outcome.choices])
    note = forms.CharField(label="Summary", required=False, widget=text_area())
    maintenance = forms.ModelChoiceField(
        Template.objects.none(),
        label="To keep up",
        required=False,
        empty_label="Nothing handed out",
        help_text="A maintenance program the patient finds in the app; nothing of it is logged or judged.",
    )
    watch = forms.BooleanField(label="Relapse watch", required=False)

    def prepare(self) -> None:
        usable = Template.objects.usable_by(self.target.clinic).filter(is_active=True, maintenance=True)
        offered = usable.filter(diagnoses__contains=[self.target.diagnosis])
        self.fields["maintenance"].queryset = offered  # type: ignore[attr-defined]
        t = self.target.thresholds
        self.fields["watch"].help_text = (
            f"Two questions by e-mail every {t.watch_every_days} days for {t.watch_months} months: worst "
            "pain, and whether they are back to what they want to do. If the pain is back you are asked to "
            "re-open. The patient can end it."
        )
        if not self.target.programs.exists():
            del self.fields["watch"]

    def context(self) -> dict[str, Any]:
        unresolved = self.target.alerts.unresolved()
        pain = watches.pain_lately(episode=self.target, today=self.today)
        return {
            "program": self.target.programs.active().first(),
            "alerts": unresolved.exclude(kind=Alert.Kind.RED_FLAG).count(),
            "flagged": unresolved.filter(kind=Alert.Kind.RED_FLAG).exists(),
            "pain": pain,
            "in_pain": pain is not None and pain > self.target.thresholds.green_max,
        }

    def perform(self) -> str:
        cases.discharge(episode=self.target, by=self.by, now=self.now, today=self.today, **self.cleaned_data)
        return f"Case {self.target.case_number} is closed."


class Reopen(CaseAct):
    """Re-opening a patient is a new case, which starts from what the closed one ended with."""

    title = "Re-open as a new case"
    submit = "Open a new case"
    goes_on = True
    template = "admin/programs/reopen.html"

    def context(self) -> dict[str, Any]:
        return {"case": self.target, "copied": cases.last_template(self.target)}

    def perform(self) -> str:
        created = cases.reopen(episode=self.target, by=self.by, now=self.now, today=self.today)
        template = cases.last_template(self.target)
        self.done_url = reverse("admin:do", args=["assign", created.pk])
        if template is not None:
            self.done_url += f"?template={template.pk}"
        return f"Case {created.case_number} is open. Assign a program: the last one is chosen already."

    def next_url(self) -> str:
        return getattr(self, "done_url", page_url(self.target))


class EndWatch(CaseAct):
    title = "End the relapse watch"
    submit = "End it"
    intro = "The patient is asked no more. An alert that is open stays."

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        return super().rows(user).filter(relapse_watch__isnull=False).select_related("relapse_watch")

    def perform(self) -> str:
        watches.end_watch(watch=self.target.relapse_watch, by=self.by, now=self.now)
        return "The relapse watch is over."


class CasePolicy(CaseAct, ThresholdFields):
    """What differs for this case alone; the clinic's values hold for the rest."""

    title = "Thresholds for this case"
    template = "admin/programs/case_policy.html"
    intro = (
        "They count for this case alone, from its next review on. A value set back to the clinic's follows "
        "the clinic again. Red flags are the same for all."
    )

    def prepare(self) -> None:
        keys = [key for key, field in FIELDS.items() if field.metadata["group"] in cases.GROUPS_OF_A_CASE]
        self.offer(keys, in_force=self.target.thresholds, usual=self.target.clinic.thresholds())

    def perform(self) -> str:
        cases.set_case_policy(episode=self.target, by=self.by, now=self.now, values=self.cleaned_data)
        return "Saved. It counts from the next review on."


class LogContact(CaseAct):
    needs = Capability.WRITE_CONTACT
    title = "Log a call"
    submit = "Log it"
    intro = "A logged call closes no alert: only an answer or a clinician does."

    kind = forms.ChoiceField(
        choices=[choice for choice in ContactLog.Kind.choices if choice[0] != ContactLog.Kind.NOTE]
    )
    minutes = forms.IntegerField(required=False, min_value=1, max_value=cases.CONTACT_MINUTES)
    is_live = forms.BooleanField(
        label="Live", required=False, help_text="You spoke with each other: a call or a visit."
    )
    note = forms.CharField(max_length=500, required=False, widget=text_area())

    def perform(self) -> str:
        cases.log_contact(episode=self.target, by=self.by, now=self.now, **self.cleaned_data)
        return "Logged."

    def next_url(self) -> str:
        """Back to the call list for the next call, if that is where it was opened from."""
        return reverse("admin:call-list") if self.initial.get("back") == "call-list" else super().next_url()


class AddNote(CaseAct):
    title = "Add a note"
    submit = "Keep it"
    intro = "Kept with the case, with your name and the time. It is no contact; the app does not show it."

    note = forms.CharField(max_length=cases.NOTE_LENGTH, widget=text_area(8))
    minutes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=cases.CONTACT_MINUTES,
        help_text="Only if the time is to be counted.",
    )

    def perform(self) -> str:
        kind = ContactLog.Kind.NOTE
        cases.log_contact(episode=self.target, kind=kind, by=self.by, now=self.now, **self.cleaned_data)
        return "The note is kept."
