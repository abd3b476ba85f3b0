"""What is done to a signed assessment and to a draft: an addendum, a red flag that is raised."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse

from clinic.admin.actions import Act
from clinic.admin.forms import CodesField, text_area
from clinic.models import User
from clinic.roles import Capability
from patients.models import Assessment, AssessmentDraft
from programs.admin.caseload import page_url
from programs.admin.intake.fields import RED_FLAG_CHOICES
from programs.rules.red_flags import Symptom
from programs.services.assessment_drafts import raise_from_draft
from programs.services.assessments import add_addendum


class AssessmentAct(Act):
    """An action on an assessment."""

    model = Assessment
    needs = Capability.WRITE_CLINICAL

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        return super().rows(user).select_related("episode__patient", "episode__clinic__policy", "clinic")

    def about(self) -> str:
        return f"{self.target.episode.patient}, {self.target}"

    def next_url(self) -> str:
        return reverse("admin:patients_assessment_change", args=[self.target.pk])


class AddAddendum(AssessmentAct):
    """A correction of a signed assessment."""

    title = "Add an addendum"
    intro = "The signed assessment stays as it is; this is shown with it. A red flag ticked here is raised."

    text = forms.CharField(max_length=5000, widget=text_area(6))
    red_flags = CodesField(RED_FLAG_CHOICES, required=False)

    def perform(self) -> str:
        add_addendum(
            assessment=self.target,
            text=self.cleaned_data["text"],
            red_flags=self.cleaned_data["red_flags"],
            by=self.by,
            now=self.now,
        )
        return "The addendum is added."


class RaiseFlag(Act):
    """A red flag in somebody's draft, by whoever finds it there."""

    model = AssessmentDraft
    needs = Capability.WRITE_CLINICAL
    title = "Raise the red flag"
    submit = "Raise it"
    danger = True
    intro = (
        "The program is put on hold, and the clinician and the cover are told at once. Once the patient was "
        "seen or asked, it is cleared with a finding: also where it was ticked by mistake."
    )

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        return super().rows(user).exclude(red_flags=[]).select_related("episode__patient", "author")

    def about(self) -> str:
        ticked = "; ".join(Symptom(code).label for code in self.target.red_flags)
        return f"{self.target.episode.patient}: {ticked}. Ticked by {self.target.author} and not saved"

    def perform(self) -> str:
        alert = raise_from_draft(draft=self.target, by=self.by, now=self.now)
        return f"Raised: {alert.summary}."

    def next_url(self) -> str:
        return page_url(self.target.episode)
