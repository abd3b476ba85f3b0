"""Alerts: what a clinician should act on, and acting on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import StrictSerializer
from programs.api.staff.base import BulkResult, PageQuery, StaffView, one_by_one, page_of
from programs.api.staff.cases import key
from programs.api.staff.schema import acted, listed, read
from programs.models import Alert, AlertEvent
from programs.rules.schedule import local_date
from programs.services import alerts, red_flags
from programs.services.hand_overs import hand_over_alert

SEEN = "How many rows of `evidence` you have shown: what came later was not read, and refuses the act."


class AlertEventRecord(serializers.ModelSerializer[AlertEvent]):
    class Meta:
        model = AlertEvent
        fields = ("what", "at", "by", "note", "evidence")


class AlertRecord(serializers.ModelSerializer[Alert]):
    """An alert with why it opened, the thresholds used, and its history."""

    case = serializers.IntegerField(source="episode_id")
    patient = serializers.UUIDField(source="episode.patient_id")
    clinician = serializers.IntegerField(source="episode.clinician_id")
    events = AlertEventRecord(many=True)
    resolution = serializers.CharField(
        help_text="How it ended: clinician, recovered, discharged; else empty."
    )
    evidence = serializers.JSONField()
    thresholds = serializers.JSONField()

    class Meta:
        model = Alert
        fields = (
            *("id", "case", "patient", "clinician", "kind", "level", "reason", "summary", "action"),
            *("evidence", "thresholds", "state", "opened_on", "opened_at", "acknowledged_at"),
            *("acknowledged_by", "snoozed_until", "resolved_at", "resolved_by", "resolution", "outcome"),
            "events",
        )


class AlertQuery(PageQuery):
    """Which alerts."""

    state = serializers.ChoiceField(
        choices=["unresolved", *Alert.State.values], required=False, help_text="Unresolved: all but resolved."
    )
    kind = serializers.ChoiceField(choices=Alert.Kind.choices, required=False)
    case = key("Of this case.", required=False)
    clinician = key("Of this member's cases.", required=False)


class NoteInput(StrictSerializer):
    note = serializers.CharField(allow_blank=True, default="", max_length=400)
    seen = serializers.IntegerField(required=False, min_value=0, max_value=10_000, help_text=SEEN)


class SnoozeInput(StrictSerializer):
    until = serializers.DateField()
    note = serializers.CharField(allow_blank=True, default="", max_length=400)


class ResolveInput(StrictSerializer):
    outcome = serializers.CharField(max_length=500, help_text="What came of it.")


class ClearInput(StrictSerializer):
    finding = serializers.CharField(max_length=10_000, help_text="What was found when the patient was seen.")
    seen = serializers.IntegerField(min_value=0, max_value=10_000, help_text=SEEN)


class AlertsBase(StaffView):
    def all(self) -> QuerySet[Any]:
        return Alert.objects.select_related(
            "episode__patient", "episode__clinic__policy", "clinic"
        ).prefetch_related("events")

    def shown(self, alert: Alert) -> Any:
        return AlertRecord(alert).data

    def act(self, pk: str, do: Callable[[Any], Any]) -> Response:
        """Do it, and show the alert as it stands then."""
        do(self.find(self.all(), pk))
        return self.answer(self.shown(self.find(self.all(), pk)))

    def today(self, alert: Alert) -> Any:
        return local_date(self.now, alert.episode.patient.timezone)


class AlertsView(AlertsBase):
    query = AlertQuery

    @listed("alerts.list", "Find alerts", page_of(AlertRecord), AlertQuery)
    def get(self, request: Request) -> Response:
        asked, rows = self.asked.validated_data, self.all()
        if state := asked.get("state"):
            unresolved = Alert.objects.unresolved().values("pk")
            rows = rows.filter(pk__in=unresolved) if state == "unresolved" else rows.filter(state=state)
        names = {"kind": "kind", "case": "episode", "clinician": "episode__clinician"}
        return self.page(rows.filter(**{names[n]: asked[n] for n in names if n in asked}), AlertRecord)


class AlertView(AlertsBase):
    @read("alerts.read", "An alert with its evidence and history", AlertRecord)
    def get(self, request: Request, pk: str) -> Response:
        return self.answer(self.shown(self.find(self.all(), pk)))


class AcknowledgeView(AlertsBase):
    @acted("alerts.acknowledge", "Acknowledge", NoteInput, AlertRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body = self.body(NoteInput)
        return self.act(pk, lambda alert: alerts.acknowledge(alert=alert, by=self.user, now=self.now, **body))


class SnoozeView(AlertsBase):
    @acted("alerts.snooze", "Snooze until a day; never a red flag", SnoozeInput, AlertRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body = self.body(SnoozeInput)
        return self.act(pk, lambda alert: self.snooze(alert, body))

    def snooze(self, alert: Alert, body: dict[str, Any]) -> None:
        alerts.snooze(alert=alert, by=self.user, now=self.now, today=self.today(alert), **body)


class ResolveView(AlertsBase):
    @acted("alerts.resolve", "Resolve with an outcome", ResolveInput, AlertRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body = self.body(ResolveInput)
        return self.act(
            pk,
            lambda alert: alerts.resolve(
                alert=alert, by=self.user, now=self.now, today=self.today(alert), **body
            ),
        )


class ClearView(AlertsBase):
    @acted("alerts.clear", "Clear a red flag with a finding", ClearInput, AlertRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body = self.body(ClearInput)
        return self.act(pk, lambda alert: red_flags.clear(alert=alert, by=self.user, now=self.now, **body))


class HandOverInput(StrictSerializer):
    to = key("The colleague who treats the case from now on.")
    why = serializers.CharField(allow_blank=True, default="", max_length=300)


class HandOverView(AlertsBase):
    @acted("alerts.hand_over", "Hand it to a colleague, with its case", HandOverInput, None, 404, code=204)
    def post(self, request: Request, pk: str) -> Response:
        """Nothing is shown: the policy may hide the case from now on."""
        body, alert = self.body(HandOverInput), self.find(self.all(), pk)
        to = self.member("to", body["to"])
        hand_over_alert(alert=alert, to=to, by=self.user, now=self.now, why=body["why"])
        return Response(status=204)


class ManyInput(StrictSerializer):
    alerts = serializers.ListField(child=key("An alert."), min_length=1, max_length=200)
    act = serializers.ChoiceField(choices=["acknowledge", "snooze"])
    until = serializers.DateField(required=False, help_text="To snooze: until this day.")
    note = serializers.CharField(allow_blank=True, default="", max_length=400)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if (data["act"] == "snooze") != ("until" in data):
            raise serializers.ValidationError({"until": "Needed to snooze, and for that alone."})
        return data


class ManyView(AlertsBase):
    @acted("alerts.many", "Acknowledge or snooze many", ManyInput, BulkResult(many=True))
    def post(self, request: Request) -> Response:
        body = self.body(ManyInput)
        keys, what = body.pop("alerts"), body.pop("act")

        def act(key: int) -> None:
            alert = self.find(self.all(), str(key))
            by_day = {"today": self.today(alert)} if what == "snooze" else {}
            getattr(alerts, what)(alert=alert, by=self.user, now=self.now, **by_day, **body)

        return Response(one_by_one(keys, act))
