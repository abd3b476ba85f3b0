"""What is done to a signed assessment: it is corrected by an addendum."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse

from clinic.admin.actions import Act
from clinic.admin.forms import CodesField, text_area
from clinic.models import User
from clinic.roles import Capability
from patients.models import Assessment
from programs.admin.intake.fields import RED_FLAG_CHOICES
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
