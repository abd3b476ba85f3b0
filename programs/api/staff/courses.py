"""The course of a case: its timeline, outcome measures, re-tests and counters."""

from __future__ import annotations

from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import PainField, StrictSerializer
from clinic.roles import Capability
from patients.models import Episode
from patients.scoring import MeasureCourse
from patients.scoring.change import Better, Change, ChangeKind
from patients.vocabulary import Side
from programs.api.staff.cases import CasesBase
from programs.api.staff.schema import acted, told
from programs.models import Review
from programs.rules import prognosis
from programs.rules import timeline as drawn
from programs.rules.adherence import Week
from programs.rules.pain import Activity, Light
from programs.rules.schedule import local_date
from programs.rules.stall import State
from programs.services import timeline
from programs.services.caseload import CaseRow, case_rows
from programs.services.monitoring import monitoring_counts
from programs.services.outcomes import outcomes, record_groc
from programs.services.outlook import outlook
from programs.services.retests import compare_assessments


class PainDayRecord(serializers.Serializer[Any]):
    """NPRS 0-10; null where it was not told."""

    on = serializers.DateField()
    worst = PainField(allow_null=True)
    usual = PainField(allow_null=True)


class KneeRecord(serializers.Serializer[drawn.Knee]):
    side = serializers.ChoiceField(choices=Side.choices())
    is_index = serializers.BooleanField(help_text="Success is measured on it.")
    days = serializers.SerializerMethodField()

    @extend_schema_field(PainDayRecord(many=True))
    def get_days(self, knee: drawn.Knee) -> Any:
        days = sorted({*knee.worst, *knee.usual})
        rows = [{"on": on, "worst": knee.worst.get(on), "usual": knee.usual.get(on)} for on in days]
        return PainDayRecord(rows, many=True).data


class EffortRecord(serializers.Serializer[drawn.Effort]):
    """A session or a run, with its light by the pain rule."""

    on = serializers.DateField()
    activity = serializers.ChoiceField(choices=[activity.value for activity in Activity])
    light = serializers.ChoiceField(choices=[light.value for light in Light])
    reasons = serializers.ListField(child=serializers.CharField())
    km = serializers.FloatField(allow_null=True)


class EventRecord(serializers.Serializer[drawn.Event]):
    on = serializers.DateField()
    label = serializers.CharField()


class SpanRecord(serializers.Serializer[drawn.Span]):
    """Days that do not count."""

    kind = serializers.ChoiceField(choices=["pause", "hold"])
    label = serializers.CharField()
    start = serializers.DateField()
    end = serializers.DateField(allow_null=True, help_text="The first day that counts again.")


class RaisedRecord(serializers.Serializer[drawn.Raised]):
    """An alert, open from ``on`` until it was resolved."""

    on = serializers.DateField()
    until = serializers.DateField(allow_null=True)
    label = serializers.CharField()


class CourseRecord(serializers.Serializer[drawn.Course]):
    """The case from the first day of its first program."""

    started_on = serializers.DateField()
    today = serializers.DateField(help_text="The patient's; of a closed case the last day shown.")
    summary = serializers.SerializerMethodField(help_text="The course in words.")
    knees = KneeRecord(many=True)
    efforts = EffortRecord(many=True)
    events = EventRecord(many=True)
    spans = SpanRecord(many=True)
    alerts = RaisedRecord(many=True)
    baseline = PainField(allow_null=True, help_text="Worst pain that the last review compared with.")
    success = PainField(source="success.at", allow_null=True, default=None, help_text="Success begins here.")

    def get_summary(self, course: drawn.Course) -> str:
        return drawn.summary(course)


class WeekRecord(serializers.Serializer[Week]):
    number = serializers.IntegerField()
    starts_on = serializers.SerializerMethodField()
    done = serializers.IntegerField()
    prescribed = serializers.IntegerField(help_text="Fewer where days did not count.")
    missed = serializers.IntegerField()
    is_over = serializers.BooleanField()

    @extend_schema_field(serializers.DateField())
    def get_starts_on(self, week: Week) -> date:
        return week.days[0].on


class AdherenceRecord(serializers.Serializer[Any]):
    """Strength sessions, week by week."""

    summary = serializers.CharField()
    per_week = serializers.FloatField(allow_null=True)
    weeks = WeekRecord(many=True)


class TimelineRecord(serializers.Serializer[Any]):
    """Null both before the first program."""

    course = CourseRecord(allow_null=True)
    adherence = AdherenceRecord(allow_null=True)


