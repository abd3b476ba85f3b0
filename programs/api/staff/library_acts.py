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
from programs.api.staff.schema import created, told
from programs.models import Exercise, Template
from programs.services.library.copies import copy_exercise, copy_template
from programs.services.library.exchange import Choice, export_template, import_template

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
