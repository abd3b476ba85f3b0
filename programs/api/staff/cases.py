"""Cases: episodes of care, from opening to discharge."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import StrictSerializer, TextUUIDField
from clinic.models import User
from clinic.roles import Capability
from clinic.tenancy import clinics_where
from clinic.thresholds import as_json
from patients.models import Episode, Patient
from patients.services import open_episode
from patients.vocabulary import Diagnosis, OnsetKind, RunningTrack, Side
from programs.api.staff.base import LARGEST_ID, BulkResult, PageQuery, StaffView, one_by_one, page_of
from programs.api.staff.schema import acted, created, edited, listed, read
from programs.models import ContactLog, Template
from programs.rules.schedule import local_date
from programs.services import cases
from programs.services.edits import CASE_FIELDS, edit_case

CLINICAL = (*CASE_FIELDS, "outcome", "discharge_note", "policy_overrides")
"""Null for who may not read findings."""


def key(help_text: str, **more: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=LARGEST_ID, help_text=help_text, **more)


class CaseRecord(serializers.ModelSerializer[Episode]):
    """A case. What is clinical is null for an assistant."""

    outcome = serializers.CharField(allow_null=True, help_text="Empty while it is open.")
    policy_overrides = serializers.JSONField(help_text="Thresholds that differ for this case alone.")

    class Meta:
        model = Episode
        fields = (
            *("id", "case_number", "patient", "clinician", "opened_on", "closed_on", "created_at"),
            *CLINICAL,
        )
        extra_kwargs = {
            name: {"allow_null": True} for name in CLINICAL if name not in ("policy_overrides", "outcome")
        }

    def to_representation(self, episode: Episode) -> dict[str, Any]:
        data = super().to_representation(episode)
        if not self.context["view"].user.may(Capability.READ_CLINICAL, episode.clinic_id):
            data |= dict.fromkeys(CLINICAL)
        return data


class CaseEdit(StrictSerializer):
    """What is known of the problem itself: what changes."""

    diagnosis = serializers.ChoiceField(choices=Diagnosis.choices(), required=False)
    index_side = serializers.ChoiceField(choices=Side.choices(), required=False, help_text="The worse knee.")
    both_knees = serializers.BooleanField(required=False)
    onset_on = serializers.DateField(required=False, allow_null=True)
    onset_kind = serializers.ChoiceField(choices=OnsetKind.choices(), required=False, allow_blank=True)
    running_track = serializers.ChoiceField(choices=RunningTrack.choices(), required=False)


class FirstCaseInput(CaseEdit):
    """A case of somebody new."""

    clinician = key("Who treats; empty: the token's member.", required=False)
    opened_on = serializers.DateField(required=False, help_text="Empty: today, on the patient's calendar.")
    case_number = serializers.CharField(
        max_length=40, required=False, help_text="Empty: the clinic's next free number."
    )
    diagnosis = serializers.ChoiceField(choices=Diagnosis.choices())
    index_side = serializers.ChoiceField(choices=Side.choices(), help_text="The worse knee.")


class CaseInput(FirstCaseInput):
    """A new case."""

    patient = TextUUIDField()


class CaseQuery(PageQuery):
    """Which cases."""

    search = serializers.CharField(required=False, max_length=100, help_text="Words of name or case number.")
    patient = TextUUIDField(required=False)
    clinician = key("Treated by this member.", required=False)
    state = serializers.ChoiceField(choices=["open", "closed"], required=False)
    diagnosis = serializers.ChoiceField(choices=Diagnosis.choices(), required=False)


class DischargeInput(StrictSerializer):
    outcome = serializers.ChoiceField(choices=Episode.Outcome.choices)
    note = serializers.CharField(
        allow_blank=True,
        default="",
        max_length=10_000,
        help_text="Needed for `recovered` where the worst pain is over the pain rule's green.",
    )
    maintenance = key("A template to keep up with.", required=False)
    watch = serializers.BooleanField(default=False, help_text="Ask once a month whether the pain is back.")


class ReassignInput(StrictSerializer):
    clinician = key("Who treats from now on.")
    why = serializers.CharField(allow_blank=True, default="", max_length=300)


class ReassignManyInput(ReassignInput):
    cases = serializers.ListField(child=key("A case."), min_length=1, max_length=200)


class ContactInput(StrictSerializer):
    kind = serializers.ChoiceField(choices=ContactLog.Kind.choices)
    note = serializers.CharField(
        allow_blank=True, default="", max_length=4000, help_text="At most 500 characters of a contact."
    )
    minutes = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=1440)
    is_live = serializers.BooleanField(default=False, help_text="Both spoke at the same time.")


class ContactRecord(serializers.ModelSerializer[ContactLog]):
    """A call or message, or a clinician's note. The note is null for who may not read findings."""

    class Meta:
        model = ContactLog
        fields = ("id", "case", "kind", "at", "by", "minutes", "is_live", "note")
        extra_kwargs = {"note": {"allow_null": True}}

    case = serializers.IntegerField(source="episode_id")

    def to_representation(self, contact: ContactLog) -> dict[str, Any]:
        data = super().to_representation(contact)
        if not self.context["view"].user.may(Capability.READ_CLINICAL, contact.clinic_id):
            data["note"] = None
        return data


