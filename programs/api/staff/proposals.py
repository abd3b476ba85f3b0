"""What the 24-hour pain rule proposes for strength work, and doing exactly that."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import StrictSerializer
from programs.api.staff.programs import ProgramRecord, ProgramsBase
from programs.api.staff.schema import acted, told
from programs.rules.pain import Proposal
from programs.rules.progression import StepKind
from programs.rules.schedule import local_date
from programs.services.proposals import Proposed, apply_proposal, proposed


class SetsRecord(serializers.Serializer[Any]):
    dose = serializers.IntegerField(source="id")
    exercise = serializers.CharField(source="name")
    before = serializers.IntegerField(help_text="Sets.")
    after = serializers.IntegerField()


class ProposalRecord(serializers.Serializer[Proposed]):
    """Progress, hold or ease, why, and what exactly one step would change."""

    proposal = serializers.ChoiceField(choices=[proposal.value for proposal in Proposal])
    reasons = serializers.ListField(child=serializers.CharField(), source="verdict.reasons")
    step = serializers.ChoiceField(choices=[kind.value for kind in StepKind], source="step.kind")
    why = serializers.CharField(source="step.why")
    changes = SetsRecord(many=True, source="step.changes")
    kept = serializers.ListField(child=serializers.CharField(), source="step.kept")
    key = serializers.CharField(help_text="Send it as `expected` to do this, and nothing else.")


class ApplyInput(StrictSerializer):
    expected = serializers.CharField(max_length=2000, help_text="The `key` that was read.")
    note = serializers.CharField(allow_blank=True, default="", max_length=200)


class ProposalView(ProgramsBase):
    @told("programs.proposal", "What is proposed for strength work", ProposalRecord, 404)
    def get(self, request: Request, pk: str) -> Response:
        program = self.find(self.all(), pk)
        today = local_date(self.now, program.episode.patient.timezone)
        return Response(ProposalRecord(proposed(program=program, today=today)).data)

    @acted("programs.apply_proposal", "Do what is proposed", ApplyInput, ProgramRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        """Refused if something else is proposed by now."""
        body = self.body(ApplyInput)
        return self.act(
            pk, lambda it, day: apply_proposal(program=it, by=self.user, now=self.now, today=day, **body)
        )
