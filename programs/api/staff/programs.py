"""A patient's own program: assign it, move its stage, pause and resume it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import StrictSerializer
from patients.models import Episode
from patients.vocabulary import RunningTrack
from programs.api.staff.base import PageQuery, StaffView, page_of
from programs.api.staff.cases import key
from programs.api.staff.library import DOSE_FIELDS, STAGE_FIELDS
from programs.api.staff.schema import acted, created, edited, listed, read, told
from programs.models import Hold, Pause, Program, ProgramDose, ProgramStage, StageMove, Template
from programs.rules.schedule import local_date
from programs.services import assign, plan, running
from programs.services.adjust import change_program
from programs.services.coverage import REASON_LENGTH
from programs.services.edits import PROGRAM_FIELDS, edit_program
from programs.services.gates import gate


class OwnDoseRecord(serializers.ModelSerializer[ProgramDose]):
    exercise = serializers.IntegerField(source="exercise_id")
    text = serializers.CharField(help_text="As a physio writes it: 3 x 8 per side.")

    class Meta:
        model = ProgramDose
        fields = (*DOSE_FIELDS, "is_active", "exercise", "text")


class OwnStageRecord(serializers.ModelSerializer[ProgramStage]):
    doses = OwnDoseRecord(many=True)

    class Meta:
        model = ProgramStage
        fields = (*STAGE_FIELDS, "doses")


class PauseRecord(serializers.ModelSerializer[Pause]):
    class Meta:
        model = Pause
        fields = ("id", "kind", "starts_on", "ends_on", "note", "paused_by")


class HoldRecord(serializers.ModelSerializer[Hold]):
    class Meta:
        model = Hold
        fields = ("since", "red_flags", "reason", "cleared_at", "cleared_by", "finding")


class StageMoveRecord(serializers.ModelSerializer[StageMove]):
    unmet = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = StageMove
        fields = ("from_stage", "to_stage", "moved_on", "moved_by", "unmet", "override_reason")


class ProgramBrief(serializers.ModelSerializer[Program]):
    """A program, as a list names it."""

    case = serializers.IntegerField(source="episode_id")
    patient = serializers.UUIDField(source="episode.patient_id")

    class Meta:
        model = Program
        fields = (
            *("id", "case", "patient", "template", "assigned_by", "started_on", "ended_on", "end_reason"),
            *("current_stage", "stage_started_on", "asleep", "fair_trial_on", "fair_trial_reason"),
            *(*PROGRAM_FIELDS, "ladder_step", "is_draft"),
        )


class ProgramRecord(ProgramBrief):
    """With its stages, pauses, holds and moves."""

    stages = OwnStageRecord(many=True)
    pauses = PauseRecord(many=True)
    holds = HoldRecord(many=True)
    stage_moves = StageMoveRecord(many=True)

    class Meta(ProgramBrief.Meta):
        fields = (*ProgramBrief.Meta.fields, "stages", "pauses", "holds", "stage_moves")


class GateRecord(serializers.Serializer[Any]):
    """Whether the next stage is open."""

    open = serializers.BooleanField()
    unmet = serializers.ListField(child=serializers.CharField(), help_text="Criteria that are not met.")


class ProgramQuery(PageQuery):
    """Which programs."""

    case = key("Of this case.", required=False)
    active = serializers.BooleanField(required=False)


class AssignInput(StrictSerializer):
    case = key("The case it is for.")
    template = key("What it is copied from.")
    started_on = serializers.DateField(required=False, help_text="Empty: today.")
    fair_trial_reason = serializers.CharField(
        default="", allow_blank=True, max_length=300, help_text="Restarts the stall clock, once per case."
    )
    reasons = serializers.DictField(
        child=serializers.CharField(max_length=REASON_LENGTH),
        default=dict,
        help_text="By what was measured, such as `hip_abductors`: why no exercise targets it.",
    )


class ProgramEdit(StrictSerializer):
    """What changes for this person; the template stays as it is."""

    name = serializers.CharField(max_length=120, required=False)
    strength_per_week = serializers.IntegerField(min_value=1, max_value=7, required=False)
    check_in_weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7),
        required=False,
        allow_null=True,
        min_length=1,
        max_length=7,
        help_text="Monday = 1. Null: as the clinic.",
    )
    check_in_time = serializers.TimeField(
        required=False, allow_null=True, help_text="Of the patient. Null: as the clinic."
    )
    testing_run_gate = serializers.BooleanField(required=False)


class StageInput(StrictSerializer):
    to_stage = serializers.IntegerField(min_value=1, max_value=100)
    override_reason = serializers.CharField(
        default="", allow_blank=True, max_length=300, help_text="Why, in spite of unmet criteria."
    )


class LadderInput(StrictSerializer):
    to_step = serializers.IntegerField(
        min_value=1, max_value=100, allow_null=True, help_text="Null: off the ladder until symptom-free."
    )
    reason = serializers.CharField(
        default="", allow_blank=True, max_length=300, help_text="Needed for more than the rule proposes."
    )


class TrackInput(StrictSerializer):
    track = serializers.ChoiceField(choices=RunningTrack.choices())
    reason = serializers.CharField(max_length=300)


class PauseInput(StrictSerializer):
    kind = serializers.ChoiceField(choices=Pause.Kind.choices)
    starts_on = serializers.DateField(required=False, help_text="Empty: today.")
    ends_on = serializers.DateField(required=False, allow_null=True, help_text="The first day back.")
    note = serializers.CharField(default="", allow_blank=True, max_length=300)


class ResumeInput(StrictSerializer):
    on = serializers.DateField(required=False, help_text="The first day back; empty: today.")


class FairTrialInput(StrictSerializer):
    on = serializers.DateField(required=False, help_text="Empty: today.")
    reason = serializers.CharField(max_length=300)


class ProgramsBase(StaffView):
    def with_drafts(self) -> QuerySet[Any]:
        return Program.with_drafts.select_related(
            "episode__patient", "episode__clinic__policy", "clinic"
        ).prefetch_related("stages__doses", "pauses", "holds", "stage_moves")

    def all(self) -> QuerySet[Any]:
        """Those that were sent."""
        return self.with_drafts().filter(is_draft=False)

    def shown(self, program: Program) -> Any:
        return ProgramRecord(program).data

    def again(self, program: Any) -> Any:
        """As it stands after a change."""
        return self.shown(self.find(self.all(), program.pk))

    def act(self, pk: str, do: Callable[[Any, Any], Any]) -> Response:
        """Do it with the program and the patient's today; show the program as it stands then."""
        program = self.find(self.all(), pk)
        do(program, local_date(self.now, program.episode.patient.timezone))
        return self.answer(self.again(program))


