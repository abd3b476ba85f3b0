"""Days that do not count: said before they are noted, changed, taken back."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import StrictSerializer
from programs.api.staff.cases import key
from programs.api.staff.programs import PauseInput, ProgramRecord, ProgramsBase
from programs.api.staff.schema import acted, edited
from programs.models import Pause
from programs.rules.schedule import local_date
from programs.services import plan
from programs.services.pauses import PausePreview, preview_pause


class PauseEdit(StrictSerializer):
    """What changes of a pause."""

    kind = serializers.ChoiceField(choices=Pause.Kind.choices, required=False)
    starts_on = serializers.DateField(required=False)
    ends_on = serializers.DateField(required=False, allow_null=True, help_text="The first day back.")
    note = serializers.CharField(required=False, allow_blank=True, max_length=300)


class PauseEffectInput(PauseInput):
    pause = key("The one whose dates these replace.", required=False)


class PauseEffectRecord(serializers.Serializer[PausePreview]):
    """What such a pause would do to clock and check-ins; null while its end is open."""

    days = serializers.IntegerField(allow_null=True, help_text="Off the clock.")
    past_days = serializers.IntegerField(help_text="Of them over already.")
    week_now = serializers.IntegerField()
    week_then = serializers.IntegerField()
    check_ins = serializers.IntegerField(allow_null=True, help_text="Not asked for.")
    answers = serializers.IntegerField(
        help_text="Days inside it that were answered, and are not judged then."
    )
    lines = serializers.ListField(child=serializers.CharField(), help_text="The same in words.")


class PauseEffectView(ProgramsBase):
    only_reads = True

    @acted("programs.pause_effect", "What such a pause would do", PauseEffectInput, PauseEffectRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body, program = self.body(PauseEffectInput), self.find(self.all(), pk)
        pauses = Pause.objects.filter(program=program).select_related("program")
        found = preview_pause(
            program=program,
            kind=body["kind"],
            starts_on=body.get("starts_on") or local_date(self.now, program.episode.patient.timezone),
            ends_on=body.get("ends_on"),
            now=self.now,
            changed=self.choose("pause", pauses, body["pause"]) if "pause" in body else None,
        )
        return Response(PauseEffectRecord(found).data)


class PauseEditView(ProgramsBase):
    @edited("programs.edit_pause", "Other dates of a pause", PauseEdit, ProgramRecord)
    def patch(self, request: Request, pk: str, pause: str) -> Response:
        body = self.body(PauseEdit)
        program = self.edit(pk, self.all(), self.shown)
        row = self.find(Pause.objects.filter(program=program).select_related("program"), pause)
        present = {name: getattr(row, name) for name in ("kind", "starts_on", "ends_on", "note")}
        plan.change_pause(pause=row, by=self.user, now=self.now, **present | body)
        return self.answer(self.again(program))


class CancelPauseView(ProgramsBase):
    @acted("programs.cancel_pause", "Take a pause back: its days count again", None, ProgramRecord, 404)
    def post(self, request: Request, pk: str, pause: str) -> Response:
        program = self.find(self.all(), pk)
        row = self.find(Pause.objects.filter(program=program).select_related("program"), pause)
        plan.cancel_pause(pause=row, by=self.user, now=self.now)
        return self.answer(self.again(program))
