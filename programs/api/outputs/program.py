"""What to do now: exercises, running, and why there is nothing to do."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.templatetags.static import static
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from patients.vocabulary import RunningTrack
from programs.api.outputs.reports import AdviceSerializer
from programs.models import Exercise, Pause, ProgramDose
from programs.rules.progression import Terrain
from programs.services.record import CaseState


class ExerciseSerializer(serializers.ModelSerializer[Exercise]):
    kind = serializers.CharField()
    cues = serializers.ListField(child=serializers.CharField())
    drawing = serializers.SerializerMethodField(
        help_text="An animated SVG that anybody may load. With `#still` behind it, it shows start and end at "
        "once: for who wants no motion. Null for an exercise of the clinic's own."
    )
    clip = serializers.SerializerMethodField(
        help_text="The clinic's own film of it, an https address; null where there is none."
    )

    class Meta:
        model = Exercise
        fields = ("slug", "name", "kind", "cues", "equipment", "drawing", "clip")

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_clip(self, exercise: Any) -> str | None:
        return exercise.own_clips[0].url if exercise.own_clips else None

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_drawing(self, exercise: Exercise) -> str | None:
        return f"{settings.SITE_URL}{static(exercise.drawing)}" if exercise.drawing else None


class DoseSerializer(serializers.ModelSerializer[ProgramDose]):
    """An exercise as dosed for this person; ``text`` is how a physio writes it: 3 x 8 per side."""

    exercise = ExerciseSerializer()
    text = serializers.CharField()
    frequency = serializers.CharField()

    class Meta:
        model = ProgramDose
        fields = (
            *("id", "exercise", "text", "frequency", "sets", "reps_low", "reps_high"),
            *("seconds_low", "seconds_high", "per_side", "times_per_week", "tempo", "note"),
        )


class PauseSerializer(serializers.ModelSerializer[Pause]):
    """Days off; ``ends_on`` is the first day back."""

    kind = serializers.CharField()

    class Meta:
        model = Pause
        fields = ("kind", "starts_on", "ends_on")


class StageSerializer(serializers.Serializer[Any]):
    """The present stage of the program and the exercises that are due in it."""

    number = serializers.IntegerField(source="stage.number")
    of = serializers.IntegerField(help_text="Stages in all.")
    name = serializers.CharField(source="stage.name")
    goal = serializers.CharField(source="stage.goal")
    advice = serializers.CharField(help_text="Empty while the program is on hold or paused.")
    since = serializers.DateField()
    exercises = DoseSerializer(
        source="doses", many=True, help_text="None while the program is on hold or paused: none is due."
    )


class LadderStepSerializer(serializers.Serializer[Any]):
    """The present step of the running ladder."""

    number = serializers.IntegerField()
    of = serializers.IntegerField()
    text = serializers.CharField()


class LockSerializer(serializers.Serializer[Any]):
    """One kind of running: whether it is open now, and in words what opens it."""

    terrain = serializers.ChoiceField(choices=Terrain.choices())
    label = serializers.CharField()
    open = serializers.BooleanField()
    words = serializers.CharField()


class RunningWeekSerializer(serializers.Serializer[Any]):
    """This week's limit of who keeps running."""

    starts_on = serializers.DateField()
    limit_km = serializers.DecimalField(max_digits=5, decimal_places=1)
    run_km = serializers.DecimalField(max_digits=6, decimal_places=2)


class RunningSerializer(serializers.Serializer[Any]):
    """Running now: ``words`` say it all, line by line; the rest is the same as figures."""

    track = serializers.ChoiceField(choices=RunningTrack.choices())
    words = serializers.ListField(child=serializers.CharField())
    step = LadderStepSerializer(allow_null=True)
    next_run_from = serializers.DateField(allow_null=True)
    max_runs_a_week = serializers.IntegerField(allow_null=True)
    week = RunningWeekSerializer(allow_null=True)
    locks = LockSerializer(many=True)


class ProgramSerializer(serializers.Serializer[Any]):
    """What to do now: nothing while paused or on hold. Then ``words`` say until when; read ``advice``.

    Closed: what was handed out at discharge, to keep up; nothing of it is to be logged.
    """

    name = serializers.CharField(source="program.name")
    started_on = serializers.DateField(source="program.started_on")
    strength_per_week = serializers.IntegerField(source="program.strength_per_week")
    state = serializers.ChoiceField(
        choices=[
            CaseState.ACTIVE.value,
            CaseState.PAUSED.value,
            CaseState.ON_HOLD.value,
            CaseState.CLOSED.value,
        ]
    )
    words = serializers.CharField(
        help_text="Why there is nothing to do, and until when: show it first. Empty while active."
    )
    advice = AdviceSerializer(allow_null=True, help_text="Set while a red flag is open.")
    pause = PauseSerializer(allow_null=True)
    running = serializers.CharField(
        help_text="What to do about running; empty for who does not run. On hold or paused: ``words``."
    )
    running_plan = RunningSerializer(
        source="running_now", allow_null=True, help_text="Null for who does not run, on hold and paused."
    )
    stage = StageSerializer(allow_null=True)
