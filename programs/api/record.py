"""What the patient sees of their own record."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from programs.api.base import PatientView, instant, problems
from programs.api.inputs import CheckInQuery
from programs.api.outputs.account import AccountSerializer
from programs.api.outputs.check_ins import CheckInsSerializer, question
from programs.api.outputs.program import ProgramSerializer
from programs.api.outputs.progress import ProgressSerializer
from programs.rules.red_flags import NOTE_HINT, asked_symptoms
from programs.rules.schedule import UNASKED_RECALL_DAYS
from programs.services import record, watches

ACTIVITY_QUESTION = "Are you back to what you want to do?"


class MeView(PatientView):
    @extend_schema(
        tags=["me"],
        summary="Who I am, my clinic, how my case stands",
        description=(
            "While a red flag is open, `advice` holds the words to show first, and who has read it once "
            "somebody has."
        ),
        responses={200: AccountSerializer, **problems(401)},
    )
    def get(self, request: Request) -> Response:
        now = instant()
        account = record.account(patient=self.patient, today=self.today(now), now=now)
        return Response(AccountSerializer(account, context={"device": self.device}).data)


class ProgramView(PatientView):
    @extend_schema(
        tags=["me"],
        summary="What to do now: the present stage, its exercises and doses",
        description=(
            "404 while there is no active program. After discharge: the program that was handed out to keep "
            "up, if any."
        ),
        responses={200: ProgramSerializer, **problems(401, 404)},
    )
    def get(self, request: Request) -> Response:
        try:
            current = record.current_program(patient=self.patient, today=self.today(instant()))
        except record.NoProgram:
            raise exceptions.NotFound("You have no active program.") from None
        return Response(ProgramSerializer(current).data)


class CheckInsView(PatientView):
    query = CheckInQuery

    @extend_schema(
        tags=["me"],
        summary="My check-ins",
        description="Newest first, the last 100, each with its question, and the symptoms to tick.",
        parameters=[CheckInQuery],
        responses={200: CheckInsSerializer, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        state, now = record.CheckInState(self.asked.validated_data["state"]), instant()
        due = record.check_ins(patient=self.patient, state=record.CheckInState.DUE, now=now).first()
        answer = {
            "question": question(due.recall_days if due else UNASKED_RECALL_DAYS),
            "activity_question": ACTIVITY_QUESTION,
            "symptoms": asked_symptoms(),
            "note_hint": NOTE_HINT,
            "state": state,
            "check_ins": record.check_ins(patient=self.patient, state=state, now=now),
        }
        return Response(CheckInsSerializer(answer).data)


class ProgressView(PatientView):
    @extend_schema(
        tags=["me"],
        summary="How it goes",
        description="Pain by day, sessions by week, the light of each session and run, the stages so far.",
        responses={200: ProgressSerializer, **problems(401)},
    )
    def get(self, request: Request) -> Response:
        progress = record.progress(patient=self.patient, today=self.today(instant()))
        return Response(ProgressSerializer(progress).data)


class RelapseWatchView(PatientView):
    @extend_schema(
        tags=["me"],
        summary="No more questions after discharge",
        description="Ends the monthly check-in. Again, or without one: nothing changes.",
        responses={204: None, **problems(401)},
    )
    def delete(self, request: Request) -> Response:
        watches.stop_by_patient(patient=self.patient, now=instant())
        return Response(status=204)
