"""The owner takes out a patient's data, erases the patient, or opens what is left of one."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from unfold.decorators import display

from clinic.admin.actions import Act
from clinic.admin.base import RoleAdmin
from clinic.admin.forms import moment, text_area
from clinic.roles import Capability
from patients.models import Patient, RestrictedRecord
from programs.services import privacy


class _OfPatient(Act):
    model = Patient

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.target.timezone)

    def next_url(self) -> str:
        return reverse("admin:patients_patient_change", args=[self.target.pk])


class ExportPatient(_OfPatient):
    needs = Capability.EXPORT
    title = "Export all data of the patient"
    submit = "Download"
    downloads = True
    template = "admin/programs/take_out.html"
    intro = "Everything stored about the patient, notes and e-mails included. Who took it and why is kept."

    content = forms.ChoiceField(
        label="As", choices=[("json", "JSON"), ("csv", "CSV, one file a table (zip)")]
    )
    reason = forms.CharField(
        max_length=300, widget=text_area(), help_text="Such as: asked for by the patient."
    )

    def context(self) -> dict[str, object]:
        return {"earlier": privacy.exports_of(self.target)}

    def perform(self) -> str:
        export = privacy.export_patient(
            patient=self.target, by=self.by, reason=self.cleaned_data["reason"], now=self.now
        )
        if self.cleaned_data["content"] == "csv":
            self.answer = attachment(export.as_zip(), "application/zip", f"{self._name()}.zip")
        else:
            self.answer = attachment(export.as_json().encode(), "application/json", f"{self._name()}.json")
        return ""

    def _name(self) -> str:
        """The case, as far as a file may be called so; a name of the patient would lie about in downloads."""
        number = re.sub(r"[^\w-]+", "-", privacy.latest_case_number(self.target)).strip("-")
        return f"case-{number}" if number else str(self.target.pk)


class ErasePatient(_OfPatient):
    needs = Capability.ERASE
    title = "Erase the patient"
    submit = "Erase for good"
    danger = True
    template = "admin/programs/erase.html"
    intro = (
        "Name, contact data, access and e-mails are destroyed at once. What the law has the clinic keep is "
        "put away, out of everybody's sight, until its term, and then destroyed too. There is no way back."
    )

    case_number = forms.CharField(max_length=300)
    reason = forms.CharField(max_length=300, widget=text_area())

    def prepare(self) -> None:
        wanted = privacy.confirmation(self.target)
        self.fields["case_number"].label = f"Type {wanted} to confirm"
        self.ends = privacy.what_ends(self.target)

    def context(self) -> dict[str, object]:
        return {"ends": self.ends, "kept": privacy.what_is_kept(self.target, self.today)}

    def perform(self) -> str:
        erasure = privacy.erase_patient(
            patient=self.target, by=self.by, now=self.now, today=self.today, **self.cleaned_data
        )
        if erasure.purged_at:
            return "Erased. Nothing had to be kept."
        return f"Erased. The clinical record is put away until {erasure.keep_until:%-d %b %Y}."

    def next_url(self) -> str:
        return reverse("admin:patients_patient_changelist") if self.is_bound else super().next_url()


class OpenRecord(Act):
    model = RestrictedRecord
    needs = Capability.ERASE
    title = "Open the record of someone erased"
    submit = "Download"
    downloads = True
    template = "admin/programs/take_out.html"
    intro = "Only for what the law allows: a claim, an authority's order. Who opened it and why is kept."

    reason = forms.CharField(max_length=300, widget=text_area())

    def context(self) -> dict[str, object]:
        return {"earlier": privacy.openings_of(self.target)}

    def perform(self) -> str:
        content = privacy.open_record(
            record=self.target, by=self.by, reason=self.cleaned_data["reason"], now=self.now
        )
        self.answer = attachment(content.encode(), "application/json", f"{self.target.erasure_id}.json")
        return ""

    def next_url(self) -> str:
        return reverse("admin:patients_restrictedrecord_changelist")


@admin.register(RestrictedRecord)
class RestrictedRecordAdmin(RoleAdmin):
    """Which records are put away, and until when; what they say only by ``OpenRecord``."""

    view_needs = Capability.ERASE
    list_display = ("cases", "erased", "kept_until")
    list_select_related = ("erasure",)
    ordering = ("erasure__keep_until",)
    nothing_yet = "No record is put away"
    nothing_yet_hint = "What the law keeps of an erased patient is listed here until its term is over."

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: object = None
    ) -> HttpResponse:
        record = self.get_object(request, object_id)
        if record is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return HttpResponseRedirect(reverse("admin:do", args=["open-record", record.pk]))

    @display(description="Case")
    def cases(self, record: RestrictedRecord) -> str:
        return ", ".join(record.case_numbers)

    @display(description="Erased", ordering="erasure__erased_at")
    def erased(self, record: RestrictedRecord) -> str:
        return moment(record.erasure.erased_at)

    @display(description="Destroyed on", ordering="erasure__keep_until")
    def kept_until(self, record: RestrictedRecord) -> str:
        return f"{record.erasure.keep_until:%-d %b %Y}"


def attachment(content: bytes, kind: str, name: str) -> HttpResponse:
    disposition = content_disposition_header(as_attachment=True, filename=name)
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=kind, headers=headers)
