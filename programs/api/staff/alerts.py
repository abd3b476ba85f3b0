"""Alerts: what a clinician should act on, and acting on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import StrictSerializer
from programs.api.staff.base import BulkResult, PageQuery, StaffView, page_of
from programs.api.staff.cases import key
from programs.api.staff.schema import acted, listed, read
from programs.models import Alert, AlertEvent
from programs.rules.schedule import local_date
from programs.services import alerts, bulk_alerts, red_flags
from programs.services.bulk_alerts import Done
from programs.services.hand_overs import hand_over_alert

SEEN = "How many rows of `evidence` you have shown: what came later was not read, and refuses the act."

NOT_FOUND = "Not found."


class AlertEventRecord(serializers.ModelSerializer[AlertEvent]):
    class Meta:
        model = AlertEvent
        fields = ("what", "at", "by", "note", "evidence")


class AlertRecord(serializers.ModelSerializer[Alert]):
    """An alert with why it opened, the thresholds used, and its history."""

    case = serializers.IntegerField(source="episode_id")
    patient = serializers.UUIDField(source="episode.patient_id")
    clinician = serializers.IntegerField(source="episode.clinician_id")
    action = serializers.CharField(
        source="action_now",
        help_text="The suggested one; no step up while another alert of the case bars it.",
    )
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
            *("acknowledged_by", "snoozed_until", "resolved_at", "resolved_by", "resolution", "came_of"),
            "outcome",
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
    came_of = serializers.ChoiceField(choices=Alert.CameOf.choices, default=Alert.CameOf.OTHER)
    outcome = serializers.CharField(
        allow_blank=True, default="", max_length=400, help_text="In words; needed for what is `other`."
    )


class ClearInput(StrictSerializer):
    finding = serializers.CharField(max_length=10_000, help_text="What was found when the patient was seen.")
    seen = serializers.IntegerField(min_value=0, max_value=10_000, help_text=SEEN)


class AlertsBase(StaffView):
    def all(self) -> QuerySet[Any]:
        rows = Alert.objects.with_bars().prefetch_related("events")
        return rows.select_related("episode__patient", "episode__clinic__policy", "clinic")

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
        return self.act(pk, lambda alert: self.acknowledge(alert, body))

    def acknowledge(self, alert: Alert, body: dict[str, Any]) -> Any:
        if alert.kind == Alert.Kind.RED_FLAG and "seen" not in body:  # it would not be escalated any more
            raise alerts.AlertError("seen", "Say how many rows of its evidence were read.")
        return alerts.acknowledge(alert=alert, by=self.user, now=self.now, **body)


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


ACTS: Mapping[str, Callable[..., list[Done]]] = {
    "acknowledge": bulk_alerts.acknowledge_many,
    "snooze": bulk_alerts.snooze_many,
    "resolve": bulk_alerts.resolve_many,
    "hand_over": bulk_alerts.hand_over_many,
}
TAKES: Mapping[str, tuple[set[str], set[str]]] = {
    "acknowledge": (set(), {"note", "seen"}),
    "snooze": ({"until"}, {"note"}),
    "resolve": ({"came_of"}, {"outcome"}),
    "hand_over": ({"to"}, {"why"}),
}
"""What each act needs, and what it may have beside that."""


class ManyInput(StrictSerializer):
    """Each act takes its own fields: none `acknowledge`, `until` to `snooze`, `came_of` to `resolve`, `to`
    to `hand_over`.
    """

    alerts = serializers.ListField(child=key("An alert."), min_length=1, max_length=bulk_alerts.MOST)
    act = serializers.ChoiceField(choices=[*ACTS])
    until = serializers.DateField(required=False, help_text="The day until which they are snoozed.")
    note = serializers.CharField(allow_blank=True, required=False, max_length=400)
    seen = serializers.DictField(
        child=serializers.IntegerField(min_value=0, max_value=10_000),
        required=False,
        help_text=f"To acknowledge red flags: of each, by id: {SEEN[:1].lower()}{SEEN[1:]}",
    )
    came_of = serializers.ChoiceField(choices=Alert.CameOf.choices, required=False)
    outcome = serializers.CharField(allow_blank=True, required=False, max_length=400)
    to = key("The colleague who treats the cases from now on.", required=False)
    why = serializers.CharField(allow_blank=True, required=False, max_length=300)

    def validate_seen(self, value: dict[str, int]) -> dict[int, int]:
        if not all(name.isascii() and name.isdigit() and len(name) < 20 for name in value):
            raise serializers.ValidationError("Name alerts by their id.")
        return {int(name): rows for name, rows in value.items()}

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        needs, may = TAKES[data["act"]]
        given = set(data) - {"alerts", "act"}
        wrong = {name: [f"Needed to {data['act']}."] for name in needs - given}
        wrong |= {name: [f"Not to {data['act']}."] for name in given - needs - may}
        if wrong:
            raise serializers.ValidationError(wrong)
        return data


class ManyView(AlertsBase):
    @acted("alerts.many", "Acknowledge, snooze, resolve or hand over many", ManyInput, BulkResult(many=True))
    def post(self, request: Request) -> Response:
        """In the order asked for; what is refused for one stops no other. A red flag is acknowledged only
        with what was `seen` of it, and never snoozed or resolved.
        """
        body = self.body(ManyInput)
        keys, act = list(dict.fromkeys(body.pop("alerts"))), ACTS[body.pop("act")]
        if "to" in body:
            body["to"] = self.member("to", body["to"])
        if act is bulk_alerts.resolve_many:
            body.setdefault("outcome", "")
        found = list(self.rows(self.all()).filter(pk__in=keys))
        done = act(alerts=found, by=self.user, now=self.now, **body) if found else []
        said = {one.alert.pk: {"done": one.done, "detail": "" if one.done else one.said} for one in done}
        none = {"done": False, "detail": NOT_FOUND}
        return Response([{"id": str(key), **said.get(key, none)} for key in keys])
