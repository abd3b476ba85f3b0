"""Letters to a colleague: written from the facts, edited, looked at, then made; and each as it was sent."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header

from clinic.admin.base import rows_where
from clinic.admin.forms import text_area
from clinic.models import User
from clinic.roles import Capability
from programs.admin.case_acts import CaseAct
from programs.models import Letter
from programs.rules.letters import FLAG, PARTS, RECIPIENT_MOST
from programs.services import letters

ROWS = {"findings": 10, "question": 3, "thresholds": 6, "adherence": 2, "flag": 3}


class WriteLetter(CaseAct):
    """``?kind=`` chooses which; while a red flag is open each of them states it first."""

    title = "Letter to a colleague"
    submit = "Make the letter"
    template = "admin/programs/letter_form.html"
    intro = (
        "One page, filled in from the record: change what you like, and look at it before you make it. "
        "The letter is kept as it was made. Names and the picture of the course are added by the service."
    )

    kind = forms.ChoiceField(choices=Letter.Kind.choices, widget=forms.HiddenInput)
    recipient = forms.CharField(
        label="To",
        required=False,
        max_length=RECIPIENT_MOST,
        widget=text_area(2),
        help_text="Name and place.",
    )

    def prepare(self) -> None:
        asked = self.data.get("kind") if self.is_bound else self.initial.get("kind")
        known = letters.kinds_now(self.target)
        self.kind = asked if asked in known else known[0]
        draft = letters.draft_letter(episode=self.target, kind=self.kind, by=self.by, now=self.now)
        self.kinds = [(kind, Letter.Kind(kind).label) for kind in known]
        for part in (FLAG, *PARTS):
            if part is not FLAG or draft.has_flag:
                self.fields[part.name] = forms.CharField(
                    label=part.heading,
                    required=part.name in ("flag", "question"),
                    max_length=part.most,
                    widget=text_area(ROWS.get(part.name, 4)),
                )
        self.initial |= {"kind": self.kind, **draft.texts}

    def context(self) -> dict[str, Any]:
        return {"kinds": self.kinds, "kind": self.kind}

    def perform(self) -> str:
        data = dict(self.cleaned_data)
        kind, recipient = data.pop("kind"), data.pop("recipient")
        words: dict[str, Any] = {
            "episode": self.target,
            "kind": kind,
            "recipient": recipient,
            "texts": data,
            "by": self.by,
            "now": self.now,
        }
        if "preview" in self.data:
            self.answer = _page(letters.preview_letter(**words), "preview")
            return ""
        letters.make_letter(**words)
        return "The letter is made and kept: open it below, to print or to send."

    def next_url(self) -> str:
        return f"{super().next_url()}#letters"


def letter_page(request: HttpRequest, pk: int) -> HttpResponse:
    """A kept letter as PDF."""
    user = request.user
    if not (isinstance(user, User) and user.may(Capability.READ_CLINICAL)):
        raise PermissionDenied
    rows = rows_where(user, Capability.READ_CLINICAL, Letter.objects.select_related("episode__patient"))
    letter = rows.filter(pk=pk).first()
    if letter is None:
        raise Http404
    return _page(letters.letter_as_pdf(letter), f"letter-{letter.made_at:%Y-%m-%d}-{letter.pk}")


def _page(pdf: bytes, name: str) -> HttpResponse:
    shown = content_disposition_header(as_attachment=False, filename=f"{name}.pdf")
    headers = {"Content-Disposition": shown, "Cache-Control": "no-store"}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)
