"""Bringing programs and exercises into the clinic's own library: copied, or as YAML."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import StrictSerializer
from programs.api.staff.library import ExerciseRecord, LibraryView, TemplateRecord
from programs.api.staff.schema import acted, created, told
from programs.models import Exercise, Template
from programs.rules.library.exercise_database import MOST_RECORDS
from programs.services.library import (
    Candidate,
    Choice,
    ImportPreview,
    copy_exercise,
    copy_template,
    export_template,
    import_exercises,
    import_template,
    preview_exercises,
    preview_import,
)
from programs.services.library.exchange import Incoming

MOST_TEXT = 60_000


class CopyInput(StrictSerializer):
    """Nothing is asked."""


class ImportInput(StrictSerializer):
    text = serializers.CharField(
        max_length=MOST_TEXT, help_text="The YAML, as `GET templates/{id}/yaml` gives it."
    )
    name = serializers.CharField(
        max_length=120, default="", allow_blank=True, help_text="Another name; empty: that of the file."
    )
    replace_ours = serializers.BooleanField(
        default=False, help_text="Make it the next version of your template of that name."
    )
    choices = serializers.DictField(
        child=serializers.ChoiceField(choices=[(choice.value, choice.name) for choice in Choice]),
        default=dict,
        help_text="For each exercise that differs from yours, by slug.",
    )


class LookInput(StrictSerializer):
    text = serializers.CharField(max_length=MOST_TEXT)


class IncomingRecord(serializers.Serializer[Incoming]):
    """An exercise of the file beside what you have of that slug."""

    slug = serializers.SlugField(source="data.slug")
    name = serializers.CharField(source="data.name")
    is_new = serializers.BooleanField()
    differs = serializers.ListField(
        child=serializers.CharField(), help_text="Fields other than yours: `choices` must say what to do."
    )


class LookRecord(serializers.Serializer[ImportPreview]):
    """What an import of this text would do."""

    name = serializers.CharField(source="document.template.name")
    yours = serializers.IntegerField(
        source="clash.pk", allow_null=True, default=None, help_text="Your program of that name, if any."
    )
    exercises = IncomingRecord(many=True)


class ExercisesInput(StrictSerializer):
    text = serializers.CharField(
        max_length=MOST_TEXT, help_text="JSON, one record or a list of them, as that database has them."
    )
    chosen = serializers.ListField(
        child=serializers.SlugField(max_length=80),
        required=False,
        max_length=MOST_RECORDS,
        help_text="Only these slugs of it.",
    )


class CandidateRecord(serializers.Serializer[Candidate]):
    """A record of the file. What is skipped says why, and is not added."""

    slug = serializers.CharField()
    name = serializers.CharField(source="found.name")
    skipped = serializers.CharField(help_text="Why it can't be added; empty where it can.")
    unmapped = serializers.ListField(
        source="found.unmapped", child=serializers.CharField(), help_text="Muscles that no group of ours has."
    )
    notices = serializers.ListField(source="found.notices", child=serializers.CharField())


class CopyTemplateView(LibraryView):
    @created("templates.copy", "Copy a starter program into your library", CopyInput, TemplateRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        self.body(CopyInput)
        template = self.find(Template.objects.all(), pk)
        return self.create(
            Template.objects.prefetch_related("stages__doses"),
            lambda: copy_template(template=template, clinic=self.clinic, by=self.user),
            lambda made: TemplateRecord(made).data,
        )


class CopyExerciseView(LibraryView):
    @created("exercises.copy", "Copy a starter exercise into your library", CopyInput, ExerciseRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        self.body(CopyInput)
        exercise = self.find(Exercise.objects.all(), pk)
        return self.create(
            Exercise.objects.all(),
            lambda: copy_exercise(exercise=exercise, clinic=self.clinic, by=self.user),
            lambda made: ExerciseRecord(made).data,
        )


class YamlView(LibraryView):
    @told(
        "templates.yaml",
        "A program with its exercises as YAML",
        OpenApiTypes.STR,
        404,
        kind="application/yaml",
    )
    def get(self, request: Request, pk: str) -> HttpResponse:
        template = self.find(Template.objects.all(), pk)
        return HttpResponse(export_template(template=template), content_type="application/yaml")


class ImportView(LibraryView):
    @created("templates.import", "Add a program from YAML to your library", ImportInput, TemplateRecord)
    def post(self, request: Request) -> Response:
        return self.create(
            Template.objects.prefetch_related("stages__doses"),
            self._import,
            lambda made: TemplateRecord(made).data,
        )

    def _import(self) -> Any:
        body = self.body(ImportInput)
        choices = {slug: Choice(choice) for slug, choice in body.pop("choices").items()}
        return import_template(clinic=self.clinic, by=self.user, choices=choices, **body)


class LookView(LibraryView):
    only_reads = True

    @acted("templates.look", "What an import of this YAML would do", LookInput, LookRecord)
    def post(self, request: Request) -> Response:
        text = self.body(LookInput)["text"]
        return Response(LookRecord(preview_import(text=text, clinic=self.clinic, by=self.user)).data)


class ImportExercisesView(LibraryView):
    @acted(
        "exercises.import",
        "Add exercises of the public-domain Free Exercise DB to your library",
        ExercisesInput,
        CandidateRecord(many=True),
        description="What your library has already is skipped: the same request again adds nothing.",
    )
    def post(self, request: Request) -> Response:
        body = self.body(ExercisesInput)
        found = import_exercises(clinic=self.clinic, by=self.user, **body)
        return Response(CandidateRecord(found, many=True).data)


class LookAtExercisesView(LibraryView):
    only_reads = True

    @acted("exercises.look", "What such an import would do", LookInput, CandidateRecord(many=True))
    def post(self, request: Request) -> Response:
        text = self.body(LookInput)["text"]
        found = preview_exercises(text=text, clinic=self.clinic, by=self.user)
        return Response(CandidateRecord(found, many=True).data)
