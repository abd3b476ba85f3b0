"""Assessments: recorded, changed, signed, corrected by an addendum; and the programs they suggest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import QuerySet
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.problems import VersionStale
from clinic.api.serializers import StrictSerializer, TextUUIDField
from clinic.api.versions import etag_of
from patients.models import Addendum, Assessment, AssessmentDraft, Episode
from patients.vocabulary import AssessmentKind
from programs.api.staff.assessment_data import AssessmentBody, AssessmentValues, questions
from programs.api.staff.base import PageQuery, StaffView, page_of
from programs.api.staff.cases import key
from programs.api.staff.schema import created, edited, listed, read, told
from programs.rules.matching import Driver
from programs.rules.red_flags import Symptom
from programs.services import assessments, matching
from programs.services.assessment_data import KINDS, SCORES
from programs.services.assessment_drafts import draft_of
from programs.services.derived import Findings, derived_values


class AddendumRecord(serializers.ModelSerializer[Addendum]):
    class Meta:
        model = Addendum
        fields = ("id", "text", "red_flags", "by", "at")


class DerivedRecord(serializers.Serializer[Any]):
    """What raw values amount to: LSI, Nm/kg, step-down grade, scores."""

    of = serializers.CharField()
    text = serializers.CharField()
    deficit = serializers.BooleanField(allow_null=True, help_text="Null: not judged.")


class AssessmentBrief(serializers.ModelSerializer[Assessment]):
    """An assessment, as a list names it."""

    case = serializers.IntegerField(source="episode_id")
    patient = serializers.UUIDField(source="episode.patient_id")

    class Meta:
        model = Assessment
        fields = (
            "id",
            "case",
            "patient",
            "kind",
            "version",
            "assessed_on",
            "assessed_by",
            "signed_at",
            "signed_by",
            "created_at",
        )


class AssessmentRecord(AssessmentBrief):
    """With its values, what they amount to, and later corrections."""

    values = AssessmentValues(source="*")
    derived = serializers.SerializerMethodField()
    addenda = AddendumRecord(many=True)

    class Meta(AssessmentBrief.Meta):
        fields = (*AssessmentBrief.Meta.fields, "values", "derived", "addenda")

    def get_derived(self, assessment: Assessment) -> DerivedRecord(many=True):  # type: ignore[valid-type]
        return DerivedRecord(derived_values(Findings.of(assessment)), many=True).data


class AssessmentQuery(PageQuery):
    """Which assessments."""

    case = key("Of this case.", required=False)
    patient = TextUUIDField(required=False)
    kind = serializers.ChoiceField(choices=AssessmentKind.choices(), required=False)
    signed = serializers.BooleanField(required=False)


class AssessmentInput(AssessmentBody):
    """A new assessment of a case."""

    case = key("The case it is of.")


class AssessmentEdit(AssessmentBody):
    """What changes of an assessment that is not signed."""


class AddendumInput(StrictSerializer):
    text = serializers.CharField(max_length=10_000)
    red_flags = serializers.ListField(
        child=serializers.ChoiceField(choices=[(s.value, s.label) for s in Symptom]),
        default=list,
        max_length=50,
    )


class SuggestedRecord(serializers.Serializer[Any]):
    """A template of the library, and what of this assessment speaks for and against it."""

    slug = serializers.CharField()
    name = serializers.CharField()
    score = serializers.IntegerField()
    speaks_for = serializers.ListField(child=serializers.CharField())
    against = serializers.ListField(child=serializers.CharField())
    untreated = serializers.ListField(child=serializers.CharField())
    warnings = serializers.ListField(child=serializers.CharField())


class DriverRecord(serializers.Serializer[Any]):
    """A driver, and the measurements behind it."""

    driver = serializers.ChoiceField(choices=Driver.choices())
    label = serializers.CharField(source="driver.label")
    weight = serializers.IntegerField()
    evidence = serializers.ListField(child=serializers.CharField())


class CriterionRecord(serializers.Serializer[Any]):
    """One of the guideline's three (Willy 2019)."""

    text = serializers.CharField()
    standing = serializers.CharField(source="standing.value")
    because = serializers.CharField()


class PossibilityRecord(serializers.Serializer[Any]):
    """What a location points to."""

    name = serializers.CharField()
    pattern = serializers.CharField()
    is_likely = serializers.BooleanField(help_text="The pain is where it would be.")
    evaluate = serializers.BooleanField(help_text="Needs clinical evaluation.")


class DifferentialRecord(serializers.Serializer[Any]):
    criteria = CriterionRecord(many=True)
    possibilities = PossibilityRecord(many=True)
    notes = serializers.ListField(child=serializers.CharField())


class MatchRecord(serializers.Serializer[Any]):
    """``refer`` are reasons to refer instead: then nothing is ranked."""

    drivers = DriverRecord(many=True)
    next_steps = serializers.ListField(child=serializers.CharField())
    differential = DifferentialRecord()

    refer = serializers.ListField(child=serializers.CharField(), allow_null=True)
    ranking = SuggestedRecord(many=True)
    best_fit = serializers.CharField(allow_null=True, help_text="Slug of the first, if it fits.")
    no_best_fit = serializers.CharField(help_text="Why none is.")
    notes = serializers.ListField(child=serializers.CharField())


