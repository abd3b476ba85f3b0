"""What was reported, as it is stored, and what to read now."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from clinic.api.problems import ProblemSerializer
from programs.models import Answer, Run, Session, SessionExercise
from programs.rules.pain import Light
from programs.rules.red_flags import Tier


class AdviceSerializer(serializers.Serializer[Any]):
    """What the patient must read now, word for word."""

    tier = serializers.ChoiceField(choices=[(tier.value, tier.label) for tier in Tier])
    words = serializers.CharField()
    read_by = serializers.CharField(allow_null=True, help_text="Who of the clinic has read it.")
    read_at = serializers.DateTimeField(allow_null=True)


class ReportProblemSerializer(ProblemSerializer):
    """A report that was refused, with what the patient must read all the same."""

    advice = AdviceSerializer(
        required=False,
        help_text="Only where the report ticks a red flag: show it at once. The clinic was not messaged.",
    )


class LightSerializer(serializers.Serializer[Any]):
    """The 24-hour rule's verdict. Incomplete until the next morning is known."""

    light = serializers.ChoiceField(choices=[(light.value, light.label) for light in Light])
    words = serializers.CharField(help_text="What it means for the patient.")
    reasons = serializers.ListField(child=serializers.CharField())


REPORT_FIELDS = (
    *("client_id", "occurred_at", "local_date", "received_at", "corrects"),
    *("red_flags", "worse_red_flags", "limping", "note"),
)
EFFORT_FIELDS = (*REPORT_FIELDS, "pain_before", "pain_during", "pain_next_morning", "pain_rising")


class ReportSerializer(serializers.ModelSerializer[Any]):
    """A stored row; ``local_date`` is the day it counts on."""

    corrects = serializers.UUIDField(source="corrects.client_id", allow_null=True, read_only=True)
    red_flags = serializers.ListField(child=serializers.CharField(), read_only=True)
    worse_red_flags = serializers.ListField(child=serializers.CharField(), read_only=True)


class AnswerSerializer(ReportSerializer):
    class Meta:
        model = Answer
        fields = (
            *REPORT_FIELDS,
            *("request", "worst_left", "worst_right", "usual_left", "usual_right"),
            *("locations_left", "locations_right", "back_to_activity", "recall_days"),
        )
        read_only_fields = fields


class ExerciseDoneSerializer(serializers.ModelSerializer[SessionExercise]):
    class Meta:
        model = SessionExercise
        fields = ("dose", "sets_done", "reps_done", "seconds_done", "load_kg")
        read_only_fields = fields


class SessionSerializer(ReportSerializer):
    exercises = ExerciseDoneSerializer(many=True, read_only=True)

    class Meta:
        model = Session
        fields = (*EFFORT_FIELDS, "exercises")
        read_only_fields = fields


class RunSerializer(ReportSerializer):
    terrain = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Run
        fields = (*EFFORT_FIELDS, "distance_km", "minutes", "ladder_step", "terrain")
        read_only_fields = fields


class RecordedAnswerSerializer(serializers.Serializer[Any]):
    """The stored answer, and what to read now."""

    answer = AnswerSerializer(source="row")
    advice = AdviceSerializer(allow_null=True)


class RecordedSessionSerializer(serializers.Serializer[Any]):
    """The stored session, its light, and what to read now."""

    session = SessionSerializer(source="row")
    light = LightSerializer()
    advice = AdviceSerializer(allow_null=True)


class RecordedRunSerializer(serializers.Serializer[Any]):
    """The stored run, its light, and what to read now."""

    run = RunSerializer(source="row")
    against = serializers.ListField(
        child=serializers.CharField(),
        help_text="What it went against on the day it was told, a hold or a locked terrain: show it.",
    )
    light = LightSerializer()
    advice = AdviceSerializer(allow_null=True)
