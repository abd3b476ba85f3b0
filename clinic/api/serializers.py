"""Input that is refused rather than guessed: unknown fields, instants without a zone, pain out of range."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.timezone import is_naive
from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from clinic.api.parsing import TWICE

UNKNOWN = ErrorDetail("Unknown field.", code="unknown")
GIVEN_TWICE = ErrorDetail("Given twice.", code="twice")


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, or twice: a misspelt name must not lose a pain score silently."""

    default_error_messages = {"invalid": "Expected an object."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        known = {name for name, field in self.fields.items() if not field.read_only}
        wrong = {name: [GIVEN_TWICE] for name, value in data.items() if value is TWICE}
        wrong |= {name: [UNKNOWN] for name in data if name not in known}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            known_errors: Any = error.detail
            raise serializers.ValidationError({**known_errors, **wrong}) from None
        if wrong:
            raise serializers.ValidationError(wrong)
        return value


class StrictSchema(OpenApiSerializerExtension):
    """The document says so too."""

    target_class = StrictSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        mapped = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**mapped, "additionalProperties": False}


class PainField(serializers.DecimalField):
    """Pain on the 0-10 NPRS with one decimal."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_digits=3, decimal_places=1, min_value=Decimal(0), max_value=Decimal(10), **kwargs
        )


class TextUUIDField(serializers.UUIDField):
    """A UUID as text; DRF would take any integer for one."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        value: UUID = super().to_internal_value(data)
        return value


class InstantField(serializers.DateTimeField):
    """A date and time with its offset, kept in UTC: a local time alone does not say when."""

    default_error_messages = {"naive": "Needs an offset, such as 2026-03-02T18:00:00+01:00."}

    def enforce_timezone(self, value: datetime) -> datetime:
        if is_naive(value):
            self.fail("naive")
        try:
            return value.astimezone(UTC)
        except OverflowError:
            self.fail("overflow")
