"""What the patient reports. Every PUT is safe to repeat: the client makes the UUID."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from programs.api.base import CLIENT_ID, PatientView, client_uuid, diary_problems, instant, problems
from programs.api.inputs import AnswerInput, NextMorningInput, RunInput, SessionInput, ticked_symptoms
from programs.api.outputs.reports import (
    AdviceSerializer,
    RecordedAnswerSerializer,
    RecordedRunSerializer,
    RecordedSessionSerializer,
    ReportProblemSerializer,
)
from programs.models import Run, Session
from programs.services import diary
from programs.services.advice import Advice

REPEATED = (
    "The same body again answers 200 with the stored row, however late; another body under the same UUID "
    "answers 409 and changes nothing."
)
SAFETY = "With a red flag `advice` holds the words to show at once, also where the report is refused."
HELD = "While one is open, every session and run repeats them."
PUT_PROBLEMS = problems(400, 401, 404, 409, 413, 415)
REFUSALS = (400, 404, 409)
REPORT_PROBLEMS = {**problems(401, 413, 415), **problems(*REFUSALS, body=ReportProblemSerializer)}


def answer_to(output: type[Serializer[Any]], recorded: diary.Recorded[Any]) -> Response:
    return Response(output(recorded).data, status=201 if recorded.created else 200)


class ReportView(PatientView):
    """Whoever ticks a red flag reads what to do, even if the report can't be stored."""

    def handle_exception(self, exc: Exception) -> Response:
        response: Response = super().handle_exception(exc)
        if response.status_code in REFUSALS and (advice := self._advice()):
            response.data["advice"] = AdviceSerializer(advice).data
        return response

    def _advice(self) -> Advice | None:
        try:
            data = self.request.data
        except APIException:  # it can't be read, and that is not what the problem is about
            data = {}
        body = data if isinstance(data, Mapping) else {}
        return diary.advice_on_refusal(
            patient=self.patient,
            ticked=ticked_symptoms(body),
            limping=body.get("limping") is True,
            now=instant(),
        )


class AnswerView(ReportView):
    @extend_schema(
        tags=["diary"],
        summary="Answer a check-in, or report unprompted",
        description=(
            "Worst pain over the `recall_days` of the check-in it names, else over the last 24 hours. An "
            "answer counts on its date in the patient's time zone; a day's value is the highest of its "
            "answers. A red flag needs no number: it settles the check-in and gives the day no value. "
            f"{REPEATED} It also works after the check-in was missed or the program ended. {SAFETY}"
        ),
        parameters=[CLIENT_ID],
        request=AnswerInput,
        responses={201: RecordedAnswerSerializer, 200: RecordedAnswerSerializer, **REPORT_PROBLEMS},
    )
    def put(self, request: Request, client_id: str) -> Response:
        body = AnswerInput(data=request.data)
        uuid = client_uuid(client_id)
        body.is_valid(raise_exception=True)
        with diary_problems():
            recorded = diary.record_answer(
                patient=self.patient, client_id=uuid, report=body.report(), now=instant()
            )
        return answer_to(RecordedAnswerSerializer, recorded)


class SessionView(ReportView):
    @extend_schema(
        tags=["diary"],
        summary="Log an exercise session",
        description=(
            f"The exercises done and the pain around them. {REPEATED} `light` is the 24-hour rule's. "
            f"{SAFETY} {HELD}"
        ),
        parameters=[CLIENT_ID],
        request=SessionInput,
        responses={201: RecordedSessionSerializer, 200: RecordedSessionSerializer, **REPORT_PROBLEMS},
    )
    def put(self, request: Request, client_id: str) -> Response:
        body = SessionInput(data=request.data)
        uuid = client_uuid(client_id)
        body.is_valid(raise_exception=True)
        with diary_problems():
            recorded = diary.record_session(
                patient=self.patient, client_id=uuid, report=body.report(), now=instant()
            )
        return answer_to(RecordedSessionSerializer, recorded)


class RunView(ReportView):
    @extend_schema(
        tags=["diary"],
        summary="Log a run",
        description=(
            f"Distance, and the pain around it. {REPEATED} `light` is the 24-hour rule's. {SAFETY} {HELD}"
        ),
        parameters=[CLIENT_ID],
        request=RunInput,
        responses={201: RecordedRunSerializer, 200: RecordedRunSerializer, **REPORT_PROBLEMS},
    )
    def put(self, request: Request, client_id: str) -> Response:
        body = RunInput(data=request.data)
        uuid = client_uuid(client_id)
        body.is_valid(raise_exception=True)
        with diary_problems():
            recorded = diary.record_run(
                patient=self.patient, client_id=uuid, report=body.report(), now=instant()
            )
        return answer_to(RecordedRunSerializer, recorded)


class SessionNextMorningView(PatientView):
    @extend_schema(
        tags=["diary"],
        summary="How the knee was on the morning after a session",
        description="Fills the empty value, once. The same value again answers 200, another one 409.",
        parameters=[CLIENT_ID],
        request=NextMorningInput,
        responses={200: RecordedSessionSerializer, **PUT_PROBLEMS},
    )
    def put(self, request: Request, client_id: str) -> Response:
        uuid = client_uuid(client_id)
        body = NextMorningInput(data=request.data)
        body.is_valid(raise_exception=True)
        with diary_problems():
            recorded = diary.add_next_morning(
                patient=self.patient, kind=Session, client_id=uuid, now=instant(), **body.validated_data
            )
        return answer_to(RecordedSessionSerializer, recorded)


class RunNextMorningView(PatientView):
    @extend_schema(
        tags=["diary"],
        summary="How the knee was on the morning after a run",
        description="Fills the empty value, once. The same value again answers 200, another one 409.",
        parameters=[CLIENT_ID],
        request=NextMorningInput,
        responses={200: RecordedRunSerializer, **PUT_PROBLEMS},
    )
    def put(self, request: Request, client_id: str) -> Response:
        uuid = client_uuid(client_id)
        body = NextMorningInput(data=request.data)
        body.is_valid(raise_exception=True)
        with diary_problems():
            recorded = diary.add_next_morning(
                patient=self.patient, kind=Run, client_id=uuid, now=instant(), **body.validated_data
            )
        return answer_to(RecordedRunSerializer, recorded)
