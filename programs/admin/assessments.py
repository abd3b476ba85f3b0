"""Assessments in the admin: a list, and the intake page in place of the stock form."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from unfold.decorators import display

from clinic.admin.base import RoleAdmin, RoleTabularInline
from clinic.roles import Capability
from patients.models import (
    Addendum,
    AggravatingActivity,
    Assessment,
    FlexibilityTest,
    FootPosture,
    MovementTest,
    OutcomeScore,
    QAngle,
    StrengthTest,
)
from programs.admin.intake import page
from programs.admin.intake.fields import CODES


class SignedFilter(admin.SimpleListFilter):
    title = "signature"
    parameter_name = "signed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Not signed yet"), ("yes", "Signed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("no", "yes"):
            return queryset
        return queryset.filter(signed_at__isnull=self.value() == "no")


def _inline(model: Any) -> type[RoleTabularInline]:
    """For the history of an assessment, which tells of its measurements too."""
    return type(f"{model.__name__}Inline", (RoleTabularInline,), {"model": model, "fields": ()})


@admin.register(Assessment)
class AssessmentAdmin(RoleAdmin):
    view_needs = Capability.READ_CLINICAL
    add_needs = change_needs = Capability.WRITE_CLINICAL
    list_display = ("patient", "case", "kind", "day", "worst_pain", "assessed_by", "signature")
    list_filter = ("kind", SignedFilter)
    list_select_related = ("episode__patient", "assessed_by", "signed_by")
    search_fields = ("episode__case_number", "episode__patient__given_name", "episode__patient__family_name")
    date_hierarchy = "assessed_on"
    nothing_yet = "No assessment yet"
    nothing_yet_hint = "It is recorded for a patient with an open case."
    inlines = tuple(
        _inline(model)
        for model in (
            AggravatingActivity,
            StrengthTest,
            QAngle,
            FlexibilityTest,
            FootPosture,
            MovementTest,
            OutcomeScore,
            Addendum,
        )
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.select_related("episode__patient", "episode__clinic__policy", "signed_by")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("values/<int:pk>/", require_POST(view(page.values)), name="patients_assessment_values"),
            path("draft/<int:pk>/", require_POST(view(page.keep)), name="patients_assessment_draft"),
            *super().get_urls(),
        ]

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The intake page; see ``programs.admin.intake``."""
        if object_id is None:
            if not self.has_add_permission(request):
                raise PermissionDenied
            return page.open_page(request, self.admin_site, None)
        if not self.has_view_permission(request):
            raise PermissionDenied
        assessment = self.get_object(request, object_id)
        if assessment is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return page.open_page(request, self.admin_site, assessment)

    def _labels(self, request: HttpRequest, row: Any) -> dict[str, str]:
        """As the intake page calls them."""
        table = Assessment._meta.db_table
        return {f"{table}.{name}": label for name, (_, label) in CODES.items()}

    @display(description="Patient", ordering="episode__patient__family_name")
    def patient(self, assessment: Assessment) -> str:
        return str(assessment.episode.patient)

    @display(description="On", ordering="assessed_on")
    def day(self, assessment: Assessment) -> str:
        return f"{assessment.assessed_on:%-d %b %Y}"

    @display(description="Case", ordering="episode__case_number")
    def case(self, assessment: Assessment) -> str:
        return assessment.episode.case_number

    @display(description="Signed", ordering="signed_at", label={"Not signed yet": "warning"})
    def signature(self, assessment: Assessment) -> str:
        if assessment.signed_at is None:
            return "Not signed yet"
        return f"{assessment.signed_at:%-d %b %Y}"
