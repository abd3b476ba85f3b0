"""The list of patients: the most urgent first, narrowed by state, case, clinician and diagnosis."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.views import ChangeList

from clinic.admin.base import clinics_where
from clinic.audit.seen import show_only
from clinic.models import User
from clinic.roles import Capability
from patients.models import Episode
from patients.vocabulary import Diagnosis
from programs.admin.caseload import case_rows, current_cases, red_flags_of, urgency
from programs.admin.wording import CASE_STATES
from programs.models import Alert
from programs.services.caseload import in_state


class CaseList(ChangeList):
    """The page of patients, each with the case it is about: the most urgent first, or as the user sorts,
    an open red flag on top even then. Who reads no findings sees no order of theirs.
    """

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        reading = clinics_where(request.user, Capability.READ_CLINICAL)  # type: ignore[arg-type]
        usual = super().get_ordering(request, queryset)
        if not reading:
            return list(usual)
        alerts = {"episode__patient": OuterRef("pk"), "clinic__in": reading}
        first = red_flags_of(**alerts).desc() if ORDER_VAR in self.params else urgency(**alerts).asc()
        return [first, *usual]

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
