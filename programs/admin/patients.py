"""Patients: the list of who stands where, taking a patient on, the patient page and what is done from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.views import ChangeList

from clinic.admin import absence_acts
from clinic.admin.actions import Act, act_on
from clinic.admin.base import RoleAdmin, clinics_where, refuse_operators
from clinic.admin.forms import zone_field
from clinic.audit.models import AuditEntry
from clinic.audit.reading import READERS_SHOWN, readers
from clinic.audit.seen import show_only
from clinic.models import User
from clinic.roles import Capability
from patients.models import Episode, Patient
from patients.services import check_birth_date
from patients.vocabulary import Diagnosis
from programs.admin import (
    alert_acts,
    case_acts,
    export_acts,
    letter_acts,
    library_acts,
    outcome_acts,
    privacy_acts,
    program_acts,
)
from programs.admin.adjusting import Discard, SendProgram, adjust_page
from programs.admin.assessments import AddAddendum
from programs.admin.call_list import calls
from programs.admin.caseload import (
    case_rows,
    current_cases,
    local_today,
    page_url,
    red_flags_of,
    urgency,
)
from programs.admin.patient_page import build_page
from programs.admin.staff import HandOverCaseload
from programs.admin.suggestions import Prepare, suggestions_page
from programs.admin.wording import CASE_STATES
from programs.models import Alert
from programs.services import cases
from programs.services.caseload import in_state, look

ACTS: Mapping[str, type[Act]] = {
    "invite": case_acts.Invite,
    "new-case": case_acts.NewCase,
    "reassign": case_acts.Reassign,
    "discharge": case_acts.Discharge,
    "reopen": case_acts.Reopen,
    "end-watch": case_acts.EndWatch,
    "thresholds": case_acts.CasePolicy,
    "log-contact": case_acts.LogContact,
    "groc": outcome_acts.AskGroc,
    "score": case_acts.ScoreQuestionnaire,
    "copy-template": library_acts.CopyTemplate,
    "copy-exercise": library_acts.CopyExercise,
    "export-template": library_acts.ExportTemplate,
    "clip": library_acts.SetClip,
    "assign": Prepare,
    "send": SendProgram,
    "discard": Discard,
    "addendum": AddAddendum,
    "move-stage": program_acts.MoveStage,
    "apply-proposal": program_acts.ApplyProposal,
    "running": program_acts.ChangeRunning,
    "pause": program_acts.PauseProgram,
    "edit-pause": program_acts.EditPause,
    "cancel-pause": program_acts.CancelPause,
    "resume": program_acts.Resume,
    "fair-trial": program_acts.FairTrial,
    "wake": program_acts.Wake,
    "acknowledge": alert_acts.Acknowledge,
    "snooze": alert_acts.Snooze,
    "resolve": alert_acts.Resolve,
    "clear": alert_acts.Clear,
    "export": privacy_acts.ExportPatient,
    "erase": privacy_acts.ErasePatient,
    "export-case": export_acts.ExportCase,
    "export-caseload": export_acts.ExportCaseload,
    "letter": letter_acts.WriteLetter,
    "hand-over": alert_acts.HandOver,
    "hand-over-caseload": HandOverCaseload,
    "absence": absence_acts.PlanAbsence,
    "end-absence": absence_acts.EndAbsence,
    "open-record": privacy_acts.OpenRecord,
}


ASKED_AND_MAILED = ("programs_checkinrequest", "clinic_outboxmessage")
"""Not in a patient's history: it would hide what people did. It stands in the diary and under E-mails."""


class CaseList(ChangeList):
    """The page of patients, each with the case it is about: the most urgent first, or as the user sorts,
    an open red flag on top even then.
    """

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        patient = OuterRef("pk")
        flagged = red_flags_of(episode__patient=patient).desc()
        first = flagged if ORDER_VAR in self.params else urgency(episode__patient=patient).asc()
        return [first, *super().get_ordering(request, queryset)]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        patients = {patient.pk: patient for patient in self.result_list}
        cases = current_cases(request.user, patients.values())  # type: ignore[arg-type]
        rows = case_rows(list(cases.values()), patients, timezone.now())
        reading = clinics_where(request.user, Capability.READ_CLINICAL)  # type: ignore[arg-type]
        for patient in patients.values():
            episode = cases.get(patient.pk)
            patient.case_row = rows[episode.pk] if episode else None
            patient.findings = patient.case_row if patient.clinic_id in reading else None
        self.result_list = list(patients.values())
        show_only(patients)


