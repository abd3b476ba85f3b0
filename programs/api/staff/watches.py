"""The relapse watch over a closed case."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import PainField
from clinic.roles import Capability
from programs.api.staff.cases import CasesBase
from programs.api.staff.schema import acted, read
from programs.models import RelapseWatch
from programs.services.watches import end_watch


class WatchRecord(serializers.ModelSerializer[RelapseWatch]):
    """Asks once a month whether the pain is back."""

    case = serializers.IntegerField(source="episode_id")
    pain_at_discharge = PainField(allow_null=True)
    end_reason = serializers.ChoiceField(choices=RelapseWatch.End.choices, allow_blank=True)

    class Meta:
        model = RelapseWatch
        fields = (
            *("id", "case", "program", "pain_at_discharge", "starts_on", "ends_on", "next_ask_at", "set_by"),
            *("ended_at", "end_reason", "reopened_as"),
        )


class WatchView(CasesBase):
    reads = Capability.READ_CLINICAL

    def watch(self, pk: str) -> RelapseWatch:
        found = RelapseWatch.objects.filter(episode=self.find(self.all(), pk)).first()
        if found is None:
            raise exceptions.NotFound
        return found

    def told(self, watch: RelapseWatch) -> Any:
        return WatchRecord(watch).data

    @read("cases.watch", "The relapse watch over a closed case", WatchRecord)
    def get(self, request: Request, pk: str) -> Response:
        return self.answer(self.told(self.watch(pk)))

    @acted("cases.end_watch", "End the relapse watch: the patient is asked no more", None, WatchRecord, 404)
    def delete(self, request: Request, pk: str) -> Response:
        return self.answer(self.told(end_watch(watch=self.watch(pk), by=self.user, now=self.now)))
