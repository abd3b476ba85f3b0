"""Who needs me today, and why: the caseload, as the first page of the admin has it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import PainField, StrictSerializer
from clinic.roles import Capability
from patients.vocabulary import Diagnosis
from programs.api.staff.base import MOST, StaffView, page_of
from programs.api.staff.cases import key
from programs.api.staff.schema import listed, told
from programs.models import ContactLog
from programs.rules.caseload import Act, CaseState, Need, Needed
from programs.rules.stall import State
from programs.services.caseload import Line, Wanted, cases_of, clinic_figures, lines, survey, tally
from programs.services.caseload.selecting import STATES

LAST_PAGE = 10_000


class NeededRecord(serializers.Serializer[Needed]):
    """One need of a case."""

    need = serializers.ChoiceField(choices=[need.value for need in Need])
    why = serializers.CharField()
    action = serializers.CharField(help_text="What is suggested.")
    act = serializers.ChoiceField(choices=[act.value for act in Act], help_text="The kind of that.")
    alert = serializers.IntegerField(source="alert.id", allow_null=True, default=None)


class DayRecord(serializers.Serializer[Any]):
    on = serializers.DateField()
    worst = PainField(help_text="Worst pain of the index knee, NPRS 0-10.")


class LastContact(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=ContactLog.Kind.choices)
    at = serializers.DateTimeField()
    by = serializers.IntegerField(source="by_id")


class LineRecord(serializers.Serializer[Line]):
    """A case of the caseload. Findings are null for who may not read them."""

    case = serializers.IntegerField(source="row.episode.pk")
    case_number = serializers.CharField(source="row.episode.case_number")
    patient = serializers.UUIDField(source="row.episode.patient_id")
    given_name = serializers.CharField(source="row.episode.patient.given_name")
    family_name = serializers.CharField(source="row.episode.patient.family_name", allow_blank=True)
    clinician = serializers.IntegerField(source="row.episode.clinician_id")
    state = serializers.ChoiceField(
        choices=[state.value for kind in (State, CaseState) for state in kind], source="row.state_code"
    )
    program = serializers.IntegerField(source="row.program.pk", allow_null=True, default=None)
    stage = serializers.IntegerField(source="row.program.current_stage", allow_null=True, default=None)
    week = serializers.IntegerField(source="row.week", allow_null=True, help_text="Unpaused weeks.")
    last_answer_on = serializers.DateField(source="row.last_answer_on", allow_null=True)
    contact = LastContact(allow_null=True, help_text="The last one of the last 28 days.")
    needs = serializers.SerializerMethodField(help_text="The most urgent first.")
    trend = serializers.SerializerMethodField(help_text="The last 12 weeks of the program.")
    sessions_done = serializers.IntegerField(allow_null=True, help_text="Of the adherence window.")
    sessions_due = serializers.IntegerField(allow_null=True)

    @extend_schema_field(NeededRecord(many=True, allow_null=True))
    def get_needs(self, line: Line) -> Any:
        return NeededRecord(line.needs, many=True).data if line.reads else None

    @extend_schema_field(DayRecord(many=True, allow_null=True))
    def get_trend(self, line: Line) -> Any:
        if line.trend is None:
            return None
        days = [{"on": on, "worst": worst} for on, worst in sorted(line.trend.items())]
        return DayRecord(days, many=True).data


class CaseloadQuery(StrictSerializer):
    """Which cases of the caseload, and which page of them."""

    limit = serializers.IntegerField(default=50, min_value=1, max_value=MOST, help_text="Rows on a page.")
    page = serializers.IntegerField(default=1, min_value=1, max_value=LAST_PAGE, help_text="From 1.")
    search = serializers.CharField(required=False, max_length=100, help_text="Words of name or case number.")
    clinician = key("Treated by this member.", required=False)
    diagnosis = serializers.ChoiceField(choices=Diagnosis.choices(), required=False)
    stage = serializers.IntegerField(min_value=1, max_value=100, required=False)
    state = serializers.ChoiceField(choices=STATES, required=False)
    need = serializers.ChoiceField(choices=[need.value for need in Need], required=False)


class CaseloadView(StaffView):
    """Pages by number: the order is that of urgency, which no row keeps for ever."""

    reads = Capability.READ_STATE
    query = CaseloadQuery

    @listed(
        "caseload.list",
        "Who needs you today, and why: the most urgent first",
        page_of(LineRecord),
        CaseloadQuery,
        description="Open cases, and closed ones that still ask. Red flags first, whoever's case it is; then "
        "the member's own cases that need something, then colleagues' that do, then those that need nothing.",
    )
    def get(self, request: Request) -> Response:
        asked = dict(self.asked.validated_data)
        limit, page = asked.pop("limit"), asked.pop("page")
        found = survey(user=self.user, now=self.now, wanted=Wanted(**asked)).cases
        end = page * limit
        cases = cases_of(user=self.user, found=found[end - limit : end])
        shown = lines(user=self.user, episodes=cases, now=self.now)
        more = self.link(page=page + 1) if len(found) > end else None
        return Response({"results": LineRecord(shown, many=True).data, "next": more})


class FigureRecord(serializers.Serializer[Any]):
    """A value and its trend; null where there is nothing to count."""

    now = serializers.FloatField(allow_null=True)
    before = serializers.FloatField(allow_null=True, help_text="Four weeks ago.")
    change = serializers.FloatField(allow_null=True)


class FiguresRecord(serializers.Serializer[Any]):
    """Counts of the caseload, and the clinic's figures with what they were four weeks ago."""

    open = serializers.IntegerField()
    mine = serializers.IntegerField(help_text="Treated by the member.")
    red_flags = serializers.IntegerField()
    states = serializers.DictField(child=serializers.IntegerField())
    needs = serializers.DictField(child=serializers.IntegerField())
    active = FigureRecord(help_text="Open cases.")
    responding = FigureRecord(help_text="% of the cases judged from week 4 on that are on track.")
    weeks_to_success = FigureRecord(help_text="Median, of the successes of the last 12 weeks.")
    adherence = FigureRecord(help_text="% of the strength sessions due.")
    alerts = serializers.DictField(child=FigureRecord(), help_text="Unresolved alerts by reason.")


class FiguresView(StaffView):
    @told("caseload.figures", "The figures of the caseload, with their trend", FiguresRecord)
    def get(self, request: Request) -> Response:
        counts = tally(user=self.user, now=self.now)
        figures = clinic_figures(user=self.user, now=self.now)
        names = ("open", "mine", "red_flags", "states", "needs")
        trends = ("active", "responding", "weeks_to_success", "adherence", "alerts")
        told_now = {name: getattr(counts, name) for name in names}
        return Response(FiguresRecord(told_now | {name: getattr(figures, name) for name in trends}).data)
