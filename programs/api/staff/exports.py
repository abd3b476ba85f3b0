"""A case, or the whole caseload, as CSV: taken out, and on record as such."""

from __future__ import annotations

from typing import IO

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request

from clinic.api.serializers import StrictSerializer
from clinic.roles import Capability
from patients.models import Episode
from programs.api.staff.base import StaffView
from programs.api.staff.cases import key
from programs.api.staff.schema import told
from programs.services.case_exports import export_case_csv, export_caseload_csv

CSV = "text/csv"


class CaseloadQuery(StrictSerializer):
    """Which cases; without, the clinic's open ones."""

    clinician = key("Of this member alone.", required=False)
    with_closed = serializers.BooleanField(default=False)


class CaseloadCsvView(StaffView):
    reads = Capability.EXPORT
    query = CaseloadQuery

    @told("exports.caseload", "The caseload as CSV", OpenApiTypes.STR, query=CaseloadQuery, kind=CSV)
    def get(self, request: Request) -> HttpResponse:
        asked = dict(self.asked.validated_data)
        if "clinician" in asked:
            asked["clinician"] = self.member("clinician", asked["clinician"])
        file = export_caseload_csv(clinic=self.clinic, by=self.user, **asked)
        return _attachment(file, "caseload.csv")


class CaseCsvView(StaffView):
    reads = Capability.EXPORT

    @told("exports.case", "Everything of a case by date as CSV", OpenApiTypes.STR, 404, kind=CSV)
    def get(self, request: Request, pk: str) -> HttpResponse:
        episode = self.find(Episode.objects.select_related("patient", "clinic__policy"), pk)
        file = export_case_csv(episode=episode, by=self.user, now=self.now)
        return _attachment(file, f"case-{episode.pk}.csv")


def _attachment(file: IO[bytes], name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    with file:
        return HttpResponse(file.read(), content_type=CSV, headers=headers)
