"""The patient's rights: the text they agree to, and everything stored about them to take along."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.problems import Conflict
from clinic.api.serializers import StrictSerializer
from clinic.api.throttles import PatientThrottle
from patients import consents as texts
from programs.api.base import ApiView, PatientView, instant, problems
from programs.services import consents
from programs.services.privacy import export_patient

ASKED_BY_PATIENT = "Asked for by the patient in the app."


class ConsentTextSerializer(serializers.Serializer[Any]):
    """What to agree to, as Markdown."""

    version = serializers.IntegerField()
    text = serializers.CharField()


class ConsentSerializer(serializers.Serializer[Any]):
    """The present text and what was agreed to last; ``needed``: show the text and ask."""

    version = serializers.IntegerField(source="text.version")
    text = serializers.CharField(source="text.text")
    needed = serializers.BooleanField()
    accepted_version = serializers.IntegerField(source="last.version", default=None, allow_null=True)
    accepted_at = serializers.DateTimeField(source="last.accepted_at", default=None, allow_null=True)


class ConsentInput(StrictSerializer):
    version = serializers.IntegerField(min_value=1, max_value=32767, help_text="The version that was shown.")


class ExportQuery(StrictSerializer):
    content = serializers.ChoiceField(
        choices=["json", "csv"], default="json", help_text="`csv`: a zip with one file a table."
    )


class ConsentTextView(ApiView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        tags=["auth"],
        summary="The text to agree to",
        description="Show it before an invitation is accepted, and send its version along.",
        responses={200: ConsentTextSerializer},
    )
    def get(self, request: Request) -> Response:
        return Response(ConsentTextSerializer(texts.current()).data)


class ConsentView(PatientView):
    @extend_schema(
        tags=["me"],
        summary="What I agreed to",
        description="A new version of the text is asked for again: `needed` says so.",
        responses={200: ConsentSerializer, **problems(401)},
    )
    def get(self, request: Request) -> Response:
        return Response(ConsentSerializer(consents.agreed(patient=self.patient)).data)

    @extend_schema(
        tags=["me"],
        summary="Agree to the text",
        description=(
            "409 where the text is at a newer version. Under 18 the clinic notes a guardian's consent first."
        ),
        request=ConsentInput,
        responses={200: ConsentSerializer, **problems(400, 401, 409, 413, 415)},
    )
    def put(self, request: Request) -> Response:
        body = ConsentInput(data=request.data)
        body.is_valid(raise_exception=True)
        now = instant()
        try:
            agreed = consents.agree(
                patient=self.patient, now=now, today=self.today(now), **body.validated_data
            )
        except consents.StaleVersion as error:
            raise Conflict({error.field: error.message}) from None
        except consents.ConsentError as error:
            raise exceptions.ValidationError({error.field: error.message}) from None
        return Response(ConsentSerializer(agreed).data)


class ExportView(PatientView):
    throttle_classes = (PatientThrottle,)
    query = ExportQuery

    @extend_schema(
        tags=["me"],
        summary="Everything stored about me",
        parameters=[ExportQuery],
        responses={
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "application/zip"): OpenApiTypes.BINARY,
            **problems(400, 401, 429),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        export = export_patient(patient=self.patient, by=None, reason=ASKED_BY_PATIENT, now=instant())
        if self.asked.validated_data["content"] == "csv":
            return _file(export.as_zip(), "application/zip", "my-data.zip")
        return _file(export.as_json().encode(), "application/json", "my-data.json")


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=kind, headers=headers)
