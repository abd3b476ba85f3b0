"""An assessment's values in the API: the columns and lists of ``programs.services.assessment_data``."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from clinic.api.serializers import StrictSerializer
from patients.models import Assessment
from patients.scoring import Question
from patients.vocabulary import OutcomeMeasure
from programs.services.assessment_data import COLUMNS, KINDS, SCORES

MOST_ROWS = 100


class StrictModelSerializer(StrictSerializer, serializers.ModelSerializer[Any]):
    """A model's columns, and no others. What its constraints forbid is the service's to say."""


ARM = {"lever_arm_m": {"min_value": Decimal("0.05"), "max_value": Decimal(1)}}
"""The model names its bounds as floats."""


def _rows(name: str) -> serializers.BaseSerializer[Any]:
    kind = KINDS[name]
    about = {"model": kind.model, "fields": kind.columns, "validators": []}
    if "lever_arm_m" in kind.columns:
        about["extra_kwargs"] = ARM
    meta = type("Meta", (), about)
    made = type(
        f"{kind.model.__name__}Values",
        (StrictModelSerializer,),
        {"Meta": meta, "__doc__": kind.model.__doc__},
    )
    rows: serializers.BaseSerializer[Any] = made(many=True, required=False, max_length=MOST_ROWS)
    return rows


class ScoreValues(StrictSerializer):
    """A score of an outcome measure: its items, or its total."""

    measure = serializers.ChoiceField(choices=OutcomeMeasure.choices())
    taken_on = serializers.DateField(required=False, allow_null=True)
    value = serializers.DecimalField(max_digits=4, decimal_places=1, required=False, allow_null=True)
    items = serializers.DictField(required=False, help_text="Item code to chosen points.")


class AssessmentValues(StrictModelSerializer):
    """What was found. Left out, a column keeps what it holds; a list that is sent replaces its rows."""

    strength_tests = _rows("strength_tests")
    q_angles = _rows("q_angles")
    aggravating_activities = _rows("aggravating_activities")
    flexibility_tests = _rows("flexibility_tests")
    foot_postures = _rows("foot_postures")
    movement_tests = _rows("movement_tests")
    outcome_scores = ScoreValues(many=True, required=False, max_length=MOST_ROWS)

    class Meta:
        model = Assessment
        fields = (*COLUMNS, *KINDS, SCORES)
        validators: list[Any] = []
        extra_kwargs = {"assessed_on": {"required": False, "help_text": "Empty: today."}}


class DraftValues(AssessmentValues):
    """What is typed so far."""

    class Meta(AssessmentValues.Meta):
        extra_kwargs = {**AssessmentValues.Meta.extra_kwargs, "kind": {"required": False}}


class AssessmentBody(StrictSerializer):
    """Values, with what is to happen to them."""

    values = AssessmentValues()
    confirmed = serializers.ListField(
        child=serializers.CharField(max_length=200),
        default=list,
        max_length=MOST_ROWS,
        help_text="Unusual values that are right: the `confirm` of their errors.",
    )
    from_draft = serializers.BooleanField(
        default=False, help_text="It was typed in your draft, which is gone with it."
    )
    sign = serializers.BooleanField(default=False, help_text="From then on nothing of it changes.")


def questions(found: list[Question]) -> dict[str, list[str]]:
    """Unusual values, by path, each with what confirms it."""
    return {
        f"values.{one.path}": [f'{one.text} If it is right, send "{one.key}" in `confirmed`.']
        for one in found
    }
