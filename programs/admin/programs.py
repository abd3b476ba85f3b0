"""A patient's own program: edited for this person, the template stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from clinic.admin.base import RoleAdmin, RoleStackedInline, RoleTabularInline
from clinic.admin.forms import WEEKDAYS, CodesField
from clinic.admin.history import entries_of
from clinic.roles import Capability
from programs.admin.caseload import page_url
from programs.models import Dose, Exercise, Program, ProgramDose, ProgramStage
from programs.services.checkins import schedule_next
from programs.services.due import review_at_once

DOSE_FIELDS = (
    "picture",
    "exercise",
    "sets",
    "reps_low",
    "reps_high",
    "seconds_low",
    "seconds_high",
    "per_side",
    "times_per_week",
    "tempo",
    "note",
)

DOSE_LABELS = {
    "reps_low": "Reps",
    "reps_high": "to",
    "seconds_low": "Seconds",
    "seconds_high": "to",
    "times_per_week": "A week",
}


class ProgramForm(forms.ModelForm):
    class Meta:
        labels: ClassVar = {"testing_run_gate": "Ask every day"}
        help_texts: ClassVar = {
            "testing_run_gate": "Until the ladder begins. Who stopped running is asked every day by itself, "
            "from the stage before running on."
        }

    check_in_weekdays = CodesField(
        WEEKDAYS, coerce=int, required=False, label="Check-ins on", help_text="None ticked: as the clinic."
    )

    def clean_check_in_weekdays(self) -> list[int] | None:
        return self.cleaned_data["check_in_weekdays"] or None


def picture_of(exercise: Exercise, *, large: bool = False) -> str:
    """Its drawing for a page; a hyphen where it has none."""
    if not exercise.drawing:
        return "-"
    return render_to_string(
        "admin/programs/drawing.html", {"path": exercise.drawing, "name": exercise.name, "large": large}
    )


class OffersLibrary:
    """An inline whose exercises come from the libraries that the user sees, each with its drawing."""

    readonly_fields = ("picture",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("exercise")  # type: ignore[misc, no-any-return]

    @admin.display(description="Drawing")
    def picture(self, dose: Dose) -> str:
        return picture_of(dose.exercise) if dose.exercise_id else "-"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if db_field.name in DOSE_LABELS:
            field.label = DOSE_LABELS[db_field.name]
        if db_field.name == "exercise":
            widget = field.widget
            widget.can_add_related = widget.can_change_related = widget.can_view_related = False
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "exercise":
            return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]
        kwargs["queryset"] = Exercise.objects.scoped(request.user)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]
        # Read once a request: otherwise each row would ask for the same list.
        field.choices = [("", "Select an exercise"), *_exercise_names(request)]
        return field


def _exercise_names(request: HttpRequest) -> list[tuple[int, str]]:
    if not hasattr(request, "exercise_names"):
        names = Exercise.objects.scoped(request.user).values_list("pk", "name")
        request.exercise_names = list(names)  # type: ignore[attr-defined]
    return request.exercise_names  # type: ignore[attr-defined, no-any-return]


class NamesMistakes:
    """A page of stages and exercises that says why nothing was saved: Unfold names no nested row."""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        if request.method == "POST":
            found = list(_mistakes_of_form(context["adminform"].form, ""))
            for inline in context["inline_admin_formsets"]:
                found += _mistakes(inline, "")
            messages.error(request, f"Not saved: {' '.join(found)}")
        return super().render_change_form(request, context, **kwargs)  # type: ignore[misc, no-any-return]


def _mistakes(inline: Any, where: str) -> Iterator[str]:
    yield from (f"{where}{error}" for error in inline.formset.non_form_errors())
    for number, form in enumerate(inline.formset.forms, start=1):
        row = f"{where}{inline.opts.verbose_name} {number}, "
        yield from _mistakes_of_form(form, row)
        for nested in getattr(form, "nested_formsets", ()):
            yield from _mistakes(nested, row)


def _mistakes_of_form(form: Any, where: str) -> Iterator[str]:
    for name, errors in form.errors.items():
        label = f"{form[name].label}: " if name in form.fields else ""
        yield from (f"{where}{label}{error}" for error in errors)


class ProgramDoses(RoleTabularInline):
    """For the history: they are changed on the page on which a program is adjusted, by its checks."""

    model = ProgramDose


class ProgramStages(RoleStackedInline):
    """See ``ProgramDoses``."""

    model = ProgramStage
    inlines = (ProgramDoses,)


@admin.register(Program)
class ProgramAdmin(RoleAdmin):
    """When it asks; its stages and exercises stand below, to be changed by ``adjust`` alone."""

    view_needs = Capability.READ_CLINICAL
    change_needs = Capability.WRITE_CLINICAL
    form = ProgramForm
    inlines = (ProgramStages,)
    change_form_after_template = "admin/programs/program_stages.html"
    fields = (
        ("name", "strength_per_week", "check_in_time"),
        "check_in_weekdays",
        "testing_run_gate",
    )

    def get_inlines(self, request: HttpRequest, obj: Any) -> tuple[()]:
        return ()

    def history_of(self, request: HttpRequest, row: Program) -> QuerySet[Any]:
        return entries_of(row, self.inlines)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        program: Program = context["original"]
        context["stages"] = program.stages.prefetch_related("doses__exercise")
        context["may_adjust"] = self.has_change_permission(request, program)
        return super().render_change_form(request, context, **kwargs)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        ended = isinstance(obj, Program) and not obj.is_active
        return not ended and super().has_change_permission(request, obj)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:patients_patient_changelist"))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Other days or another hour move the next check-in; another frequency is judged by at once."""
        super().save_related(request, form, formsets, change)
        if {"check_in_weekdays", "check_in_time", "testing_run_gate"} & set(form.changed_data):
            schedule_next(program=form.instance, now=timezone.now())
        if "strength_per_week" in form.changed_data:
            review_at_once(program=form.instance)

    def response_change(self, request: HttpRequest, obj: Program) -> HttpResponse:
        if "_continue" in request.POST:
            return super().response_change(request, obj)
        return HttpResponseRedirect(page_url(obj.episode))
