"""An owner takes out a case or the caseload as CSV."""

from __future__ import annotations

import re
from typing import IO, Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import FileResponse
from django.urls import reverse

from clinic.admin.actions import Act
from clinic.models import Clinic, User
from clinic.roles import Capability
from patients.models import Episode
from programs.admin.case_acts import CaseAct
from programs.services import case_exports

KEPT = "Who takes it out is kept, and the patient sees it in the app."


class ExportCase(CaseAct):
    needs = Capability.EXPORT
    title = "Export this case as CSV"
    submit = "Download"
    downloads = True
    intro = f"Everything of the case by date, for a spreadsheet: answers, sessions, findings, notes. {KEPT}"

    def perform(self) -> str:
        file = case_exports.export_case_csv(episode=self.target, by=self.by, now=self.now)
        self.answer = _download(file, f"case-{self.target.case_number}")
        return ""


class ExportCaseload(Act):
    model = Clinic
    needs = Capability.EXPORT
    title = "Export the caseload as CSV"
    submit = "Download"
    downloads = True
    intro = f"One row a case, with names: state, reason, pain, program, open alerts. {KEPT}"

    clinician = forms.ModelChoiceField(
        User.objects.none(), required=False, empty_label="All", label="Cases of"
    )
    with_closed = forms.BooleanField(label="Closed cases too", required=False)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.target.timezone)

    def prepare(self) -> None:
        treating = Episode.objects.filter(clinic=self.target).order_by().values("clinician")
        self.fields["clinician"].queryset = User.objects.filter(pk__in=treating)  # type: ignore[attr-defined]

    def perform(self) -> str:
        data: dict[str, Any] = self.cleaned_data
        file = case_exports.export_caseload_csv(clinic=self.target, by=self.by, **data)
        self.answer = _download(file, f"caseload-{self.today}")
        return ""

    def next_url(self) -> str:
        return reverse("admin:patients_patient_changelist")


def exports_of(user: Any) -> list[Clinic]:
    """The clinics whose caseload the user may take out."""
    if not isinstance(user, User):
        return []
    there = [member.clinic for member in user.active_memberships]
    return [clinic for clinic in there if user.may(Capability.EXPORT, clinic.pk)]


def _download(file: IO[bytes], name: str) -> FileResponse:
    tame = re.sub(r"[^\w-]+", "-", name).strip("-")
    headers = {"Cache-Control": "no-store"}
    kind = "text/csv; charset=utf-8"
    return FileResponse(file, as_attachment=True, filename=f"{tame}.csv", content_type=kind, headers=headers)