class ChangeOfRecord(serializers.Serializer[Change]):
    """A change, judged against the measurement error of the measure."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in ChangeKind])
    difference = serializers.FloatField(allow_null=True)
    text = serializers.CharField()


class ScoreRecord(serializers.Serializer[Any]):
    on = serializers.DateField()
    value = serializers.FloatField()
    detail = serializers.CharField(help_text="What must match to compare.")


class MeasureRecord(serializers.Serializer[MeasureCourse]):
    """An outcome measure over time, oldest score first."""

    measure = serializers.CharField()
    label = serializers.CharField(source="about.label")
    low = serializers.IntegerField()
    high = serializers.IntegerField()
    better = serializers.ChoiceField(choices=[way.value for way in Better], source="about.better")
    source = serializers.CharField(source="about.source")
    scores = ScoreRecord(many=True)
    since_first = ChangeOfRecord(allow_null=True)
    since_last = ChangeOfRecord(allow_null=True)
    words = serializers.CharField()


class OutcomesRecord(serializers.Serializer[Any]):
    measures = MeasureRecord(many=True, source="courses")
    due = serializers.DictField(child=serializers.IntegerField(), help_text="Measure to the week it is owed.")


class GrocInput(StrictSerializer):
    groc = serializers.IntegerField(min_value=-7, max_value=7, help_text="Global rating of change.")


class VisitRecord(serializers.Serializer[Any]):
    assessment = serializers.IntegerField(source="key")
    on = serializers.DateField()
    label = serializers.CharField()


class FoundRecord(serializers.Serializer[Any]):
    words = serializers.CharField()
    how = serializers.CharField(help_text="The way it was taken; may be empty.")


class RowRecord(serializers.Serializer[Any]):
    """One measure: what each visit found."""

    label = serializers.CharField()
    cells = serializers.ListField(child=FoundRecord(many=True), help_text="One a visit.")
    change = ChangeOfRecord(allow_null=True)


class BlockRecord(serializers.Serializer[Any]):
    label = serializers.CharField()
    rows = RowRecord(many=True)


class RetestsRecord(serializers.Serializer[Any]):
    """Assessments side by side: the first and the latest."""

    visits = VisitRecord(many=True)
    left_out = serializers.IntegerField(help_text="Visits between them.")
    blocks = BlockRecord(many=True)


class CountsRecord(serializers.Serializer[Any]):
    """Counters as of today; they count and conclude nothing."""

    since = serializers.DateField()
    until = serializers.DateField()
    data_days = serializers.IntegerField()
    band = serializers.CharField()
    days_rule = serializers.CharField()
    month = serializers.DateField(help_text="Its first day.")
    minutes = serializers.IntegerField()
    untimed = serializers.IntegerField(help_text="Contacts without minutes.")
    live_contacts = serializers.IntegerField()
    month_rule = serializers.CharField()


class StatementRecord(serializers.Serializer[prognosis.Statement]):
    words = serializers.CharField()
    source = serializers.CharField()


class FactorRecord(StatementRecord):
    """What the sources tie to doing well."""

    here = serializers.CharField(help_text="How this case stands; may be empty.")
    met = serializers.BooleanField(allow_null=True, help_text="Null: not known.")


class PrognosisRecord(serializers.Serializer[Any]):
    """Base rates, no prediction; all null where the sources say nothing of the diagnosis."""

    base_rates = StatementRecord(many=True, allow_null=True)
    factors = FactorRecord(many=True, allow_null=True)
    to_say = serializers.CharField(allow_null=True, help_text="How to say so to the patient.")


class MonitoringRecord(serializers.Serializer[Any]):
    counts = CountsRecord(allow_null=True, help_text="Null where the clinic has them turned off.")


class CourseBase(CasesBase):
    reads = Capability.READ_CLINICAL

    def today(self, episode: Episode) -> Any:
        return local_date(self.now, episode.patient.timezone)

    def row(self, episode: Episode) -> CaseRow:
        return case_rows([episode], {episode.patient_id: episode.patient}, self.now, CaseRow)[episode.pk]


class TimelineView(CourseBase):
    @told("cases.timeline", "Pain, training, stages, alerts and adherence over time", TimelineRecord, 404)
    def get(self, request: Request, pk: str) -> Response:
        episode = self.find(self.all(), pk)
        today, review = self.today(episode), Review.objects.filter(episode=episode).first()
        history = timeline.read(episode=episode)
        shown = {
            "course": timeline.course(history, today=today, baseline=review.baseline if review else None),
            "adherence": timeline.adherence(history, today=today),
        }
        return Response(TimelineRecord(shown).data)


class PrognosisView(CourseBase):
    @told("cases.prognosis", "Base rates of the diagnosis, and how the case stands", PrognosisRecord, 404)
    def get(self, request: Request, pk: str) -> Response:
        episode = self.find(self.all(), pk)
        row, history = self.row(episode), timeline.read(episode=episode)
        succeeds = bool(row.verdict and row.verdict.state == State.ON_TRACK)
        found = outlook(episode=episode, history=history, today=row.today, succeeds=succeeds)
        return Response(PrognosisRecord(found or dict.fromkeys(PrognosisRecord().fields)).data)


class OutcomesView(CourseBase):
    def shown(self, episode: Episode) -> Any:
        row = self.row(episode)
        week = row.week if row.program and episode.is_open else None
        return OutcomesRecord(outcomes(episode=episode, today=row.today, week=week)).data

    @told("cases.outcomes", "Outcome measures over time, and those owed", OutcomesRecord, 404)
    def get(self, request: Request, pk: str) -> Response:
        return Response(self.shown(self.find(self.all(), pk)))

    @acted("cases.groc", "Record the global rating of change, asked today", GrocInput, OutcomesRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        """A second one that day replaces the first. Other measures come with an assessment."""
        body, episode = self.body(GrocInput), self.find(self.all(), pk)
        record_groc(episode=episode, value=body["groc"], by=self.user, today=self.today(episode))
        return Response(self.shown(episode))


class RetestsView(CourseBase):
    @told("cases.re_tests", "Assessments side by side, with what really changed", RetestsRecord, 404)
    def get(self, request: Request, pk: str) -> Response:
        return Response(RetestsRecord(compare_assessments(episode=self.find(self.all(), pk))).data)


class MonitoringView(CourseBase):
    @told("cases.monitoring", "Counters of remote monitoring", MonitoringRecord, 404)
    def get(self, request: Request, pk: str) -> Response:
        counts = monitoring_counts(episode=self.find(self.all(), pk), now=self.now)
        return Response(MonitoringRecord({"counts": counts}).data)
