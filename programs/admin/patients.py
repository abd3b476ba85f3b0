"""Patients: the list of who stands where, taking a patient on, the patient page, and the case's own form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.views import ChangeList

from clinic.admin.actions import act_on, way_back
from clinic.admin.base import RoleAdmin, clinics_where, refuse_operators
from clinic.admin.forms import zone_field
from clinic.audit.models import AuditEntry
from clinic.audit.reading import READERS_SHOWN, readers
from clinic.models import User
from clinic.roles import Capability
from patients.models import Patient
from patients.services import JUDGED_TOGETHER, check_contact
from programs.admin import export_acts, letter_acts, patient_acts
from programs.admin.acts import ACTS
from programs.admin.adjusting.page import adjust_page
from programs.admin.call_list import calls
from programs.admin.caseload import local_today
from programs.admin.patient_list import CaseFilter, CaseList, ClinicianFilter, DiagnosisFilter, StateFilter
from programs.admin.patient_page import build_page
from programs.admin.suggestions import suggestions_page
from programs.admin.wording import CASE_STATES
from programs.services import cases
from programs.services.caseload import look

ASKED_AND_MAILED = ("programs_checkinrequest", "clinic_outboxmessage")
"""Not in a patient's history: it would hide what people did. It stands in the diary and under E-mails."""


class ContactForm(forms.ModelForm):
    def clean(self) -> None:
        """What the calendar judges, beside its field; the service asks again."""
        super().clean()
        names = {*self.changed_data}
        if names & JUDGED_TOGETHER:
            names |= JUDGED_TOGETHER & self.cleaned_data.keys()
        changed = {name: self.cleaned_data.get(name) for name in names}
        check_contact(changed, today=local_today(self.instance, timezone.now()))


@admin.register(Patient)
class PatientAdmin(RoleAdmin):
    view_needs = Capability.READ_STATE
    add_needs = change_needs = Capability.WRITE_CONTACT
    form = ContactForm
    search_fields = ("given_name", "family_name", "email", "episodes__case_number")
    search_help_text = "Name, case number or e-mail"
    nothing_yet = "No patient yet"
    nothing_yet_hint = "Add the first one: a physio opens the case, measures, and assigns a program."
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
        return act_on(
            request, patient_acts.TakeOn, request.GET.get("clinic", str(clinics[0])), self.admin_site
        )

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
        back = way_back(request) or reverse("admin:patients_patient_change", args=[obj.pk])
        return HttpResponseRedirect(back)


def _reads(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.may(Capability.READ_CLINICAL)