class ContactQuery(PageQuery):
    """A page of the case's contacts."""


class ThresholdsInput(StrictSerializer):
    values = serializers.DictField(
        help_text="Threshold to value, as `GET policy` names them. What equals the clinic's is not kept."
    )


class ThresholdsRecord(serializers.Serializer[Any]):
    in_force = serializers.DictField(help_text="All thresholds that hold for this case.")
    overrides = serializers.DictField(help_text="Those that differ for this case alone.")


class CasesBase(StaffView):
    reads = Capability.READ_STATE

    def all(self) -> QuerySet[Any]:
        return Episode.objects.select_related("patient", "clinic__policy", "clinician")

    def shown(self, episode: Episode) -> Any:
        return CaseRecord(episode, context={"view": self}).data

    def again(self, episode: Any) -> Any:
        """As it stands after a change."""
        return self.shown(self.find(self.all(), episode.pk))


class CasesView(CasesBase):
    query = CaseQuery

    @listed("cases.list", "Find cases", page_of(CaseRecord), CaseQuery)
    def get(self, request: Request) -> Response:
        return self.page(_asked_for(self.all(), self.asked.validated_data, self.user), CaseRecord)

    @created(
        "cases.create",
        "Open a case",
        CaseInput,
        CaseRecord,
        description="Re-opening is a new case. A new problem of a patient known here is one too.",
    )
    def post(self, request: Request) -> Response:
        return self.create(self.all(), self._open, self.again)

    def _open(self) -> Episode:
        body = self.body(CaseInput)
        patient = self.choose("patient", Patient.objects.select_related("clinic"), body.pop("patient"))
        today = local_date(self.now, patient.timezone)
        clinician = self.member("clinician", body.pop("clinician", self.user.pk))
        chosen = {"opened_on": today, **body}
        return open_episode(patient=patient, by=self.user, clinician=clinician, today=today, **chosen)


class CaseView(CasesBase):
    @read("cases.read", "A case", CaseRecord)
    def get(self, request: Request, pk: str) -> Response:
        return self.answer(self.shown(self.find(self.all(), pk)))

    @edited("cases.edit", "Correct diagnosis, knee or onset", CaseEdit, CaseRecord)
    def patch(self, request: Request, pk: str) -> Response:
        body = self.body(CaseEdit)
        episode = self.edit(pk, self.all(), self.shown)
        return self.answer(self.again(edit_case(episode=episode, values=body, by=self.user, now=self.now)))


