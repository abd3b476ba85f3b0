"""One exercise or program of the library: read by everybody who treats; the clinic's own is edited here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import StrictSerializer
from clinic.api.versions import require_version
from programs.api.staff.library import ExerciseRecord, LibraryView, TemplateRecord
from programs.api.staff.library_inputs import ExerciseEdit, TemplateEdit
from programs.api.staff.schema import edited, read
from programs.models import Clip, Exercise, Template
from programs.services.edits import check_own, edit_exercise, edit_template
from programs.services.library import set_clip


class ClipRecord(serializers.Serializer[Any]):
    url = serializers.CharField(help_text="Empty: no link.")


class ClipInput(StrictSerializer):
    """The film that your patients find beside the exercise."""

    url = serializers.CharField(max_length=500, allow_blank=True, help_text="https; empty: no link.")


class OwnView(LibraryView):
    def edit(self, key: str, rows: QuerySet[Any], shown: Callable[[Any], Any]) -> Any:
        """The starter library is refused before its row would be locked."""
        check_own(row=self.find(rows, key), by=self.user)
        return super().edit(key, rows, shown)


class ExerciseView(OwnView):
    def shown(self, exercise: Exercise) -> Any:
        return ExerciseRecord(exercise).data

    @read("exercises.read", "An exercise", ExerciseRecord)
    def get(self, request: Request, pk: str) -> Response:
        return self.answer(self.shown(self.find(Exercise.objects.all(), pk)))

    @edited("exercises.edit", "Change an exercise of your own", ExerciseEdit, ExerciseRecord)
    def patch(self, request: Request, pk: str) -> Response:
        body = self.body(ExerciseEdit)
        exercise = self.edit(pk, Exercise.objects.all(), self.shown)
        return self.answer(self.shown(edit_exercise(exercise=exercise, values=body, by=self.user)))


class TemplateView(OwnView):
    def all(self) -> QuerySet[Any]:
        return Template.objects.prefetch_related("stages__doses")

    def shown(self, template: Template) -> Any:
        return TemplateRecord(template).data

    @read("templates.read", "A program to assign, stage by stage", TemplateRecord)
    def get(self, request: Request, pk: str) -> Response:
        return self.answer(self.shown(self.find(self.all(), pk)))

    @edited("templates.edit", "Change a program of your own", TemplateEdit, TemplateRecord)
    def patch(self, request: Request, pk: str) -> Response:
        body = self.body(TemplateEdit)
        template = self.edit(pk, self.all(), self.shown)
        edit_template(template=template, values=body, by=self.user)
        return self.answer(self.shown(self.find(self.all(), pk)))


class ClipView(LibraryView):
    """Of an exercise of the starter library too: the link is the clinic's own."""

    def clips(self, pk: str) -> QuerySet[Clip]:
        return Clip.objects.filter(clinic=self.clinic, exercise=self.find(Exercise.objects.all(), pk))

    def shown(self, clip: Clip | None) -> Any:
        return {"url": clip.url if clip else ""}

    @read("exercises.clip", "Your clip of an exercise", ClipRecord)
    def get(self, request: Request, pk: str) -> Response:
        return self.answer(self.shown(self.clips(pk).first()))

    @edited("exercises.set_clip", "Link an exercise to your own clip", ClipInput, ClipRecord)
    def put(self, request: Request, pk: str) -> Response:
        body, exercise = self.body(ClipInput), self.find(Exercise.objects.all(), pk)
        require_version(request, self.shown(self.clips(pk).select_for_update(no_key=True).first()))
        clip = set_clip(exercise=exercise, clinic=self.clinic, url=body["url"], by=self.user)
        return self.answer(self.shown(clip))
