"""How it goes: pain, sessions and runs of the present case."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from programs.api.outputs.reports import LightSerializer
from programs.models import StageMove


def pain(**kwargs: Any) -> serializers.DecimalField:
    return serializers.DecimalField(
        **{"max_digits": 3, "decimal_places": 1, "allow_null": True, "read_only": True, **kwargs}
    )


class DaySerializer(serializers.Serializer[Any]):
    """Worst pain of a day, the highest answer of it."""

    date = serializers.DateField(source="on")
    left = pain(source="worst_left")
    right = pain(source="worst_right")


class WeekSerializer(serializers.Serializer[Any]):
    """Strength sessions of a week, from Monday."""

    starts_on = serializers.DateField()
    sessions = serializers.IntegerField()
    prescribed = serializers.IntegerField()


class EffortSerializer(serializers.Serializer[Any]):
    """A session or run with its light."""

    kind = serializers.ChoiceField(choices=["session", "run"])
    client_id = serializers.UUIDField(source="row.client_id")
    date = serializers.DateField(source="row.local_date")
    light = LightSerializer()


class StageMoveSerializer(serializers.ModelSerializer[StageMove]):
    class Meta:
        model = StageMove
        fields = ("from_stage", "to_stage", "moved_on")


class ComparisonSerializer(serializers.Serializer[Any]):
    """Typical worst pain of the index knee, at the start and lately."""

    baseline = pain(help_text="At the start.", max_digits=4, decimal_places=2)
    now = pain(help_text="Over the last two weeks.", max_digits=4, decimal_places=2)
    as_of = serializers.DateField(source="day")


class ProgressSerializer(serializers.Serializer[Any]):
    """How it goes, of the present case."""

    words = serializers.CharField(help_text="Show it with the chart.")
    index_side = serializers.CharField(source="episode.index_side", allow_null=True)
    days = DaySerializer(many=True)
    comparison = ComparisonSerializer(source="review", allow_null=True)
    weeks = WeekSerializer(many=True)
    efforts = EffortSerializer(many=True, help_text="Newest first.")
    stage_moves = StageMoveSerializer(source="moves", many=True)