class DischargeView(CasesBase):
    @acted("cases.discharge", "Discharge", DischargeInput, CaseRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body, episode = self.body(DischargeInput), self.find(self.all(), pk)
        today = local_date(self.now, episode.patient.timezone)
        if (template := body.pop("maintenance", None)) is not None:
            body["maintenance"] = self.library("maintenance", Template.objects.scoped(self.user), template)
        cases.discharge(episode=episode, by=self.user, now=self.now, today=today, **body)
        return self.answer(self.again(episode))


class ReassignView(CasesBase):
    @acted("cases.reassign", "Hand a case to a colleague", ReassignInput, None, 404, code=204)
    def post(self, request: Request, pk: str) -> Response:
        """Nothing is shown: the policy may hide the case from now on."""
        body, episode = self.body(ReassignInput), self.find(self.all(), pk)
        clinician = self.member("clinician", body["clinician"])
        cases.reassign(episode=episode, clinician=clinician, by=self.user, now=self.now, why=body["why"])
        return Response(status=204)


class ReopenView(CasesBase):
    @acted("cases.reopen", "The pain is back: a new case, as this one was", None, CaseRecord, 404, code=201)
    def post(self, request: Request, pk: str) -> Response:
        episode = self.find(self.all(), pk)
        today = local_date(self.now, episode.patient.timezone)
        created = cases.reopen(episode=episode, by=self.user, now=self.now, today=today)
        return self.answer(self.again(created), 201)


class ReassignManyView(CasesBase):
    @acted("cases.reassign_many", "Hand over many cases", ReassignManyInput, BulkResult(many=True))
    def post(self, request: Request) -> Response:
        body = self.body(ReassignManyInput)
        clinician = self.member("clinician", body["clinician"])

        def act(key: int) -> None:
            episode = self.find(self.all(), str(key))
            cases.reassign(episode=episode, clinician=clinician, by=self.user, now=self.now, why=body["why"])

        return Response(one_by_one(body["cases"], act))


class ContactsView(CasesBase):
    acts = Capability.WRITE_CONTACT
    query = ContactQuery

    def of(self, pk: str) -> QuerySet[Any]:
        return ContactLog.objects.filter(episode=self.find(self.all(), pk))

    @listed(
        "cases.contacts",
        "Calls, messages and notes of a case",
        page_of(ContactRecord),
        ContactQuery,
        404,
    )
    def get(self, request: Request, pk: str) -> Response:
        return self.page(self.of(pk), ContactRecord)

    @created("cases.log_contact", "Log a call, or add a note", ContactInput, ContactRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body, episode = self.body(ContactInput), self.find(self.all(), pk)
        return self.create(
            self.of(pk),
            lambda: cases.log_contact(episode=episode, by=self.user, now=self.now, **body),
            lambda contact: ContactRecord(contact, context={"view": self}).data,
        )


class ThresholdsView(CasesBase):
    reads = Capability.READ_CLINICAL

    def shown(self, episode: Episode) -> Any:
        return {"in_force": as_json(episode.thresholds), "overrides": episode.policy_overrides}

    @read("cases.thresholds", "Thresholds of one case", ThresholdsRecord)
    def get(self, request: Request, pk: str) -> Response:
        return self.answer(self.shown(self.find(self.all(), pk)))

    @edited("cases.set_thresholds", "Set thresholds for one case", ThresholdsInput, ThresholdsRecord)
    def put(self, request: Request, pk: str) -> Response:
        values = self.body(ThresholdsInput)["values"]
        episode = self.edit(pk, self.all(), self.shown)
        cases.set_case_policy(episode=episode, by=self.user, values=values, now=self.now)
        return self.answer(self.again(episode))


def _asked_for(rows: QuerySet[Any], asked: dict[str, Any], user: User) -> QuerySet[Any]:
    """A diagnosis is a finding: it finds only cases whose findings the user may read."""
    if "diagnosis" in asked:
        rows = rows.filter(clinic__in=clinics_where(user, Capability.READ_CLINICAL))
    for word in asked.get("search", "").split():
        rows = rows.filter(
            Q(case_number__icontains=word)
            | Q(patient__given_name__icontains=word)
            | Q(patient__family_name__icontains=word)
        )
    for name in ("patient", "clinician", "diagnosis"):
        if name in asked:
            rows = rows.filter(**{name: asked[name]})
    if "state" in asked:
        rows = rows.filter(closed_on__isnull=asked["state"] == "open")
    return rows
