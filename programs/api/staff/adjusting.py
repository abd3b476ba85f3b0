"""A program prepared for one person: adjusted, checked against what was measured, then sent."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import StrictSerializer
from patients.models import Episode
from programs.api.staff.cases import key
from programs.api.staff.programs import ProgramRecord, ProgramsBase
from programs.api.staff.schema import acted, created, edited, told
from programs.models import Exercise, Program, ProgramDose, Template
from programs.rules.differences import Difference
from programs.rules.matching import TARGETS
from programs.rules.schedule import local_date
from programs.services import adjust, assign
from programs.services.coverage import coverage

LONGEST_NUMBER = 19
"""Digits of what could be a number in the database."""


class PrepareInput(StrictSerializer):
    case = key("The case it is for.")
    template = key("What it is copied from.")


class SendInput(StrictSerializer):
    started_on = serializers.DateField(required=False, help_text="Empty: today.")
    fair_trial_reason = serializers.CharField(
        default="", allow_blank=True, max_length=300, help_text="Restarts the stall clock, once per case."
    )
    invite = serializers.BooleanField(default=False, help_text="A patient without an account is invited.")


class DoseInput(StrictSerializer):
    stage = serializers.IntegerField(min_value=1, max_value=100, help_text="Its number.")
    exercise = key("Of the library.")


class DoseEdit(StrictSerializer):
    """What changes of a dose. Taken out (`is_active` false) it stays on record, to be put back."""

    is_active = serializers.BooleanField(required=False)
    move = serializers.ChoiceField(choices=["up", "down"], required=False, help_text="One place.")
    sets = serializers.IntegerField(min_value=1, max_value=20, required=False, allow_null=True)
    reps_low = serializers.IntegerField(min_value=0, max_value=200, required=False, allow_null=True)
    reps_high = serializers.IntegerField(min_value=0, max_value=200, required=False, allow_null=True)
    seconds_low = serializers.IntegerField(min_value=0, max_value=7200, required=False, allow_null=True)
    seconds_high = serializers.IntegerField(min_value=0, max_value=7200, required=False, allow_null=True)
    per_side = serializers.BooleanField(required=False)
    times_per_week = serializers.IntegerField(min_value=1, max_value=14, required=False)
    tempo = serializers.CharField(max_length=80, required=False, allow_blank=True)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True)


class ReplaceInput(StrictSerializer):
    exercise = key("Of the library, such as the easier or harder one.")


class StageEdit(StrictSerializer):
    """What changes of a stage; when the next one opens is its `gate`."""

    name = serializers.CharField(max_length=120, required=False)
    goal = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    advice = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    min_days = serializers.IntegerField(min_value=0, max_value=1000, required=False)
    max_weeks = serializers.IntegerField(min_value=0, max_value=1000, required=False, allow_null=True)


class DifferenceRecord(serializers.Serializer[Difference]):
    """Against the template it was copied from."""

    stage = serializers.IntegerField(help_text="0: the whole program.")
    change = serializers.CharField(source="change.value")
    text = serializers.CharField()
    was = serializers.CharField()


class CoveredRecord(serializers.Serializer[Any]):
    """A deficit or another finding to treat, and what of the program treats it."""

    group = serializers.ChoiceField(choices=[(target.value, target.label) for target in TARGETS])
    deficits = serializers.ListField(child=serializers.CharField())
    first_stage = serializers.IntegerField(allow_null=True, help_text="Of the exercises that treat it.")
    reason = serializers.CharField(help_text="Why nothing does; empty where none is needed or given.")
    is_open = serializers.BooleanField(help_text="Neither an exercise nor a reason: it can't be sent so.")


class ReasonsInput(StrictSerializer):
    reasons = serializers.DictField(
        child=serializers.CharField(max_length=500, allow_blank=True),
        help_text="What stays untreated, to the reason.",
    )


class AdjustingBase(ProgramsBase):
    """Of drafts, and of running programs."""

    def all(self) -> QuerySet[Any]:
        return self.with_drafts()

    def today(self, program: Program) -> Any:
        return local_date(self.now, program.episode.patient.timezone)


class PrepareView(AdjustingBase):
    @created(
        "programs.prepare",
        "Prepare a program: nothing is asked until it is sent",
        PrepareInput,
        ProgramRecord,
    )
    def post(self, request: Request) -> Response:
        return self.create(self.all(), self._prepare, self.again)

    def _prepare(self) -> Program:
        body = self.body(PrepareInput)
        cases = Episode.objects.select_related("patient", "clinic__policy")
        episode = self.choose("case", cases, body["case"])
        template = self.library("template", Template.objects.scoped(self.user), body["template"])
        today = local_date(self.now, episode.patient.timezone)
        return assign.prepare_program(episode=episode, template=template, by=self.user, today=today)


class SendView(AdjustingBase):
    @acted("programs.send", "Send the prepared program to the patient", SendInput, ProgramRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body, program = self.body(SendInput), self.find(self.all(), pk)
        sent = assign.send_program(
            program=program, by=self.user, now=self.now, today=self.today(program), **body
        )
        return self.answer(self.again(sent))


class DiscardView(AdjustingBase):
    @acted("programs.discard", "Throw a prepared program away", None, None, 404, code=204)
    def post(self, request: Request, pk: str) -> Response:
        assign.discard_draft(program=self.find(self.all(), pk), by=self.user)
        return Response(status=204)


class DosesView(AdjustingBase):
    @acted("programs.add_exercise", "Add an exercise to a stage", DoseInput, ProgramRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body, program = self.body(DoseInput), self.find(self.all(), pk)
        stage = program.stages.filter(number=body["stage"]).first()
        exercise = Exercise.objects.scoped(self.user).filter(pk=body["exercise"]).first()
        if stage is None or exercise is None:
            raise exceptions.ValidationError({"exercise" if stage else "stage": "There is none like this."})
        adjust.add_exercise(stage=stage, exercise=exercise, by=self.user)
        return self.answer(self.again(program))


class DoseView(AdjustingBase):
    @edited("programs.edit_dose", "Change a dose, take it out or put it back", DoseEdit, ProgramRecord)
    def patch(self, request: Request, pk: str, dose: str) -> Response:
        body = self.body(DoseEdit)
        program = self.edit(pk, self.all(), self.shown)
        doses = ProgramDose.objects.filter(stage__program=program).select_related("stage", "exercise")
        row = self.find(doses, dose)
        if (wanted := body.pop("is_active", row.is_active)) != row.is_active:
            (adjust.put_back if wanted else adjust.take_out)(dose=row, by=self.user)
        if move := body.pop("move", None):
            adjust.move_exercise(dose=row, up=move == "up", by=self.user)
        if body:
            adjust.change_dose(dose=row, by=self.user, values=body)
        return self.answer(self.again(program))


class ReplaceView(AdjustingBase):
    @acted("programs.replace", "Another exercise in its place", ReplaceInput, ProgramRecord, 404)
    def post(self, request: Request, pk: str, dose: str) -> Response:
        body, program = self.body(ReplaceInput), self.find(self.all(), pk)
        doses = ProgramDose.objects.filter(stage__program=program).select_related("stage", "exercise")
        row = self.find(doses, dose)
        exercise = self.library("exercise", Exercise.objects.scoped(self.user), body["exercise"])
        adjust.replace_exercise(dose=row, exercise=exercise, by=self.user)
        return self.answer(self.again(program))


class PlanStageView(AdjustingBase):
    @edited("programs.edit_stage", "Change name, goal, advice or length", StageEdit, ProgramRecord)
    def patch(self, request: Request, pk: str, number: str) -> Response:
        body = self.body(StageEdit)
        program = self.edit(pk, self.all(), self.shown)
        # Python reads no number of thousands of digits.
        is_number = number.isdecimal() and len(number) < LONGEST_NUMBER
        stage = program.stages.filter(number=number).first() if is_number else None
        if stage is None:
            raise exceptions.NotFound
        adjust.change_stage(stage=stage, by=self.user, values=body)
        return self.answer(self.again(program))


class DifferencesView(AdjustingBase):
    @told("programs.differences", "What was adjusted for this person", DifferenceRecord(many=True), 404)
    def get(self, request: Request, pk: str) -> Response:
        found = adjust.differences(self.find(self.all(), pk))
        return Response(DifferenceRecord(found, many=True).data)


class CoverageView(AdjustingBase):
    @told("programs.coverage", "Which measured deficits it treats", CoveredRecord(many=True), 404)
    def get(self, request: Request, pk: str) -> Response:
        return Response(CoveredRecord(coverage(program=self.find(self.all(), pk)), many=True).data)

    @acted(
        "programs.give_reasons", "Why a deficit has no exercise", ReasonsInput, CoveredRecord(many=True), 404
    )
    def post(self, request: Request, pk: str) -> Response:
        reasons = self.body(ReasonsInput)["reasons"]
        program = adjust.give_reasons(program=self.find(self.all(), pk), by=self.user, reasons=reasons)
        return Response(CoveredRecord(coverage(program=program), many=True).data)
