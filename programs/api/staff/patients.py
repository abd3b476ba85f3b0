"""Patients: who is treated, how to reach them, their rights."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import StrictSerializer, TextUUIDField
from clinic.audit.reading import READERS_SHOWN, readers
from clinic.roles import Capability
from patients.models import Episode, Invitation, Patient
from patients.vocabulary import Sex
from programs.api.access_log import AccessLogSerializer
from programs.api.inputs import AccessLogQuery
from programs.api.staff.base import LARGEST_ID, BulkResult, PageQuery, StaffView, one_by_one, page_of
from programs.api.staff.cases import FirstCaseInput
from programs.api.staff.schema import acted, created, edited, listed, read, told
from programs.rules.schedule import local_date
from programs.services import privacy
from programs.services.consents import Agreed, agreed
from programs.services.edits import CONTACT_FIELDS, edit_contact, take_on
from programs.services.invitations import invite

SEARCHED = ("given_name", "family_name", "email", "episodes__case_number")
MOST_AT_ONCE = 200


class CaseBrief(serializers.ModelSerializer[Episode]):
    """A case, as its patient's row names it."""

    class Meta:
        model = Episode
        fields = ("id", "case_number", "clinician", "opened_on", "closed_on")


class PatientRecord(serializers.ModelSerializer[Patient]):
    """A patient's contact data and cases."""

    has_account = serializers.SerializerMethodField(help_text="Whether the invitation was accepted.")
    cases = CaseBrief(many=True, source="seen_cases")

    class Meta:
        model = Patient
        fields = ("id", *CONTACT_FIELDS, "email_bounced_at", "has_account", "created_at", "cases")

    def get_has_account(self, patient: Patient) -> bool:
        return patient.user_id is not None


class ContactData(StrictSerializer):
    given_name = serializers.CharField(max_length=100)
    family_name = serializers.CharField(max_length=100, allow_blank=True, required=False)
    email = serializers.EmailField(max_length=254, allow_blank=True, required=False)
    phone = serializers.CharField(max_length=40, allow_blank=True, required=False)
    birth_date = serializers.DateField(allow_null=True, required=False)
    sex = serializers.ChoiceField(choices=Sex.choices(), allow_blank=True, required=False)
    timezone = serializers.CharField(max_length=64, help_text="Such as Europe/Amsterdam.")
    guardian_name = serializers.CharField(max_length=200, allow_blank=True, required=False)
    guardian_consented_on = serializers.DateField(allow_null=True, required=False)


class PatientInput(ContactData):
    """Contact data of a new patient and, by those who treat, the first case."""

    case = FirstCaseInput(
        required=False, help_text="Where a physio sees only the own cases, a patient without one is not seen."
    )


