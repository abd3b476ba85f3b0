"""Who is away and who stands in; and a whole caseload handed over."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.absences import end_absence, set_absence
from clinic.api.serializers import StrictSerializer
from clinic.models import Absence, Membership
from clinic.roles import Capability
from programs.api.staff.base import PageQuery, StaffView, page_of
from programs.api.staff.cases import key
from programs.api.staff.schema import acted, created, listed
from programs.services.hand_overs import reassign_caseload


class AbsenceRecord(serializers.ModelSerializer[Absence]):
    """A clinician is away, the last day included; without `cover` the standing cover, else the owners."""

    class Meta:
        model = Absence
        fields = ("id", "clinician", "cover", "starts_on", "ends_on", "set_by", "set_at")


class AbsenceQuery(PageQuery):
    """Which absences."""

    clinician = key("Of this member.", required=False)
    until = serializers.DateField(required=False, help_text="Begun on this day at the latest.")
    since = serializers.DateField(required=False, help_text="Not over before this day.")


class AbsenceInput(StrictSerializer):
    clinician = key("Who is away; empty: the token's member.", required=False)
    cover = key("Who stands in.", required=False, allow_null=True)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(help_text="The last day.")


class AbsencesBase(StaffView):
    reads = Capability.READ_STATE

    def all(self) -> QuerySet[Any]:
        return Absence.objects.all()

    def shown(self, absence: Absence) -> Any:
        return AbsenceRecord(absence).data


class AbsencesView(AbsencesBase):
    query = AbsenceQuery

    @listed("absences.list", "Who is away when", page_of(AbsenceRecord), AbsenceQuery)
    def get(self, request: Request) -> Response:
        asked = self.asked.validated_data
        names = {"clinician": "clinician", "until": "starts_on__lte", "since": "ends_on__gte"}
        rows = self.all().filter(**{names[n]: asked[n] for n in names if n in asked})
        return self.page(rows, AbsenceRecord)

    @created("absences.set", "Plan an absence: one's own; an owner anybody's", AbsenceInput, AbsenceRecord)
    def post(self, request: Request) -> Response:
        return self.create(self.all(), self._set, self.shown)

    def _set(self) -> Absence:
        body = self.body(AbsenceInput)
        cover = body.pop("cover", None)
        who = self.member("clinician", body.pop("clinician", self.user.pk))
        return set_absence(
            membership=Membership.objects.get(clinic=self.clinic, user=who),
            by=self.user,
            cover=None if cover is None else self.member("cover", cover),
            now=self.now,
            **body,
        )


class AbsenceView(AbsencesBase):
    @acted("absences.end", "They are back, or do not go", None, None, 404, code=204)
    def delete(self, request: Request, pk: str) -> Response:
        end_absence(absence=self.find(self.all(), pk), by=self.user, now=self.now)
        return Response(status=204)


class CaseloadInput(StrictSerializer):
    hand_over_to = key("Who treats these cases from now on.")
    why = serializers.CharField(allow_blank=True, default="", max_length=300)


class HandedRecord(serializers.Serializer[Any]):
    cases = serializers.IntegerField(help_text="How many.")


class HandOverCaseloadView(StaffView):
    reads = Capability.READ_STATE
    acts = Capability.MANAGE_CLINIC

    @acted(
        "staff.hand_over", "Hand a member's whole caseload to a colleague", CaseloadInput, HandedRecord, 404
    )
    def post(self, request: Request, pk: str) -> Response:
        """Open cases, and closed ones whose red flag nobody has cleared. The colleague is told once."""
        body, membership = self.body(CaseloadInput), self.find(Membership.objects.all(), pk)
        to = self.member("hand_over_to", body["hand_over_to"])
        handed = reassign_caseload(membership=membership, to=to, by=self.user, now=self.now, why=body["why"])
        return Response(HandedRecord({"cases": handed}).data)
