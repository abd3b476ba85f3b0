"""What is done to a patient or a case from the patient page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse

from clinic.admin.actions import Act
from clinic.admin.forms import text_area, zone_field
from clinic.admin.policy import ThresholdFields
from clinic.models import Clinic, Membership, User
from clinic.roles import Capability
from clinic.thresholds import FIELDS
from patients.models import Assessment, Episode, OutcomeScore, Patient
from patients.scoring import AKPS_ITEMS, KOOS_PF_ITEMS, LEFS_ITEMS, score
from patients.scoring.questionnaires import Item
from patients.services import CaseError, open_episode, register_patient
from patients.vocabulary import Diagnosis, OnsetKind, OutcomeMeasure, RunningTrack, Sex, Side
from programs.admin.caseload import page_url
from programs.models import Alert, ContactLog, Template
from programs.services import cases, watches
from programs.services.assessment_data import as_data
from programs.services.assessments import ValuesRefused, change_assessment

QUESTIONNAIRES: Mapping[str, Mapping[str, Item]] = {
    OutcomeMeasure.AKPS.value: AKPS_ITEMS,
    OutcomeMeasure.KOOS_PF.value: KOOS_PF_ITEMS,
    OutcomeMeasure.LEFS.value: LEFS_ITEMS,
}


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
    intro = "An e-mail with a personal link, good for 14 days. An earlier link stops working."

    def about(self) -> str:
        return f"{self.target}, {self.target.email or 'no e-mail address'}"

    def perform(self) -> str:
        cases.invite(patient=self.target, by=self.by, now=self.now)
        return f"The invitation to {self.target.email} is on its way."

    def next_url(self) -> str:
        return reverse("admin:patients_patient_change", args=[self.target.pk])


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

    outcome = forms.ChoiceField(choices=[_CHOOSE, *Episode.Outcome.choices])
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
        return {
            "program": self.target.programs.active().first(),
            "alerts": unresolved.exclude(kind=Alert.Kind.RED_FLAG).count(),
            "flagged": unresolved.filter(kind=Alert.Kind.RED_FLAG).exists(),
            "pain": watches.pain_lately(episode=self.target, today=self.today),
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

    kind = forms.ChoiceField(choices=ContactLog.Kind.choices)
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


class AssessmentAct(Act):
    """An action on an assessment."""

    model = Assessment
    needs = Capability.WRITE_CLINICAL

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        return super().rows(user).select_related("episode__patient", "episode__clinic__policy", "clinic")

    def about(self) -> str:
        return f"{self.target.episode.patient}, {self.target}"

    def next_url(self) -> str:
        return reverse("admin:patients_assessment_change", args=[self.target.pk])


class ScoreQuestionnaire(AssessmentAct):
    """An outcome measure from its items; ``?measure=`` says which."""

    title = "Score a questionnaire"
    intro = "Points per item, best first. The score is computed, and red flags among the items are raised."

    def prepare(self) -> None:
        measure = self.initial.get("measure", OutcomeMeasure.AKPS.value)
        if measure not in QUESTIONNAIRES:
            raise Http404
        self.measure = OutcomeMeasure(measure)
        known = self._stored()
        for code, item in QUESTIONNAIRES[measure].items():
            self.fields[code] = forms.TypedChoiceField(
                label=item.label,
                choices=[("", "Not answered"), *_points(item)],
                coerce=int,
                empty_value=None,
                initial=known.items.get(code) if known else None,
            )

    def heading(self) -> str:
        return f"{self.measure.label}, item by item"

    def perform(self) -> str:
        assessment, items = self.target, self.cleaned_data
        value = score(self.measure, items)
        others = [row for row in as_data(assessment)["outcome_scores"] if row["measure"] != self.measure]
        try:
            change_assessment(
                assessment=assessment,
                data={"outcome_scores": [*others, {"measure": self.measure.value, "items": items}]},
                version=assessment.version,
                by=self.by,
                now=self.now,
            )
        except ValuesRefused as error:
            raise CaseError("score", " ".join(error.errors.values())) from error
        return f"{self.measure.label}: {value:g}."

    def _stored(self) -> OutcomeScore | None:
        return OutcomeScore.objects.filter(
            episode=self.target.episode_id, measure=self.measure.value, taken_on=self.target.assessed_on
        ).first()


def _points(item: Item) -> list[tuple[int, str]]:
    best, worst = item.points[0], item.points[-1]
    words = {best: f"{best} (best)", worst: f"{worst} (worst)"}
    return [(points, words.get(points, str(points))) for points in item.points]
