"""What is being typed into an assessment: kept, read again, thrown away; and what it would amount to."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import StrictSerializer
from clinic.api.versions import require_version
from patients.models import Assessment, AssessmentDraft, Episode
from programs.api.staff.alerts import AlertRecord
from programs.api.staff.assessment_data import AssessmentValues, DraftValues
from programs.api.staff.assessments import DerivedRecord
from programs.api.staff.base import PageQuery, StaffView, lock, page_of
from programs.api.staff.cases import key
from programs.api.staff.schema import acted, edited, listed, read
from programs.services import assessment_drafts, assessments
from programs.services.assessment_data import as_data
from programs.services.derived import derived_values, warnings_of


class DraftBrief(serializers.ModelSerializer[AssessmentDraft]):
    """Who is typing into which assessment. Red flags in it are raised once it is saved, or by a colleague."""

    case = serializers.IntegerField(source="episode_id")
    assessment = serializers.IntegerField(
        source="assessment_id", allow_null=True, help_text="Null: a new one."
    )

    class Meta:
        model = AssessmentDraft
        fields = ("id", "case", "assessment", "author", "red_flags", "started_at", "saved_at")


class DraftRecord(serializers.Serializer[Any]):
    """Your own draft; `values` is null where there is none."""

    base = serializers.IntegerField(help_text="The `version` of the assessment that it is of; 0: a new one.")
    version = serializers.IntegerField(help_text="The present one: above `base`, somebody has saved since.")
    values = serializers.SerializerMethodField(help_text="As an assessment has them, those that were typed.")
    red_flags = serializers.ListField(child=serializers.CharField(), help_text="Not on record yet.")
    saved_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(AssessmentValues(allow_null=True))
    def get_values(self, shown: dict[str, Any]) -> Any:
        return shown["values"]


class DraftInput(StrictSerializer):
    values = DraftValues(allow_null=True, help_text="All that is typed so far; null throws the draft away.")
    base = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=1_000_000,
        help_text="The `version` that you read; empty: that of the draft, of a first one the present.",
    )


class CheckInput(StrictSerializer):
    case = key("The case it is of.")
    assessment = key("One that is changed; empty: a new one.", required=False)
    values = DraftValues()


class RefusedRecord(serializers.Serializer[Any]):
    field = serializers.CharField()
    detail = serializers.CharField()


class QuestionRecord(RefusedRecord):
    """An unusual value."""

    confirm = serializers.CharField(help_text="Sent in `confirmed` if it is right.")


class CheckRecord(serializers.Serializer[Any]):
    """What saving these values would do."""

    derived = DerivedRecord(many=True)
    refused = RefusedRecord(many=True, help_text="What cannot be, with its plausible range.")
    unusual = QuestionRecord(many=True, help_text="What asks to be confirmed.")
    warnings = serializers.ListField(child=serializers.CharField(), help_text="What a match will go by.")
    red_flags = serializers.ListField(child=serializers.CharField(), help_text="Would be raised.")


class DraftBase(StaffView):
    reads = StaffView.acts

    def cases(self) -> QuerySet[Any]:
        return Episode.objects.select_related("patient", "clinic__policy")

    def shown(self, episode: Episode, assessment: Assessment | None) -> Any:
        found = assessment_drafts.draft_of(episode=episode, assessment=assessment, by=self.user)
        version = assessment.version if assessment else 0
        return DraftRecord(
            {
                "base": found.base if found else version,
                "version": version,
                "values": assessment_drafts.values_of(found) if found else None,
                "red_flags": found.red_flags if found else [],
                "saved_at": found.saved_at if found else None,
            }
        ).data

    def keep(self, episode: Episode, assessment: Assessment | None) -> Response:
        """Of two devices of one author the second is told."""
        body = self.body(DraftInput)
        lock(episode)
        require_version(self.request, self.shown(episode, assessment))
        about: dict[str, Any] = {"episode": episode, "assessment": assessment, "by": self.user}
        if body["values"] is None:
            assessment_drafts.discard_draft(**about)
        else:
            base = body.get("base")
            assessment_drafts.keep_values(**about, values=body["values"], base=base, now=self.now)
        return self.answer(self.shown(episode, assessment))


class NewDraftView(DraftBase):
    @read("cases.draft", "Your draft of a new assessment", DraftRecord)
    def get(self, request: Request, pk: str) -> Response:
        return self.answer(self.shown(self.find(self.cases(), pk), None))

    @edited("cases.keep_draft", "Keep what is typed of a new assessment", DraftInput, DraftRecord)
    def put(self, request: Request, pk: str) -> Response:
        return self.keep(self.find(self.cases(), pk), None)


class DraftView(DraftBase):
    def one(self, pk: str) -> tuple[Episode, Assessment]:
        rows = Assessment.objects.select_related("episode__patient", "episode__clinic__policy")
        assessment = self.find(rows, pk)
        return assessment.episode, assessment

    @read("assessments.draft", "Your draft of its changes", DraftRecord)
    def get(self, request: Request, pk: str) -> Response:
        return self.answer(self.shown(*self.one(pk)))

    @edited("assessments.keep_draft", "Keep what is typed of its changes", DraftInput, DraftRecord)
    def put(self, request: Request, pk: str) -> Response:
        return self.keep(*self.one(pk))


class DraftQuery(PageQuery):
    """A page of the case's drafts."""


class DraftsView(StaffView):
    query = DraftQuery

    @listed("cases.drafts", "Who is typing into its assessments", page_of(DraftBrief), DraftQuery, 404)
    def get(self, request: Request, pk: str) -> Response:
        episode = self.find(Episode.objects.all(), pk)
        return self.page(AssessmentDraft.objects.filter(episode=episode).defer("content"), DraftBrief)


class RaiseView(StaffView):
    @acted("assessments.raise_draft", "Raise the red flags that stand in a draft", None, AlertRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        flagged = AssessmentDraft.objects.exclude(red_flags=[]).defer("content")
        alert = assessment_drafts.raise_from_draft(draft=self.find(flagged, pk), by=self.user, now=self.now)
        return self.answer(AlertRecord(alert).data)


class CheckView(DraftBase):
    only_reads = True

    @acted("assessments.check", "What values amount to; nothing is stored", CheckInput, CheckRecord)
    def post(self, request: Request) -> Response:
        body = self.body(CheckInput)
        episode, assessment = self.choose("case", self.cases(), body["case"]), None
        if "assessment" in body:
            rows = Assessment.objects.filter(episode=episode)
            assessment = self.choose("assessment", rows, body["assessment"])
        assessment_drafts.check_answers(body["values"])
        data = {**(as_data(assessment) if assessment else {}), **body["values"]}
        findings = assessment_drafts.findings_of(
            episode=episode, assessment=assessment, data=data, now=self.now
        )
        checked = assessments.check_values(episode=episode, data=data, now=self.now, assessment=assessment)
        found = {
            "derived": derived_values(findings),
            "refused": [{"field": f"values.{at}", "detail": text} for at, text in checked.errors.items()],
            "unusual": [
                {"field": f"values.{one.path}", "detail": one.text, "confirm": one.key}
                for one in checked.questions
            ],
            "warnings": warnings_of(findings),
            "red_flags": [flag.value for flag in assessment_drafts.new_flags(findings, assessment)],
        }
        return Response(CheckRecord(found).data)
