"""Letters to a colleague: what the facts say, looked at, then made; and each as it was sent."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api.serializers import StrictSerializer
from patients.models import Episode
from programs.api.staff.base import PageQuery, page_of
from programs.api.staff.courses import CourseBase
from programs.api.staff.schema import acted, created, listed, read, told
from programs.models import Letter
from programs.rules.letters import FLAG, PARTS, RECIPIENT_MOST
from programs.services import letters

PDF = "application/pdf"


class LetterParts(StrictSerializer):
    """Kind and parts of a letter; ``flag`` is empty while no red flag is open."""

    kind = serializers.ChoiceField(choices=Letter.Kind.choices)

    def get_fields(self) -> dict[str, Any]:
        parts = {
            part.name: serializers.CharField(
                max_length=part.most,
                required=part.name == "question",
                allow_blank=part.name != "question",
                help_text=f"Below the heading: {part.heading}.",
            )
            for part in (FLAG, *PARTS)
        }
        return super().get_fields() | parts


class LetterInput(LetterParts):
    """A letter as it shall be: what was proposed, edited. Names and the picture of the course are added."""

    recipient = serializers.CharField(
        max_length=RECIPIENT_MOST,
        default="",
        allow_blank=True,
        help_text="Name and place of your colleague, on up to five lines.",
    )


class ProposedQuery(StrictSerializer):
    """Which letter."""

    kind = serializers.ChoiceField(
        choices=Letter.Kind.choices,
        required=False,
        help_text="Empty: about the red flag while one is open, else about the stall.",
    )


class LetterBrief(serializers.ModelSerializer[Letter]):
    """A letter, as a list names it."""

    case = serializers.IntegerField(source="episode_id")
    recipient = serializers.SerializerMethodField(help_text="In one line.")

    class Meta:
        model = Letter
        fields: tuple[str, ...] = ("id", "case", "kind", "recipient", "made_at", "made_by")

    def get_recipient(self, letter: Letter) -> str:
        return letters.recipient_of(letter)


class SectionRecord(serializers.Serializer[Any]):
    heading = serializers.CharField()
    text = serializers.CharField()


class LetterWords(serializers.Serializer[Any]):
    """What a letter says, as it was made. It is never changed: a correction is another letter."""

    title = serializers.CharField()
    made_on = serializers.DateField(help_text="On the clinic's calendar.")
    sender = serializers.ListField(child=serializers.CharField(), help_text="Lines.")
    recipient = serializers.CharField()
    patient = serializers.ListField(child=serializers.CharField(), help_text="Lines, as they were that day.")
    flag = serializers.CharField(help_text="The open red flag, stated first; else empty.")
    sections = SectionRecord(many=True)
    picture_words = serializers.CharField(help_text="What the picture of the course shows.")
    signed = serializers.CharField()


class LetterRecord(LetterBrief):
    """A letter, word for word."""

    content = serializers.SerializerMethodField()

    class Meta(LetterBrief.Meta):
        fields = (*LetterBrief.Meta.fields, "content")

    def get_content(self, letter: Letter) -> LetterWords:
        words = letters.words_of(letter)
        sections = [{"heading": heading, "text": text} for heading, text in words.sections]
        named = {name: getattr(words, name) for name in LetterWords().fields} | {"sections": sections}
        return LetterWords(named).data  # type: ignore[return-value]


class LetterQuery(PageQuery):
    """A page of the case's letters."""


class LettersBase(CourseBase):
    def letters(self) -> QuerySet[Any]:
        return Letter.objects.select_related("episode__patient")

    def asked_for(self, pk: str) -> dict[str, Any]:
        """What the service is to write."""
        texts = self.body(LetterInput)
        episode = self.find(self.all(), pk)
        kind, recipient = texts.pop("kind"), texts.pop("recipient")
        return {
            "episode": episode,
            "kind": kind,
            "recipient": recipient,
            "texts": texts,
            "by": self.user,
            "now": self.now,
        }


class LettersView(LettersBase):
    query = LetterQuery

    def of(self, pk: str) -> QuerySet[Any]:
        return self.letters().filter(episode=self.find(self.all(), pk))

    @listed("cases.letters", "Letters about a case", page_of(LetterBrief), LetterQuery, 404)
    def get(self, request: Request, pk: str) -> Response:
        return self.page(self.of(pk), LetterBrief)

    @created("cases.make_letter", "Make a letter, and keep it", LetterInput, LetterRecord, 404)
    def post(self, request: Request, pk: str) -> Response:
        words = self.asked_for(pk)
        return self.create(
            self.letters(), lambda: letters.make_letter(**words), lambda letter: LetterRecord(letter).data
        )


class ProposedView(LettersBase):
    query = ProposedQuery

    @told(
        "cases.propose_letter",
        "A letter filled in from the record, to be edited",
        LetterParts,
        404,
        query=ProposedQuery,
    )
    def get(self, request: Request, pk: str) -> Response:
        episode: Episode = self.find(self.all(), pk)
        kind = self.asked.validated_data.get("kind") or letters.kinds_now(episode)[0]
        draft = letters.draft_letter(episode=episode, kind=kind, by=self.user, now=self.now)
        return Response({"kind": draft.kind, **draft.texts})


class PreviewView(LettersBase):
    only_reads = True

    @acted(
        "cases.preview_letter",
        "The letter as PDF as it would be made; nothing is kept",
        LetterInput,
        OpenApiTypes.BINARY,
        404,
        kind=PDF,
    )
    def post(self, request: Request, pk: str) -> HttpResponse:
        return _page(letters.preview_letter(**self.asked_for(pk)), "preview.pdf")


class LetterView(LettersBase):
    @read("letters.read", "A letter as it was made", LetterRecord)
    def get(self, request: Request, pk: str) -> Response:
        return self.answer(LetterRecord(self.find(self.letters(), pk)).data)


class PdfView(LettersBase):
    @told("letters.pdf", "A letter as it was made, as PDF", OpenApiTypes.BINARY, 404, kind=PDF)
    def get(self, request: Request, pk: str) -> HttpResponse:
        letter = self.find(self.letters(), pk)
        return _page(letters.letter_as_pdf(letter), f"letter-{letter.pk}.pdf")


def _page(pdf: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(pdf, content_type=PDF, headers=headers)