class AssessmentsBase(StaffView):
    def all(self) -> QuerySet[Any]:
        below = (*KINDS, SCORES, "addenda")
        rows = Assessment.objects.select_related("episode__patient", "episode__clinic__policy", "clinic")
        return rows.prefetch_related(*below)

    def shown(self, assessment: Assessment) -> Any:
        return AssessmentRecord(assessment).data

    def again(self, assessment: Any) -> Any:
        """As it stands after a change."""
        return self.shown(self.find(self.all(), assessment.pk))

    def typed(
        self, episode: Episode, assessment: Assessment | None, body: dict[str, Any]
    ) -> AssessmentDraft | None:
        """The draft it was typed in, if the body says that it was."""
        if not body.pop("from_draft", False):
            return None
        return draft_of(episode=episode, assessment=assessment, by=self.user)

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Say by HTTP what the service refused, by the path of the value."""
        try:
            yield
        except assessments.ValuesRefused as error:
            raise exceptions.ValidationError(
                {f"values.{at}": [text] for at, text in error.errors.items()}
            ) from None
        except assessments.ValuesUnusual as error:
            raise exceptions.ValidationError(questions(error.questions), code="unusual") from None
        except assessments.ChangedMeanwhile as error:
            raise VersionStale(etag_of(self.again(error.current))) from None


class AssessmentsView(AssessmentsBase):
    query = AssessmentQuery

    @listed("assessments.list", "Find assessments", page_of(AssessmentBrief), AssessmentQuery)
    def get(self, request: Request) -> Response:
        asked, rows = self.asked.validated_data, Assessment.objects.select_related("episode")
        names = {"case": "episode", "patient": "episode__patient", "kind": "kind"}
        rows = rows.filter(**{names[n]: asked[n] for n in names if n in asked})
        if "signed" in asked:
            rows = rows.filter(signed_at__isnull=not asked["signed"])
        return self.page(rows, AssessmentBrief)

    @created(
        "assessments.create",
        "Record an assessment with its measurements",
        AssessmentInput,
        AssessmentRecord,
        description=(
            "Red flags among the values hold the program and message the clinic at once. What cannot be is "
            "refused with its plausible range; what is unusual asks to be confirmed (`code` unusual)."
        ),
    )
    def post(self, request: Request) -> Response:
        return self.create(self.all(), self._record, self.again)

    def _record(self) -> Assessment:
        body = self.body(AssessmentInput)
        cases = Episode.objects.select_related("patient", "clinic__policy")
        episode = self.choose("case", cases, body.pop("case"))
        data, draft = body.pop("values"), self.typed(episode, None, body)
        with self.refusals():
            return assessments.record_assessment(
                episode=episode, data=data, by=self.user, now=self.now, draft=draft, **body
            ).assessment


class AssessmentView(AssessmentsBase):
    @read("assessments.read", "An assessment with its measurements", AssessmentRecord)
    def get(self, request: Request, pk: str) -> Response:
        return self.answer(self.shown(self.find(self.all(), pk)))

    @edited("assessments.edit", "Change one that is not signed", AssessmentEdit, AssessmentRecord)
    def patch(self, request: Request, pk: str) -> Response:
        body = self.body(AssessmentEdit, partial=True)
        assessment = self.edit(pk, self.all(), self.shown)
        data, draft = body.pop("values", {}), self.typed(assessment.episode, assessment, body)
        with self.refusals():
            assessments.change_assessment(
                assessment=assessment,
                data=data,
                draft=draft,
                version=assessment.version,
                by=self.user,
                now=self.now,
                **body,
            )
        return self.answer(self.again(assessment))


class SignView(AssessmentsBase):
    @edited("assessments.sign", "Sign the version that you read", None, AssessmentRecord)
    def post(self, request: Request, pk: str) -> Response:
        assessment = self.edit(pk, self.all(), self.shown)
        with self.refusals():
            assessments.sign_assessment(
                assessment=assessment, version=assessment.version, by=self.user, now=self.now
            )
        return self.answer(self.again(assessment))


class AddendaView(AssessmentsBase):
    @created("assessments.addendum", "Correct a signed assessment", AddendumInput, AddendumRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        body, assessment = self.body(AddendumInput), self.find(self.all(), pk)
        return self.create(
            Addendum.objects.filter(assessment=assessment),
            lambda: assessments.add_addendum(assessment=assessment, by=self.user, now=self.now, **body),
            lambda addendum: AddendumRecord(addendum).data,
        )


class SuggestionsView(AssessmentsBase):
    @told("assessments.suggestions", "Programs ranked for it, or the reasons to refer", MatchRecord, 404)
    def get(self, request: Request, pk: str) -> Response:
        assessment = self.find(self.all(), pk)
        found, differential = matching.suggest_and_explain(assessment=assessment)
        told = ("refer", "drivers", "ranking", "best_fit", "no_best_fit", "notes", "next_steps")
        shown = {name: getattr(found, name) for name in told}
        shown["differential"] = differential
        return Response(MatchRecord(shown).data)
