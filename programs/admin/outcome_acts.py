"""Outcome measures asked at a review."""

from __future__ import annotations

from django import forms

from patients.scoring import groc_meaning
from programs.admin.case_acts import CaseAct
from programs.services.outcomes import record_groc

_CHOICES = [
    (value, f"{value:+d}: {groc_meaning(value)}" if value else "0: unchanged") for value in range(7, -8, -1)
]


class AskGroc(CaseAct):
    """The global rating of change, as the patient gives it today."""

    title = "Global rating of change (GROC)"
    intro = "Ask: compared with the start, how is the knee now? From -7, a very great deal worse, to +7."

    groc = forms.TypedChoiceField(
        label="Change since the start", choices=[("", "Choose"), *_CHOICES], coerce=int
    )

    def perform(self) -> str:
        score = record_groc(
            episode=self.target, value=self.cleaned_data["groc"], by=self.by, today=self.today
        )
        return f"GROC {score.value:+.0f}: {groc_meaning(int(score.value))}."
