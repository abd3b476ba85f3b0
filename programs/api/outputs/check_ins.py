"""What is asked: the check-ins that are due, and the words to ask them with."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from programs.models import CheckInRequest
from programs.rules.schedule import recall_words
from programs.services.record import CheckInState

QUESTION = "How bad was the worst pain in each knee in the last {span}, from 0 (none) to 10?"


def question(recall_days: int) -> str:
    """Worst pain over so many days, in the words to ask it with."""
    return QUESTION.format(span=recall_words(recall_days))


class CheckInSerializer(serializers.ModelSerializer[CheckInRequest]):
    """One question, of one local date."""

    case = serializers.CharField(source="program.episode.case_number")
    answer_until = serializers.DateTimeField(
        source="missed_at", help_text="Unanswered then, it counts as missed."
    )
    asks_activity = serializers.SerializerMethodField(
        help_text="After discharge: ask `activity_question` too, answered in `back_to_activity`."
    )

    question = serializers.SerializerMethodField(help_text="Ask it in these words: a score keeps its window.")

    class Meta:
        model = CheckInRequest
        fields = (
            *("id", "case", "local_date", "due_at", "answer_until", "answered_at"),
            *("recall_days", "question", "asks_activity"),
        )
        read_only_fields = ("recall_days",)

    def get_question(self, request: CheckInRequest) -> str:
        return question(request.recall_days)

    def get_asks_activity(self, request: CheckInRequest) -> bool:
        return request.watch_id is not None


class SymptomSerializer(serializers.Serializer[Any]):
    """A symptom to tick; ``code`` goes into ``red_flags``."""

    code = serializers.CharField(source="value")
    question = serializers.CharField()
    tier = serializers.CharField()


class CheckInsSerializer(serializers.Serializer[Any]):
    """The check-ins, with all that is needed to ask."""

    question = serializers.CharField(
        help_text=(
            "That of the newest check-in that is due; the last 24 hours while none is. "
            "To ask another check-in, use its own."
        )
    )
    activity_question = serializers.CharField()
    symptoms = SymptomSerializer(many=True)
    note_hint = serializers.CharField(help_text="Show it beside the note.")
    state = serializers.ChoiceField(choices=[state.value for state in CheckInState])
    check_ins = CheckInSerializer(many=True)