class StateFilter(admin.SimpleListFilter):
    """By the state that the list shows and the first page counts."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(code), badge.text) for code, badge in CASE_STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        if self.value() not in CASE_STATES:
            return queryset.none()
        found = in_state(user=request.user, now=timezone.now(), state=self.value())  # type: ignore[arg-type]
        return queryset.filter(pk__in=found.order_by().values("patient"))


class CaseFilter(admin.SimpleListFilter):
    title = "case"
    parameter_name = "case_is"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("open", "Open"),
            ("closed", "Closed only"),
            ("alert", "With an open alert"),
            ("bounced", "E-mail bounced"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        cases = Episode.objects.filter(patient=OuterRef("pk"))
        alerts = Alert.objects.unresolved().filter(episode__patient=OuterRef("pk"))
        choices = {
            "open": lambda: queryset.filter(Exists(cases.open())),
            "closed": lambda: queryset.exclude(Exists(cases.open())),
            "alert": lambda: queryset.filter(Exists(alerts)),
            "bounced": lambda: queryset.exclude(email_bounced_at=None),
        }
        return choices[self.value()]() if self.value() in choices else queryset


class ClinicianFilter(admin.SimpleListFilter):
    title = "clinician"
    parameter_name = "clinician"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        treating = Episode.objects.scoped(request.user).open().order_by().values("clinician")
        return [(str(user.pk), str(user)) for user in User.objects.filter(pk__in=treating)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value or not value.isdecimal():
            return queryset
        theirs = Episode.objects.open().filter(patient=OuterRef("pk"), clinician=int(value))
        return queryset.filter(Exists(theirs))


class DiagnosisFilter(admin.SimpleListFilter):
    title = "diagnosis"
    parameter_name = "diagnosis"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return Diagnosis.choices()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        such = Episode.objects.filter(patient=OuterRef("pk"), diagnosis=self.value())
        return queryset.filter(Exists(such))


class ContactForm(forms.ModelForm):
    def clean(self) -> None:
        """What the calendar judges, beside its field; the service asks again."""
        super().clean()
        today = local_today(self.instance, timezone.now())
        check_birth_date(self.cleaned_data.get("birth_date"), today=today)


@admin.register(Patient)
class PatientAdmin(RoleAdmin):
    view_needs = Capability.READ_STATE
    add_needs = change_needs = Capability.WRITE_CONTACT
    form = ContactForm
    search_fields = ("given_name", "family_name", "email", "episodes__case_number")
    search_help_text = "Name, case number or e-mail"
    list_filter = (StateFilter, CaseFilter, ClinicianFilter, DiagnosisFilter)
    list_display = (
        "person",
        "case_number",
        "state",
        "week",
        "reason",
        "action",
        "last_answer",
        "clinician",
        "diagnosis",
    )
    list_display_for_assistants = ("person", "case_number", "state", "week", "phone", "clinician")
    sortable_by = ("person",)
    fields = (
        ("given_name", "family_name"),
        ("email", "phone"),
        ("birth_date", "sex"),
        "timezone",
        ("guardian_name", "guardian_consented_on"),
    )

    # --- the list

    list_after_template = "admin/programs/take_out_list.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"exports": export_acts.exports_of(request.user)})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CaseList

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return self.list_display if _reads(request) else self.list_display_for_assistants

    def get_list_filter(self, request: HttpRequest) -> tuple[Any, ...]:
        return self.list_filter if _reads(request) else (StateFilter, CaseFilter, ClinicianFilter)

    @display(description="Patient", ordering=F("family_name"))
    def person(self, patient: Patient) -> SafeString | str:
        if patient.email_bounced_at:
            return format_html('{} <span class="kc-bounced">e-mail bounced</span>', patient.full_name)
        return patient.full_name

    @display(description="Case")
    def case_number(self, patient: Any) -> str:
        return patient.case_row.episode.case_number if patient.case_row else ""

    @display(description="Clinician")
    def clinician(self, patient: Any) -> str:
        return str(patient.case_row.episode.clinician) if patient.case_row else ""

    @display(description="Diagnosis")
    def diagnosis(self, patient: Any) -> str:
        return patient.case_row.episode.get_diagnosis_display() if patient.case_row else ""

    @display(description="Week")
    def week(self, patient: Any) -> Any:
        return patient.case_row.week if patient.case_row else None

    @display(description="State", label={badge.text: badge.variant for badge in CASE_STATES.values()})
    def state(self, patient: Any) -> str:
        return patient.case_row.state.text if patient.case_row else "No case"

    @display(description="Reason")
    def reason(self, patient: Any) -> str:
        return patient.findings.reason if patient.findings else ""

    @display(description="Suggested action")
    def action(self, patient: Any) -> SafeString | str:
        return (
            format_html('<span class="kc-wrap">{}</span>', patient.findings.action)
            if patient.findings
            else ""
        )

    @display(description="Last answer")
    def last_answer(self, patient: Any) -> str:
        day = patient.findings.last_answer_on if patient.findings else None
        return f"{day:%-d %b %Y}" if day else ""

    # --- pages

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("do/<slug:name>/<str:pk>/", view(self.do), name="do"),
            path("suggestions/<int:pk>/", view(self.suggestions), name="suggestions"),
            path("adjust/<int:pk>/", view(self.adjust), name="adjust"),
            path("letters/<int:pk>/", view(letter_acts.letter_page), name="letter"),
            path("call-list/", view(self.call_list), name="call-list"),
            path("<path:object_id>/readers/", view(self.readers), name="patients_patient_readers"),
            path("<path:object_id>/contact/", view(self.contact), name="patients_patient_contact"),
            *super().get_urls(),
        ]

    def do(self, request: HttpRequest, name: str, pk: str) -> HttpResponse:
        """One action on one row: see ``ACTS``."""
        if name not in ACTS:
            raise Http404
        return act_on(request, ACTS[name], pk, self.admin_site)

    def suggestions(self, request: HttpRequest, pk: int) -> HttpResponse:
        return suggestions_page(request, pk, self.admin_site)

    def adjust(self, request: HttpRequest, pk: int) -> HttpResponse:
        return adjust_page(request, pk, self.admin_site)

    def call_list(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not (isinstance(user, User) and user.may(Capability.WRITE_CONTACT)):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "title": "Call list", "calls": calls(user)}
        return TemplateResponse(request, "admin/programs/call_list.html", context)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A patient and the first case, in one form."""
        user = request.user
        clinics = clinics_where(user, Capability.WRITE_CONTACT) if isinstance(user, User) else []
        if not clinics:
            raise PermissionDenied
        return act_on(request, case_acts.TakeOn, request.GET.get("clinic", str(clinics[0])), self.admin_site)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The patient page. ``?case=`` chooses an earlier case."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        patient = self.get_object(request, object_id)
        if patient is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        user: User = request.user  # type: ignore[assignment]
        page = build_page(user, patient, request.GET.get("case", ""), timezone.now())
        if page.row:
            look(episode=page.row.episode, by=user, now=timezone.now())
        context = {
            **self.admin_site.each_context(request),
            "title": patient.full_name,
            "opts": self.opts,
            "original": patient,
            "page": page,
        }
        return TemplateResponse(request, "admin/programs/patient_page.html", context)

    def readers(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Who has seen this record."""
        patient = self.get_object(request, object_id)
        if patient is None:
            raise Http404
        if not self._may(request, self.history_needs, patient):
            raise PermissionDenied
        refuse_operators(request, patient)
        before = request.GET.get("before", "")
        found = readers(
            patient=patient, before=int(before) if before.isdecimal() and len(before) < 19 else None
        )
        context = {
            **self.admin_site.each_context(request),
            "title": "Who has seen this record",
            "about": patient,
            "back_url": reverse("admin:patients_patient_change", args=[patient.pk]),
            "accesses": found,
            "says_why": self._may(request, Capability.MANAGE_CLINIC, patient),
            "earlier": found[-1].id if len(found) == READERS_SHOWN else None,
        }
        return TemplateResponse(request, "admin/clinic/readers.html", context)

    def history_of(self, request: HttpRequest, row: Patient) -> QuerySet[Any]:
        """The whole record's."""
        return AuditEntry.objects.changes().of_patient(row).exclude(table_name__in=ASKED_AND_MAILED)

    def contact(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The plain form: name, contact data, guardian."""
        return super().changeform_view(request, object_id)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "timezone":
            field = zone_field(help_text="When check-ins are asked for.")
            field.widget.attrs["class"] = "kc-select"
            return field
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Patient, form: Any, change: bool) -> None:
        """With what follows from another address or time zone."""
        by: User = request.user  # type: ignore[assignment]
        cases.change_contact(patient=obj, changed=form.changed_data, by=by, now=timezone.now())

    def response_change(self, request: HttpRequest, obj: Patient) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:patients_patient_change", args=[obj.pk]))


@admin.register(Episode)
class EpisodeAdmin(RoleAdmin):
    """What is known of the problem itself; reached from the patient page."""

    view_needs = change_needs = Capability.READ_CLINICAL
    fields = ("diagnosis", ("index_side", "both_knees"), ("onset_on", "onset_kind"), "running_track")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:patients_patient_changelist"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        closed = isinstance(obj, Episode) and not obj.is_open
        return not closed and self._may(request, Capability.WRITE_CLINICAL, obj)

    def response_change(self, request: HttpRequest, obj: Episode) -> HttpResponse:
        return HttpResponseRedirect(page_url(obj))


def _reads(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.may(Capability.READ_CLINICAL)