class ProgramsView(ProgramsBase):
    query = ProgramQuery

    @listed("programs.list", "Find programs of patients", page_of(ProgramBrief), ProgramQuery)
    def get(self, request: Request) -> Response:
        asked, rows = self.asked.validated_data, Program.objects.select_related("episode")
        if "case" in asked:
            rows = rows.filter(episode=asked["case"])
        if "active" in asked:
            rows = rows.filter(ended_on__isnull=asked["active"])
        return self.page(rows, ProgramBrief)

    @created("programs.assign", "Assign a program", AssignInput, ProgramRecord)
    def post(self, request: Request) -> Response:
        return self.create(self.all(), self._assign, self.again)

    def _assign(self) -> Program:
        body = self.body(AssignInput)
        cases = Episode.objects.select_related("patient", "clinic__policy")
        episode = self.choose("case", cases, body.pop("case"))
        template = self.library("template", Template.objects.scoped(self.user), body.pop("template"))
        today = local_date(self.now, episode.patient.timezone)
        draft = assign.prepare_program(episode=episode, template=template, by=self.user, today=today)
        return assign.send_program(program=draft, by=self.user, now=self.now, today=today, **body)


class ProgramView(ProgramsBase):
    @read("programs.read", "A program, stage by stage", ProgramRecord)
    def get(self, request: Request, pk: str) -> Response:
        return self.answer(self.shown(self.find(self.with_drafts(), pk)))

    @edited("programs.edit", "Change name, frequency or check-ins", ProgramEdit, ProgramRecord)
    def patch(self, request: Request, pk: str) -> Response:
        body = self.body(ProgramEdit)
        program = self.edit(pk, self.with_drafts(), self.shown)
        if program.is_draft:
            change_program(program=program, values=body, by=self.user)
        else:
            edit_program(program=program, values=body, by=self.user, now=self.now)
        return self.answer(self.shown(self.find(self.with_drafts(), pk)))


class GateView(ProgramsBase):
    @told("programs.gate", "Whether the next stage is open, and what is not met", GateRecord, 404)
    def get(self, request: Request, pk: str) -> Response:
        program = self.find(self.all(), pk)
        verdict = gate(program=program, today=local_date(self.now, program.episode.patient.timezone))
        unmet = [criterion.text for criterion in verdict.unmet]
        return Response(GateRecord({"open": not unmet, "unmet": unmet}).data)


class StageView(ProgramsBase):
    @acted("programs.stage", "Move to another stage", StageInput, ProgramRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body = self.body(StageInput)
        return self.act(
            pk, lambda it, day: plan.move_stage(program=it, by=self.user, now=self.now, today=day, **body)
        )


class PauseView(ProgramsBase):
    @acted("programs.pause", "Pause: these days do not count", PauseInput, ProgramRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body = self.body(PauseInput)
        return self.act(
            pk,
            lambda it, day: plan.pause(program=it, by=self.user, now=self.now, **{"starts_on": day, **body}),
        )


class ResumeView(ProgramsBase):
    @acted("programs.resume", "Resume", ResumeInput, ProgramRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body = self.body(ResumeInput)
        return self.act(
            pk, lambda it, day: plan.resume(program=it, by=self.user, now=self.now, **{"on": day, **body})
        )


class LadderView(ProgramsBase):
    @acted("programs.ladder", "Put the runner on a step of the ladder", LadderInput, ProgramRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body = self.body(LadderInput)
        return self.act(
            pk,
            lambda it, day: running.set_ladder_step(
                program=it, by=self.user, now=self.now, today=day, **body
            ),
        )


class TrackView(ProgramsBase):
    @acted("programs.track", "Still running, stopped, or no runner", TrackInput, ProgramRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body = self.body(TrackInput)
        return self.act(
            pk, lambda it, day: running.set_track(program=it, by=self.user, now=self.now, today=day, **body)
        )


class FairTrialView(ProgramsBase):
    @acted("programs.fair_trial", "Declare a new fair trial", FairTrialInput, ProgramRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body = self.body(FairTrialInput)
        return self.act(
            pk,
            lambda it, day: plan.declare_fair_trial(
                program=it, by=self.user, now=self.now, **{"on": day, **body}
            ),
        )


class WakeView(ProgramsBase):
    @acted("programs.wake", "Wake an imported program", None, ProgramRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        return self.act(pk, lambda it, day: assign.wake(program=it, by=self.user, now=self.now, today=day))
