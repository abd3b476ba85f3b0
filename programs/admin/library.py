"""The library: global exercises and templates to read, the clinic's own to edit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from clinic.admin.base import RoleAdmin, RoleStackedInline, RoleTabularInline, clinics_where
from clinic.admin.forms import CodesField, LinesField
from clinic.roles import Capability
from patients.vocabulary import Diagnosis, MuscleGroup
from programs.admin.library_filters import EquipmentFilter, MuscleFilter, OwnerFilter
from programs.admin.library_imports import ImportAct, ImportExercises, ImportTemplate, import_page
from programs.admin.programs import DOSE_FIELDS, NamesMistakes, OffersLibrary, picture_of
from programs.models import Dose, Exercise, Stage, Template
from programs.rules.matching import Driver
from programs.services.library import (
    LibraryRefused,
    changes_since,
    copied_from,
    hold_template,
    keep_version,
    own_slug,
    patients_by_version,
    raise_exercise_version,
)

EMPHASIS = [("", "Not targeted"), (1, "Also treated"), (2, "Its emphasis"), (3, "Its main point")]
EMPHASIS_WORDS = {1: "also treated", 2: "an emphasis", 3: "its main point"}

TARGET_NAMES = [f"driver_{driver}" for driver in Driver]
TARGET_ROWS = tuple(tuple(TARGET_NAMES[n : n + 3]) for n in range(0, len(TARGET_NAMES), 3))


EXERCISE_IN_WORDS = (
    "about",
    "picture",
    ("name", "kind"),
    ("trains", "sides"),
    "cue_lines",
    "equipment",
    ("easier_one", "harder_one"),
    "source",
)
TEMPLATE_IN_WORDS = (
    "about",
    "name",
    "summary",
    "for_diagnoses",
    "targets",
    ("strength_per_week", "is_active", "maintenance"),
    ("quadriceps_only", "deep_flexion"),
)


class LibraryForm(forms.ModelForm):
    """Names are unique in a clinic: the slug is made of the name."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.instance.pk is None and data.get("name"):
            try:
                self.instance.slug = own_slug(data["name"], type(self.instance), self.instance.clinic_id)
            except LibraryRefused as error:
                self.add_error("name", error.message)
        return data


class ExerciseForm(LibraryForm):
    muscle_groups = CodesField(MuscleGroup.choices(), required=False)
    tags = LinesField(max_length_each=40, required=False)
    cues = LinesField(max_length_each=300, required=False, label="Cues for the patient")


def _driver_fields() -> dict[str, forms.Field]:
    return {
        f"driver_{driver}": forms.TypedChoiceField(
            label=driver.label,
            choices=EMPHASIS,
            coerce=int,
            empty_value=None,
            required=False,
            widget=UnfoldAdminSelectWidget(),
        )
        for driver in Driver
    }


TargetForm: type[LibraryForm] = type("TargetForm", (LibraryForm,), _driver_fields())
"""A choice of emphasis for each driver."""


class TemplateForm(TargetForm):
    """``drivers`` as one choice a driver."""

    diagnoses = CodesField(Diagnosis.choices(), label="For")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = self.instance.drivers or {}
        for driver in Driver:
            name = f"driver_{driver}"
            if name in self.fields:
                self.fields[name].initial = known.get(driver.value)

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if not any(f"driver_{driver}" in self.fields for driver in Driver):
            return data
        chosen = {driver.value: data.get(f"driver_{driver}") for driver in Driver}
        self.instance.drivers = {driver: weight for driver, weight in chosen.items() if weight}
        return data


