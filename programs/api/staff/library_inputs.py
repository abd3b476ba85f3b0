"""What a tool sends of the clinic's own exercises and programs to assign."""

from __future__ import annotations

from rest_framework import serializers

from clinic.api.serializers import StrictSerializer
from patients.vocabulary import Diagnosis, MuscleGroup
from programs.api.staff.cases import key
from programs.models import Exercise
from programs.rules.library.document import MAX_DOSES, MAX_EMPHASIS, MAX_STAGES
from programs.rules.library.reading import MAX_LINES

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
    tags = lines(40, "`deep_knee_flexion` tells the match; `hamstring_length` and the like what it is for.")
    cues = lines(300, "For the patient, one a line.")
    equipment = serializers.CharField(max_length=200, required=False, allow_blank=True)
    per_side = serializers.BooleanField(required=False, help_text="Each side; else both together.")
    easier = serializers.SlugField(max_length=80, required=False, allow_blank=True, help_text="Its slug.")
    harder = serializers.SlugField(max_length=80, required=False, allow_blank=True, help_text="Its slug.")
    source = serializers.CharField(max_length=200, required=False, allow_blank=True)


class NewExercise(ExerciseEdit):
    """A new exercise of your own; its slug is made of its name."""

    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(choices=Exercise.Kind.choices)


class TemplateDoseInput(StrictSerializer):
    """How much of an exercise: sets of repetitions or of seconds, low to high."""

    exercise = key("Of the library.")
    sets = serializers.IntegerField(min_value=1, max_value=20, required=False, allow_null=True)
    reps_low = serializers.IntegerField(min_value=0, max_value=200, required=False, allow_null=True)
    reps_high = serializers.IntegerField(min_value=0, max_value=200, required=False, allow_null=True)
    seconds_low = serializers.IntegerField(min_value=0, max_value=7200, required=False, allow_null=True)
    seconds_high = serializers.IntegerField(min_value=0, max_value=7200, required=False, allow_null=True)
    per_side = serializers.BooleanField(default=False)
    times_per_week = serializers.IntegerField(default=3, min_value=1, max_value=14, help_text="7 = daily.")
    tempo = serializers.CharField(default="", max_length=80, allow_blank=True)
    note = serializers.CharField(default="", max_length=300, allow_blank=True)
    source = serializers.CharField(default="", max_length=100, allow_blank=True)


class TemplateStageInput(StrictSerializer):
    """A stage; its number is its place in the list."""

    name = serializers.CharField(max_length=120)
    goal = serializers.CharField(default="", max_length=2000, allow_blank=True)
    advice = serializers.CharField(default="", max_length=10_000, allow_blank=True)
    min_days = serializers.IntegerField(
        default=7, min_value=0, max_value=1000, help_text="Least days here before the next stage."
    )
    max_weeks = serializers.IntegerField(
        default=None, min_value=0, max_value=1000, allow_null=True, help_text="Longer asks 'under-loaded?'."
    )
    is_running = serializers.BooleanField(default=False, help_text="Opened by the running gate.")
    doses = TemplateDoseInput(many=True, required=False, max_length=MAX_DOSES)


class TemplateEdit(StrictSerializer):
    """What changes of your own program. `stages`, if they are sent, replace all that were there."""

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
    stages = TemplateStageInput(many=True, required=False, max_length=MAX_STAGES)


class NewTemplate(TemplateEdit):
    """A new program to assign, of your own; its slug is made of its name."""

    name = serializers.CharField(max_length=120)
    diagnoses = serializers.ListField(
        child=serializers.ChoiceField(choices=Diagnosis.choices()), min_length=1, max_length=MAX_LINES
    )
    stages = TemplateStageInput(many=True, max_length=MAX_STAGES)
