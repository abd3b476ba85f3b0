"""Who has read the patient's record."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.audit.models import AuditEntry
from clinic.audit.reading import READERS_SHOWN, readers
from programs.api.base import PatientView, problems
from programs.api.inputs import AccessLogQuery


class AccessSerializer(serializers.Serializer[Any]):
    """One showing of the record."""

    at = serializers.DateTimeField()
    name = serializers.CharField(source="by.name")
    role = serializers.CharField(
        source="by.role",
        help_text="In the clinic, today, or that of an operator of the service; may be empty.",
    )
    kind = serializers.ChoiceField(choices=AuditEntry.Kind.choices)


class AccessLogSerializer(serializers.Serializer[Any]):
    """A page, the latest first."""

    entries = AccessSerializer(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="Pass it as `before`; null on the last page.")


class AccessLogView(PatientView):
    query = AccessLogQuery

    @extend_schema(
        tags=["me"],
        summary="Who has read my record",
        description="Everyone but me: who, when, and whether it was opened, in a list or exported.",
        parameters=[AccessLogQuery],
        responses={200: AccessLogSerializer, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        before = self.asked.validated_data["before"]
        found = readers(patient=self.patient, before=before, most=READERS_SHOWN + 1)
        page = found[:READERS_SHOWN]
        more = len(found) > READERS_SHOWN
        return Response(AccessLogSerializer({"entries": page, "next": page[-1].id if more else None}).data)
