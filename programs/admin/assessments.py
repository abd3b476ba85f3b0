"""Assessments with all their measurements: red flags first, derived values beside what was measured."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import display

from clinic.admin.base import RoleAdmin, RoleTabularInline, rows_where
from clinic.admin.forms import CodesField
from clinic.roles import Capability
from patients.models import (
    AggravatingActivity,
    Assessment,
    Episode,
    FlexibilityTest,
    FootPosture,
    MovementTest,
    OutcomeScore,
    QAngle,
    StrengthTest,
)
from patients.vocabulary import LoadChange, PainLocation, RiskFactor
from programs.admin.case_acts import QUESTIONNAIRES
from programs.admin.caseload import page_url
from programs.rules.red_flags import Symptom, Tier
from programs.services.cases import screen_assessment
from programs.services.derived import Findings, derived_values

RED_FLAG_CHOICES = [
    (heading, [(s.value, s.label) for s in Symptom if s.tier == tier])
    for tier, heading in (
        (Tier.ONE, "Tier 1: the patient acts now"),
        (Tier.TWO, "Tier 2: seen the same working day"),
    )
]


class CaseChoice(forms.ModelChoiceField):
    def label_from_instance(self, episode: Any) -> str:
        return f"{episode.patient}, case {episode.case_number}"


class AssessmentForm(forms.ModelForm):
    red_flags = CodesField(
        RED_FLAG_CHOICES,
        required=False,
        help_text="Either tier holds the program and tells the clinician and the cover at once.",
    )
    risk_factors = CodesField(RiskFactor.choices(), required=False)
    locations = CodesField(PainLocation.choices(), label="Where the index knee hurts", required=False)
    other_knee_locations = CodesField(
        PainLocation.choices(), label="Where the other knee hurts", required=False
    )
    load_changes = CodesField(LoadChange.choices(), label="What changed before the pain", required=False)


class OutcomeForm(forms.ModelForm):
    """A total entered by hand; one score a measure and day."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        episode_id = getattr(data.get("assessment"), "episode_id", None)
        same = OutcomeScore.objects.filter(
            episode=episode_id, measure=data.get("measure"), taken_on=data.get("taken_on")
        ).exclude(pk=self.instance.pk)
        if episode_id and same.exists():
            raise forms.ValidationError("This measure already has a score on that day.")
        return data


class StrengthInline(RoleTabularInline):
    model = StrengthTest
    tab = True
    fields = ("muscle_group", "side", "method", "value", "unit", "lever_arm_m", "position", "fixation")


class QAngleInline(RoleTabularInline):
    model = QAngle
    tab = True
    fields = ("side", "degrees", "position", "quadriceps", "notes")


class ActivityInline(RoleTabularInline):
    model = AggravatingActivity
    tab = True
    fields = ("activity", "pain", "minutes_until_pain", "ability")


class FlexibilityInline(RoleTabularInline):
    model = FlexibilityTest
    tab = True
    fields = ("structure", "side", "tight", "degrees")


class FootInline(RoleTabularInline):
    model = FootPosture
    tab = True
    fields = ("side", "fpi6")


class MovementInline(RoleTabularInline):
    model = MovementTest
    tab = True
    fields = ("test", "side", "arm", "trunk", "pelvis", "knee", "steady_stance", "rubric", "grade")


class OutcomeInline(RoleTabularInline):
    model = OutcomeScore
    form = OutcomeForm
    tab = True
    fields = ("measure", "taken_on", "value")


