"""The library: exercises and the programs that are copied from, the starter's and the clinic's own."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from patients.vocabulary import Diagnosis, MuscleGroup
from programs.api.staff.base import PageQuery, StaffView, page_of
from programs.api.staff.library_inputs import NewExercise, NewTemplate
from programs.api.staff.schema import created, listed
from programs.models import Dose, Exercise, Stage, Template
from programs.services.library import make_exercise, make_template

DOSE_FIELDS = (
    *("id", "position", "sets", "reps_low", "reps_high", "seconds_low", "seconds_high", "per_side"),
    *("times_per_week", "tempo", "note", "source"),
)
STAGE_FIELDS = ("id", "number", "name", "goal", "advice", "min_days", "max_weeks", "is_running")


class ExerciseRecord(serializers.ModelSerializer[Exercise]):
    """An exercise. ``easier`` and ``harder`` are slugs of its neighbours."""

    own = serializers.SerializerMethodField(help_text="The clinic's own; else of the starter library.")

    class Meta:
        model = Exercise
        fields = (
            *("id", "slug", "name", "own", "kind", "muscle_groups", "tags", "cues", "equipment", "per_side"),
            *("easier", "harder", "source", "drawing", "version"),
        )

    def get_own(self, row: Exercise) -> bool:
        return row.clinic_id is not None


class DoseRecord(serializers.ModelSerializer[Dose]):
    exercise = serializers.IntegerField(source="exercise_id")
    text = serializers.CharField(help_text="As a physio writes it: 3 x 8 per side.")

    class Meta:
        model = Dose
        fields = (*DOSE_FIELDS, "exercise", "text")


class StageRecord(serializers.ModelSerializer[Stage]):
    doses = DoseRecord(many=True)

    class Meta:
        model = Stage
        fields = (*STAGE_FIELDS, "doses")


class TemplateBrief(serializers.ModelSerializer[Template]):
    """A program to copy from, as a list names it."""

    own = serializers.SerializerMethodField(help_text="The clinic's own; else of the starter library.")
    drivers = serializers.DictField(child=serializers.IntegerField(), help_text="Driver to weight, 1-3.")

    class Meta:
        model = Template
        fields = (
            *("id", "slug", "name", "own", "summary", "diagnoses", "drivers", "quadriceps_only"),
            *("deep_flexion", "maintenance", "strength_per_week", "is_active", "version"),
        )

    def get_own(self, row: Template) -> bool:
        return row.clinic_id is not None


class TemplateRecord(TemplateBrief):
    """With its stages and doses."""

    stages = StageRecord(many=True)

    class Meta(TemplateBrief.Meta):
        fields = (*TemplateBrief.Meta.fields, "stages")


class LibraryQuery(PageQuery):
    search = serializers.CharField(required=False, max_length=100, help_text="Words of the name.")
    library = serializers.ChoiceField(choices=["own", "starter"], required=False)


class ExerciseQuery(LibraryQuery):
    """Which exercises."""

    kind = serializers.ChoiceField(choices=Exercise.Kind.choices, required=False)
    muscle_group = serializers.ChoiceField(choices=MuscleGroup.choices(), required=False)


class TemplateQuery(LibraryQuery):
    """Which templates."""

    diagnosis = serializers.ChoiceField(choices=Diagnosis.choices(), required=False)
    active = serializers.BooleanField(required=False)


class LibraryView(StaffView):
    """Global rows are read by everybody who treats, and changed by nobody here."""

    def rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.scoped(self.user)  # type: ignore[attr-defined, no-any-return]


class ExercisesView(LibraryView):
    query = ExerciseQuery

    @listed("exercises.list", "Find exercises", page_of(ExerciseRecord), ExerciseQuery)
    def get(self, request: Request) -> Response:
        asked = self.asked.validated_data
        rows = _asked_for(Exercise.objects.all(), asked)
        if "kind" in asked:
            rows = rows.filter(kind=asked["kind"])
        if "muscle_group" in asked:
            rows = rows.filter(muscle_groups__contains=[asked["muscle_group"]])
        return self.page(rows, ExerciseRecord)

    @created("exercises.create", "Add an exercise to your library", NewExercise, ExerciseRecord)
    def post(self, request: Request) -> Response:
        return self.create(
            Exercise.objects.all(),
            lambda: make_exercise(clinic=self.clinic, values=self.body(NewExercise), by=self.user),
            lambda made: ExerciseRecord(made).data,
        )


class TemplatesView(LibraryView):
    query = TemplateQuery

    @listed("templates.list", "Find programs to assign", page_of(TemplateBrief), TemplateQuery)
    def get(self, request: Request) -> Response:
        asked = self.asked.validated_data
        rows = _asked_for(Template.objects.all(), asked)
        if "diagnosis" in asked:
            rows = rows.filter(diagnoses__contains=[asked["diagnosis"]])
        if "active" in asked:
            rows = rows.filter(is_active=asked["active"])
        return self.page(rows, TemplateBrief)

    @created("templates.create", "Add a program to your library, stage by stage", NewTemplate, TemplateRecord)
    def post(self, request: Request) -> Response:
        rows = Template.objects.prefetch_related("stages__doses")
        return self.create(rows, self._make, lambda made: TemplateRecord(rows.get(pk=made.pk)).data)

    def _make(self) -> Template:
        values = self.body(NewTemplate)
        stages = values.pop("stages")
        return make_template(clinic=self.clinic, values=values, stages=stages, by=self.user)


def _asked_for(rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
    for word in asked.get("search", "").split():
        rows = rows.filter(name__icontains=word)
    if "library" in asked:
        rows = rows.filter(clinic__isnull=asked["library"] == "starter")
    return rows
