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
from patients.vocabulary import Diagnosis, MuscleGroup
from programs.api.staff.library import ExerciseRecord, LibraryView, TemplateRecord
from programs.api.staff.schema import edited, read
from programs.models import Clip, Exercise, Template
from programs.rules.library.document import MAX_EMPHASIS
from programs.rules.library.reading import MAX_LINES
from programs.services.edits import check_own, edit_exercise, edit_template
from programs.services.library import set_clip

LONGEST_SUMMARY = 5000


def lines(longest: int, help_text: str) -> serializers.ListField:
    child = serializers.CharField(max_length=longest)
    return serializers.ListField(child=child, max_length=MAX_LINES, required=False, help_text=help_text)


class ExerciseEdit(StrictSerializer):
    """What changes of your own exercise; its slug stays."""

    name = serializers.CharField(max_length=120, required=False)
    kind = serializers.ChoiceField(choices=Exercise.Kind.choices, required=False)
    muscle_groups = serializers.ListField(
        child=serializers.ChoiceField(choices=MuscleGroup.choices()), max_length=MAX_LINES, required=False
    )
    tags = lines(40, "`deep_knee_flexion` tells the match.")
    cues = lines(300, "For the patient, one a line.")
    equipment = serializers.CharField(max_length=200, required=False, allow_blank=True)
    per_side = serializers.BooleanField(required=False, help_text="Each side; else both together.")
    easier = serializers.SlugField(max_length=80, required=False, allow_blank=True, help_text="Its slug.")
    harder = serializers.SlugField(max_length=80, required=False, allow_blank=True, help_text="Its slug.")
    source = serializers.CharField(max_length=200, required=False, allow_blank=True)


class TemplateEdit(StrictSerializer):
    """What changes of the head of your own program. Stages and doses come by `POST templates/import`."""

    name = serializers.CharField(max_length=120, required=False)
    summary = serializers.CharField(max_length=LONGEST_SUMMARY, required=False, allow_blank=True)
    diagnoses = serializers.ListField(
        child=serializers.ChoiceField(choices=Diagnosis.choices()),
        min_length=1,
        max_length=MAX_LINES,
        required=False,
    )
    drivers = serializers.DictField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_EMPHASIS),
        required=False,
        help_text="Driver to weight, 1-3, in place of all that were there.",
    )
    strength_per_week = serializers.IntegerField(min_value=1, max_value=7, required=False)
    quadriceps_only = serializers.BooleanField(required=False)
    deep_flexion = serializers.BooleanField(required=False)
    maintenance = serializers.BooleanField(required=False, help_text="For after discharge.")
    is_active = serializers.BooleanField(required=False, help_text="Whether it is offered.")


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

    @edited("templates.edit", "Change the head of a program of your own", TemplateEdit, TemplateRecord)
    def patch(self, request: Request, pk: str) -> Response:
        body = self.body(TemplateEdit)
        template = self.edit(pk, self.all(), self.shown)
        return self.answer(self.shown(edit_template(template=template, values=body, by=self.user)))


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
