"""What a case told from day to day: the patient's answers, and the verdicts of its reviews."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from patients.models import Episode
from programs.api.staff.base import PageQuery, StaffView, page_of
from programs.api.staff.schema import listed
from programs.models import Answer, Review


class AnswerRecord(serializers.ModelSerializer[Answer]):
    """What the patient answered: pain of the last `recall_days`, per knee. The latest correction."""

    case = serializers.IntegerField(source="episode_id")

    class Meta:
        model = Answer
        fields = (
            *("id", "case", "local_date", "occurred_at", "worst_left", "worst_right", "usual_left"),
            *(
                "usual_right",
                "recall_days",
                "locations_left",
                "locations_right",
                "red_flags",
                "limping",
                "note",
            ),
        )


class ReviewRecord(serializers.ModelSerializer[Review]):
    """The verdict on a case as of a day, with its evidence, in the terms of the stall rule."""

    case = serializers.IntegerField(source="episode_id")
    evidence = serializers.SerializerMethodField()

    class Meta:
        model = Review
        fields = (
            *(
                "id",
                "case",
                "program",
                "day",
                "week",
                "state",
                "trend",
                "reason",
                "action",
                "baseline",
                "now",
            ),
            *("sessions_done", "sessions_due", "evidence", "thresholds"),
        )

    def get_evidence(self, review: Review) -> list[str]:
        return [row["text"] for row in review.verdict.get("evidence") or [] if row.get("text")]


class CourseQuery(PageQuery):
    """A page of one case."""


class AnswersView(StaffView):
    query = CourseQuery

    @listed("cases.answers", "What the patient answered", page_of(AnswerRecord), CourseQuery, 404)
    def get(self, request: Request, pk: str) -> Response:
        episode = self.find(Episode.objects.all(), pk)
        return self.page(Answer.objects.current().filter(episode=episode), AnswerRecord)


class ReviewsView(StaffView):
    query = CourseQuery

    @listed("cases.reviews", "The verdicts of its reviews", page_of(ReviewRecord), CourseQuery, 404)
    def get(self, request: Request, pk: str) -> Response:
        episode: Any = self.find(Episode.objects.all(), pk)
        return self.page(Review.objects.filter(episode=episode), ReviewRecord)
