"""What the patient's endpoints share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clinic.api.parsing import TWICE, accept_chunks
from clinic.api.problems import CONTENT_TYPE, Conflict, ProblemSerializer
from clinic.api.serializers import StrictSerializer
from patients.models import DeviceToken, Patient
from programs.rules.schedule import local_date
from programs.services.diary import DiaryConflict, DiaryError, DiaryNotFound

CLIENT_ID = OpenApiParameter(
    "client_id",
    OpenApiTypes.UUID,
    OpenApiParameter.PATH,
    description="A UUID that the client makes once for this row and uses again for every retry.",
)

_MEANINGS = {
    400: "What is wrong, naming each field at fault. Nothing was stored.",
    401: "No token, or one that is not valid (any more). Log in again.",
    403: "Your role, or a token that only reads, does not allow it. Nothing was changed.",
    404: "Not there, or not yours.",
    409: "Something else is stored under this UUID. It was not changed.",
    412: "It was changed since you read it. `ETag` is the present version.",
    413: "The body is too large.",
    415: "Send `application/json`.",
    428: "Send `If-Match` with the `ETag` that you read.",
    429: "Too many tries. `Retry-After` says when to come back, in seconds.",
}


def problems(*codes: int, body: type[ProblemSerializer] = ProblemSerializer) -> dict[Any, OpenApiResponse]:
    """The problems an operation may answer with, for the schema."""
    return {(code, CONTENT_TYPE): OpenApiResponse(body, description=_MEANINGS[code]) for code in codes}


class ApiView(APIView):
    """Health data: no cache on the way may keep it. A body may come in chunks, a query names what we know."""

    query: type[StrictSerializer] = StrictSerializer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        given = request.query_params
        once = {name: given[name] if len(given.getlist(name)) == 1 else TWICE for name in given}
        self.asked = self.query(data=once)
        self.asked.is_valid(raise_exception=True)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        accept_chunks(request)
        return super().initialize_request(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "no-store"
        return final


class PatientView(ApiView):
    """An endpoint about the patient whose device calls; no address names a patient."""

    @property
    def device(self) -> DeviceToken:
        return cast(DeviceToken, self.request.auth)

    @property
    def patient(self) -> Patient:
        return cast(Patient, self.device.patient)

    def today(self, now: datetime) -> date:
        return local_date(now, self.patient.timezone)


def instant() -> datetime:
    """Now: the one place where the API reads the clock."""
    return timezone.now()


def client_uuid(text: str) -> UUID:
    """The UUID in the address. Raises ValidationError naming it."""
    try:
        value: UUID = serializers.UUIDField().run_validation(text)
    except serializers.ValidationError as error:
        raise serializers.ValidationError({"client_id": error.detail}) from None
    return value


@contextmanager
def diary_problems() -> Iterator[None]:
    """Say by HTTP what the diary refused."""
    try:
        yield
    except DiaryNotFound as error:
        named = None if error.field == "client_id" else {error.field: error.message}
        raise exceptions.NotFound(named) from None
    except DiaryConflict as error:
        raise Conflict({error.field: error.message}) from None
    except DiaryError as error:
        raise exceptions.ValidationError({error.field: error.message}) from None