@admin.register(Assessment)
class AssessmentAdmin(RoleAdmin):
    view_needs = Capability.READ_CLINICAL
    add_needs = change_needs = Capability.WRITE_CLINICAL
    form = AssessmentForm
    list_display = ("patient", "case", "kind", "day", "worst_pain", "assessed_by")
    list_filter = ("kind",)
    list_select_related = ("episode__patient", "assessed_by")
    search_fields = ("episode__case_number", "episode__patient__given_name", "episode__patient__family_name")
    date_hierarchy = "assessed_on"
    change_form_template = "admin/programs/assessment.html"
    inlines = (
        ActivityInline,
        StrengthInline,
        QAngleInline,
        FlexibilityInline,
        FootInline,
        MovementInline,
        OutcomeInline,
    )
    fieldsets = (
        (None, {"fields": (("episode", "kind", "assessed_on"),)}),
        (
            "Red-flag screen",
            {"fields": ("red_flags", "red_flag_note", ("hip_examined", "hip_findings"), "risk_factors")},
        ),
        (
            "Pain",
            {
                "fields": (
                    "locations",
                    ("worst_pain", "usual_pain", "pain_now"),
                    ("worst_pain_week", "usual_pain_week", "other_knee_worst_pain"),
                    "other_knee_locations",
                )
            },
        ),
        (
            "How it behaves",
            {
                "fields": (
                    ("pain_stairs_down", "pain_stairs_up", "pain_downhill"),
                    ("pain_squat", "pain_lunge", "pain_at_rest"),
                    ("pain_sitting", "pain_start_up", "crepitus"),
                    ("pain_first_km", "pain_end_of_run", "pain_only_after_run"),
                    ("other_causes_excluded", "sitting_tolerance_min"),
                )
            },
        ),
        (
            "Patella and running",
            {
                "fields": (
                    ("patella_alta", "patella_tilt", "patella_rotation"),
                    ("patella_maltracking", "overstriding", "crossover"),
                    ("pelvic_drop", "hip_adduction", "form_breaks_late"),
                    ("cadence_spm", "peak_knee_flexion_deg"),
                )
            },
        ),
        (
            "Load",
            {
                "fields": (
                    ("body_mass_kg", "weekly_km_now", "weekly_km_before"),
                    "load_changes",
                    ("sleep_hours", "stress", "shoe_wrong_fit"),
                    ("shoe_age_months", "shoe_km"),
                    "notes",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("episode__patient", "episode__clinic__policy")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("episode",) if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        today = timezone.localdate()
        return {"assessed_on": today, **super().get_changeform_initial_data(request)}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "episode":
            cases = rows_where(request.user, Capability.WRITE_CLINICAL, Episode.objects.open())  # type: ignore[arg-type]
            kwargs |= {"queryset": cases.select_related("patient"), "form_class": CaseChoice, "label": "Case"}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        extra: dict[str, Any] = {**(extra_context or {})}
        assessment = self.get_object(request, object_id) if object_id else None
        if assessment is not None:
            extra |= {
                "derived": derived_values(Findings.of(assessment)),
                "page_url": page_url(assessment.episode),
                "questionnaires": [
                    (measure, label)
                    for measure, label in OutcomeScore._meta.get_field("measure").choices
                    if measure in QUESTIONNAIRES
                ],
                "title": f"{assessment} of {assessment.episode.patient}",
            }
        return super().changeform_view(request, object_id, form_url, extra)

    def save_model(self, request: HttpRequest, obj: Assessment, form: Any, change: bool) -> None:
        if not change:
            obj.clinic_id = obj.episode.clinic_id
            obj.assessed_by = request.user
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for row in formset.forms:
            if isinstance(row.instance, OutcomeScore):
                row.instance.episode_id = form.instance.episode_id
        super().save_formset(request, form, formset, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Screened once all measurements are stored: an AKPS item may be a red flag."""
        super().save_related(request, form, formsets, change)
        alert = screen_assessment(assessment=form.instance, by=request.user, now=timezone.now())  # type: ignore[arg-type]
        if alert is not None:
            messages.warning(
                request, f"Red flag: {alert.summary}. The program is on hold and the clinician is told."
            )

    def response_add(
        self, request: HttpRequest, obj: Assessment, post_url_continue: Any = None
    ) -> HttpResponse:
        if "_continue" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        return HttpResponseRedirect(reverse("admin:suggestions", args=[obj.pk]))

    def response_change(self, request: HttpRequest, obj: Assessment) -> HttpResponse:
        if "_continue" in request.POST:
            return super().response_change(request, obj)
        return HttpResponseRedirect(page_url(obj.episode))

    @display(description="Patient", ordering="episode__patient__family_name")
    def patient(self, assessment: Assessment) -> str:
        return str(assessment.episode.patient)

    @display(description="On", ordering="assessed_on")
    def day(self, assessment: Assessment) -> str:
        return f"{assessment.assessed_on:%-d %b %Y}"

    @display(description="Case", ordering="episode__case_number")
    def case(self, assessment: Assessment) -> str:
        return assessment.episode.case_number
