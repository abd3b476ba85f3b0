"""What is asked: the check-ins that are due, and the words to ask them with."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from programs.models import CheckInRequest
from programs.services.record import CheckInState


class CheckInSerializer(serializers.ModelSerializer[CheckInRequest]):
    """One question, of one local date."""

    case = serializers.CharField(source="program.episode.case_number")
    answer_until = serializers.DateTimeField(
        source="missed_at", help_text="Unanswered then, it counts as missed."
    )
    asks_activity = serializers.SerializerMethodField(
        help_text="After discharge: ask `activity_question` too, answered in `back_to_activity`."
    )

    class Meta:
        model = CheckInRequest
        fields = ("id", "case", "local_date", "due_at", "answer_until", "answered_at", "asks_activity")

    def get_asks_activity(self, request: CheckInRequest) -> bool:
        return request.watch_id is not None


class SymptomSerializer(serializers.Serializer[Any]):
    """A symptom to tick; ``code`` goes into ``red_flags``."""

    code = serializers.CharField(source="value")
    question = serializers.CharField()
    tier = serializers.CharField()


class CheckInsSerializer(serializers.Serializer[Any]):
    """The check-ins, with all that is needed to ask."""

    question = serializers.CharField()
    activity_question = serializers.CharField()
    symptoms = SymptomSerializer(many=True)
    note_hint = serializers.CharField(help_text="Show it beside the note.")
    state = serializers.ChoiceField(choices=[state.value for state in CheckInState])
    check_ins = CheckInSerializer(many=True)
