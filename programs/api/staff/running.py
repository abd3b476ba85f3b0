"""How the patient runs: track, ladder, locks, volume, and what the pain rule proposes next."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import StrictSerializer
from patients.vocabulary import RunningTrack
from programs.api.staff.programs import ProgramRecord, ProgramsBase
from programs.api.staff.schema import acted, told
from programs.rules.progression import Terrain
from programs.rules.progression.running import Move
from programs.rules.schedule import local_date
from programs.services import running


class MoveRecord(serializers.Serializer[Any]):
    """The next move on the ladder."""

    move = serializers.ChoiceField(choices=[move.value for move in Move])
    step = serializers.IntegerField(help_text="To run next.")
    not_before = serializers.DateField(allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField())


class OpeningRecord(serializers.Serializer[Any]):
    """Whether the symptom-free days before the ladder are met."""

    open = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())


class LockRecord(serializers.Serializer[Any]):
    terrain = serializers.ChoiceField(choices=Terrain.choices())
    open = serializers.BooleanField()
    opens = serializers.CharField(help_text="What opens it.")


class VolumeRecord(serializers.Serializer[Any]):
    """A week of the volume plan."""

    starts_on = serializers.DateField()
    limit_km = serializers.FloatField()
    run_km = serializers.FloatField()
    reason = serializers.CharField()


class RunningRecord(serializers.Serializer[running.Running]):
    """Of somebody who runs. `move` is proposed on the ladder; before it `opening` says what is missing."""

    track = serializers.ChoiceField(choices=RunningTrack.choices())
    step = serializers.IntegerField(source="step.number", allow_null=True, default=None)
    step_since = serializers.DateField(allow_null=True)
    move = MoveRecord(allow_null=True)
    opening = OpeningRecord(allow_null=True)
    locks = LockRecord(many=True)
    may_open = serializers.CharField(allow_null=True, help_text="The lock that comes next, if any may.")
    weeks = VolumeRecord(many=True, help_text="Of who keeps running, oldest first.")
    runs_last_week = serializers.IntegerField()


class TerrainInput(StrictSerializer):
    terrain = serializers.ChoiceField(choices=Terrain.choices())
    reason = serializers.CharField(
        default="", allow_blank=True, max_length=300, help_text="Needed after a red run."
    )


class RunningView(ProgramsBase):
    @told("programs.running", "How the patient runs, and what is proposed", RunningRecord, 404)
    def get(self, request: Request, pk: str) -> Response:
        """404 of who does not run."""
        program = self.find(self.all(), pk)
        today = local_date(self.now, program.episode.patient.timezone)
        found = running.state_of(program=program, today=today)
        if found is None:
            raise exceptions.NotFound
        return Response(RunningRecord(found).data)


class TerrainView(ProgramsBase):
    @acted("programs.terrain", "Open the next lock of who keeps running", TerrainInput, ProgramRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body = self.body(TerrainInput)
        return self.act(
            pk,
            lambda it, day: running.open_terrain(program=it, by=self.user, now=self.now, today=day, **body),
        )