class PatientEdit(ContactData):
    """Of the contact data what changes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, partial=True, **kwargs)


class PatientQuery(PageQuery):
    """Which patients."""

    cursor = TextUUIDField(required=False, help_text="Follow `next` instead of writing it.")
    search = serializers.CharField(
        required=False, max_length=100, help_text="Words of name, e-mail or case number; each must be found."
    )
    clinician = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_ID, help_text="With an open case of this member."
    )
    case = serializers.ChoiceField(choices=["open", "closed"], required=False)
    bounced = serializers.BooleanField(required=False, help_text="E-mail bounced.")


class InvitationRecord(serializers.ModelSerializer[Invitation]):
    class Meta:
        model = Invitation
        fields = ("id", "created_at", "expires_at")


class InviteManyInput(StrictSerializer):
    patients = serializers.ListField(
        child=TextUUIDField(), min_length=1, max_length=MOST_AT_ONCE, help_text="Ids of patients."
    )


class ConsentRecord(serializers.Serializer[Agreed]):
    """Which text the patient agreed to last, and whether they are asked again."""

    version = serializers.IntegerField(source="last.version", allow_null=True, default=None)
    accepted_at = serializers.DateTimeField(source="last.accepted_at", allow_null=True, default=None)
    text_version = serializers.IntegerField(source="text.version", help_text="The one in force.")
    needed = serializers.BooleanField(help_text="They are asked when they next open the app.")


class ReasonInput(StrictSerializer):
    reason = serializers.CharField(max_length=300, help_text="Such as: asked for by the patient.")


class ExportInput(ReasonInput):
    content = serializers.ChoiceField(
        choices=["json", "csv"], default="json", help_text="csv: one file a table, zipped."
    )


class EraseInput(ReasonInput):
    case_number = serializers.CharField(
        max_length=300, help_text="To confirm: the number of the latest case, or the name without one."
    )


class ErasureRecord(serializers.Serializer[Any]):
    erased_at = serializers.DateTimeField()
    keep_until = serializers.DateField(help_text="So long the law has the clinical record put away.")


class PatientsBase(StaffView):
    reads = Capability.READ_STATE
    acts = Capability.WRITE_CONTACT

    def all(self) -> QuerySet[Any]:
        cases = self.rows(Episode.objects.all()).order_by("pk")
        return Patient.objects.select_related("clinic").prefetch_related(
            Prefetch("episodes", queryset=cases, to_attr="seen_cases")
        )

    def shown(self, patient: Patient) -> Any:
        return PatientRecord(patient).data

    def again(self, patient: Any) -> Any:
        """As it stands after a change."""
        return self.shown(self.find(self.all(), patient.pk))


class PatientsView(PatientsBase):
    query = PatientQuery

    @listed("patients.list", "Find patients", page_of(PatientRecord), PatientQuery)
    def get(self, request: Request) -> Response:
        return self.page(_asked_for(self.all(), self.asked.validated_data), PatientRecord)

    @created("patients.create", "Take a patient on", PatientInput, PatientRecord)
    def post(self, request: Request) -> Response:
        return self.create(self.all(), self._take_on, lambda made: self.shown(self.all().get(pk=made.pk)))

    def _take_on(self) -> Patient:
        contact = self.body(PatientInput)
        case = contact.pop("case", None)
        if case is not None:
            case["clinician"] = self.member("clinician", case.pop("clinician", self.user.pk))
        return take_on(clinic=self.clinic, by=self.user, now=self.now, contact=contact, case=case)


class PatientView(PatientsBase):
    @read("patients.read", "A patient", PatientRecord)
    def get(self, request: Request, pk: str) -> Response:
        return self.answer(self.shown(self.find(self.all(), pk)))

    @edited(
        "patients.edit",
        "Change contact data",
        PatientEdit,
        PatientRecord,
        description="Another e-mail ends invitations, codes and devices of the old one.",
    )
    def patch(self, request: Request, pk: str) -> Response:
        body = self.body(PatientEdit)
        patient = self.edit(pk, self.all(), self.shown)
        return self.answer(self.again(edit_contact(patient=patient, values=body, by=self.user, now=self.now)))


class InviteView(PatientsBase):
    @acted("patients.invite", "Invite a patient, or again", None, InvitationRecord, 404, code=201)
    def post(self, request: Request, pk: str) -> Response:
        patient = self.find(self.all(), pk)
        return Response(InvitationRecord(invite(patient=patient, by=self.user, now=self.now)).data, 201)


class InviteManyView(PatientsBase):
    @acted("patients.invite_many", "Invite many patients", InviteManyInput, BulkResult(many=True))
    def post(self, request: Request) -> Response:
        def act(key: Any) -> None:
            invite(patient=self.find(self.all(), key), by=self.user, now=self.now)

        return Response(one_by_one(self.body(InviteManyInput)["patients"], act))


class ReadersView(PatientsBase):
    reads = Capability.READ_CLINICAL
    query = AccessLogQuery

    @told("patients.readers", "Who has seen the record", AccessLogSerializer, 404, query=AccessLogQuery)
    def get(self, request: Request, pk: str) -> Response:
        patient = self.find(Patient.objects.all(), pk)
        before = self.asked.validated_data["before"]
        found = readers(patient=patient, before=before, most=READERS_SHOWN + 1)
        page = found[:READERS_SHOWN]
        more = len(found) > READERS_SHOWN
        return Response(AccessLogSerializer({"entries": page, "next": page[-1].id if more else None}).data)


class ConsentView(PatientsBase):
    @told("patients.consent", "What the patient agreed to", ConsentRecord, 404)
    def get(self, request: Request, pk: str) -> Response:
        return Response(ConsentRecord(agreed(patient=self.find(Patient.objects.all(), pk))).data)


class ExportView(StaffView):
    acts = Capability.EXPORT
    reads = Capability.READ_STATE

    @acted("patients.export", "Take out all data of a patient", ExportInput, OpenApiTypes.OBJECT, 404)
    def post(self, request: Request, pk: str) -> HttpResponse:
        body = self.body(ExportInput)
        patient = self.find(Patient.objects.all(), pk)
        export = privacy.export_patient(patient=patient, by=self.user, reason=body["reason"], now=self.now)
        zipped = body["content"] == "csv"
        name, kind = ("zip", "application/zip") if zipped else ("json", "application/json")
        headers = {"Content-Disposition": f'attachment; filename="{patient.pk}.{name}"'}
        return HttpResponse(
            export.as_zip() if zipped else export.as_json(), content_type=kind, headers=headers
        )


class EraseView(StaffView):
    acts = Capability.ERASE
    reads = Capability.READ_STATE

    @acted("patients.erase", "Erase a patient for good", EraseInput, ErasureRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body = self.body(EraseInput)
        patient = self.find(Patient.objects.all(), pk)
        today = local_date(self.now, patient.timezone)
        erasure = privacy.erase_patient(patient=patient, by=self.user, now=self.now, today=today, **body)
        return Response(ErasureRecord(erasure).data)


def _asked_for(rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
    for word in asked.get("search", "").split():
        found = Q()
        for name in SEARCHED:
            found |= Q(**{f"{name}__icontains": word})
        rows = rows.filter(pk__in=Patient.objects.filter(found).values("pk"))
    open_cases = Episode.objects.open().filter(patient=OuterRef("pk"))
    if clinician := asked.get("clinician"):
        rows = rows.filter(Exists(open_cases.filter(clinician=clinician)))
    if case := asked.get("case"):
        rows = rows.filter(Exists(open_cases)) if case == "open" else rows.exclude(Exists(open_cases))
    if (bounced := asked.get("bounced")) is not None:
        rows = rows.filter(email_bounced_at__isnull=not bounced)
    return rows