class LibraryAdmin(RoleAdmin):
    """Global rows are read by everybody who treats, and changed by nobody here."""

    view_needs = Capability.READ_CLINICAL
    add_needs = change_needs = Capability.WRITE_CLINICAL
    list_filter: Any = (OwnerFilter,)
    list_before_template = "admin/programs/library_list.html"
    search_fields = ("name",)
    importer: type[ImportAct]

    def get_urls(self) -> list[URLPattern]:
        name = f"programs_{self.opts.model_name}_import"
        return [path("import/", self.admin_site.admin_view(self.import_view), name=name), *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        return import_page(request, self.importer, self.admin_site)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        user: Any = request.user
        if not self.has_view_permission(request):
            return self.model.objects.none()
        return self.model.objects.scoped(user).select_related("clinic")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if isinstance(obj, (Exercise, Template)) and obj.clinic_id is None and obj.pk is not None:
            return False
        return super().has_change_permission(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A new row is the clinic's own, before its name is checked for being unique there."""
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None:
            return form
        clinic_id = clinics_where(request.user, Capability.WRITE_CLINICAL)[0]  # type: ignore[arg-type]

        class OwnForm(form):  # type: ignore[misc, valid-type]
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options)
                self.instance.clinic_id = clinic_id

        return OwnForm

    def is_locked(self, request: HttpRequest, row: Any) -> bool:
        """Shown in words: Django would show what its columns hold."""
        return row is not None and not self.has_change_permission(request, row)

    @display(description="Library", label={"Starter": "default", "Own": "primary"})
    def whose(self, row: Any) -> str:
        return "Starter" if row.clinic_id is None else "Own"


@admin.register(Exercise)
class ExerciseAdmin(LibraryAdmin):
    importer = ImportExercises
    form = ExerciseForm
    list_filter = ("kind", MuscleFilter, EquipmentFilter, OwnerFilter)
    change_list_template = "admin/programs/exercise_gallery.html"
    readonly_fields = ("about", "picture")
    fields = (
        "about",
        "picture",
        ("name", "kind"),
        "muscle_groups",
        "cues",
        "tags",
        ("equipment", "per_side"),
        ("easier", "harder"),
        "source",
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What has no drawing shows no empty field for one."""
        hidden = {name for name, shown in (("about", obj), ("picture", obj and obj.drawing)) if not shown}
        fields = EXERCISE_IN_WORDS if self.is_locked(request, obj) else super().get_fields(request, obj)
        return [name for name in fields if name not in hidden]

    @display(description="Library")
    def about(self, exercise: Exercise) -> str:
        return render_to_string(
            "admin/programs/library_about.html",
            {
                "row": exercise,
                "origin": copied_from(exercise),
                "acts": [("Copy to our library", "copy-exercise"), ("Our own clip", "clip")],
            },
        )

    @display(description="Drawing")
    def picture(self, exercise: Exercise) -> str:
        return picture_of(exercise, large=True)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("easier", "harder"):
            rows = Exercise.objects.scoped(request.user).order_by("name").values_list("slug", "name")
            return forms.ChoiceField(
                choices=[("", "None"), *rows],
                required=False,
                widget=UnfoldAdminSelectWidget(),
                label="An easier one" if db_field.name == "easier" else "A harder one",
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and form.changed_data:
            raise_exercise_version(obj)

    @display(description="Cues for the patient")
    def cue_lines(self, exercise: Exercise) -> str:
        return format_html(
            "<ol>{}</ol>", format_html_join("", "<li>{}</li>", ((cue,) for cue in exercise.cues))
        )

    @display(description="Sides")
    def sides(self, exercise: Exercise) -> str:
        return "Each side" if exercise.per_side else "Both together"

    @display(description="An easier one")
    def easier_one(self, exercise: Exercise) -> str:
        return _neighbour(exercise, exercise.easier)

    @display(description="A harder one")
    def harder_one(self, exercise: Exercise) -> str:
        return _neighbour(exercise, exercise.harder)

    @display(description="Trains")
    def trains(self, exercise: Exercise) -> str:
        return ", ".join(exercise.trained)


def _neighbour(exercise: Exercise, slug: str) -> str:
    """By its name, with a link to its page; a hyphen where there is none."""
    rows = (
        Exercise.objects.usable_by(exercise.clinic_id).filter(slug=slug) if slug else Exercise.objects.none()
    )
    row = rows.order_by(F("clinic").asc(nulls_last=True)).first()
    if row is None:
        return "-"
    address = reverse("admin:programs_exercise_change", args=[row.pk])
    return format_html('<a class="kc-link" href="{}">{}</a>', address, row)


class DoseInline(OffersLibrary, RoleTabularInline):
    model = Dose
    fields = (*DOSE_FIELDS, "source")
    verbose_name = "exercise"
    verbose_name_plural = "exercises"


class StageInline(RoleStackedInline):
    model = Stage
    fields = (("number", "name"), "goal", "advice", ("min_days", "max_weeks"), "is_running")
    inlines = (DoseInline,)


@admin.register(Template)
class TemplateAdmin(NamesMistakes, LibraryAdmin):
    importer = ImportTemplate
    form = TemplateForm
    inlines = (StageInline,)
    change_form_after_template = "admin/programs/template_stages.html"
    list_display = ("name", "for_diagnoses", "strength_per_week", "in_use", "is_active", "whose")
    readonly_fields = ("about",)
    fieldsets = (
        (None, {"fields": ("about",)}),
        (
            None,
            {
                "fields": (
                    "name",
                    "summary",
                    "diagnoses",
                    ("strength_per_week", "is_active", "maintenance"),
                    ("quadriceps_only", "deep_flexion"),
                )
            },
        ),
        ("What it targets", {"fields": TARGET_ROWS}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new one has no version and no copies yet."""
        if self.is_locked(request, obj):
            return ((None, {"fields": TEMPLATE_IN_WORDS}),)
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj is not None else fieldsets[1:]

    def get_formsets_with_inlines(self, request: HttpRequest, obj: Any = None) -> Iterator[Any]:
        """What nobody may edit is a table below instead: ``render_change_form``."""
        if self.is_locked(request, obj):
            return iter(())
        return super().get_formsets_with_inlines(request, obj)  # type: ignore[no-any-return]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        row: Any = kwargs.get("obj")
        if self.is_locked(request, row):
            context["stages"] = row.stages.prefetch_related("doses__exercise")
        return super().render_change_form(request, context, **kwargs)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With the patients on each version, read once for the page."""
        changelist = super().get_changelist_instance(request)
        self._count(request, list(changelist.result_list))
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        template = super().get_object(request, object_id, from_field)
        if template is not None:
            self._count(request, [template])
        return template

    def _count(self, request: HttpRequest, templates: list[Template]) -> None:
        clinics = clinics_where(request.user, Capability.READ_CLINICAL)  # type: ignore[arg-type]
        found = patients_by_version(templates, clinics=clinics)
        for template in templates:
            template.on_versions = found.get(template.pk, [])  # type: ignore[attr-defined]

    @display(description="Patients")
    def in_use(self, template: Any) -> str:
        return ", ".join(map(str, template.on_versions))

    @display(description="Library")
    def about(self, template: Any) -> str:
        numbers = [used.number for used in template.on_versions if used.number < template.version]
        if template.version > 1 and not numbers:
            numbers = [template.version - 1]
        return render_to_string(
            "admin/programs/library_about.html",
            {
                "row": template,
                "origin": copied_from(template),
                "acts": [("Copy to our library", "copy-template"), ("Save as a file", "export-template")],
                "since": [(number, changes_since(template, number)) for number in numbers],
            },
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """What it holds is looked at before anything of it is written: see ``save_related``."""
        if change:
            form.held = hold_template(obj)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if change:
            keep_version(form.held, by=request.user)  # type: ignore[arg-type]

    def changed_columns(self, form: Any) -> set[str]:
        """The emphasis on each driver is a field of the form and no column."""
        return super().changed_columns(form) | {"drivers"}

    @display(description="What it targets")
    def targets(self, template: Template) -> str:
        """The main point first."""
        drivers = sorted(template.drivers.items(), key=lambda each: -each[1])
        said = [f"{Driver(driver).label} ({EMPHASIS_WORDS[weight]})" for driver, weight in drivers]
        return ", ".join(said) or "-"

    @display(description="For")
    def for_diagnoses(self, template: Template) -> str:
        return ", ".join(Diagnosis(diagnosis).label for diagnosis in template.diagnoses)
