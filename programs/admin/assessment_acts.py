"""What is done to an assessment: scored item by item, corrected by an addendum."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse

from clinic.admin.actions import Act
from clinic.admin.forms import CodesField, text_area
from clinic.models import User
from clinic.roles import Capability
from patients.models import Assessment, OutcomeScore
from patients.scoring import score
from patients.scoring.questionnaires import Item
from patients.services import CaseError
from patients.vocabulary import OutcomeMeasure
from programs.admin.intake.fields import RED_FLAG_CHOICES
from programs.services.assessment_data import QUESTIONNAIRES, as_data
from programs.services.assessments import ValuesRefused, add_addendum, change_assessment

SCORED_HERE = (OutcomeMeasure.AKPS, OutcomeMeasure.KOOS_PF, OutcomeMeasure.LEFS)


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


class ScoreQuestionnaire(AssessmentAct):
    """An outcome measure from its items; ``?measure=`` says which."""

    title = "Score a questionnaire"
    intro = "Points per item, best first. The score is computed, and red flags among the items are raised."

    def prepare(self) -> None:
        measure = self.initial.get("measure", OutcomeMeasure.AKPS.value)
        if measure not in SCORED_HERE:
            raise Http404
        self.measure = OutcomeMeasure(measure)
        known = self._stored()
        for code, item in QUESTIONNAIRES[measure].items():
            self.fields[code] = forms.TypedChoiceField(
                label=item.label,
                choices=[("", "Not answered"), *_points(item)],
                coerce=int,
                empty_value=None,
                initial=known.items.get(code) if known else None,
            )

    def heading(self) -> str:
        return f"{self.measure.label}, item by item"

    def perform(self) -> str:
        assessment, items = self.target, self.cleaned_data
        value = score(self.measure, items)
        others = [row for row in as_data(assessment)["outcome_scores"] if row["measure"] != self.measure]
        try:
            change_assessment(
                assessment=assessment,
                data={"outcome_scores": [*others, {"measure": self.measure.value, "items": items}]},
                version=assessment.version,
                by=self.by,
                now=self.now,
            )
        except ValuesRefused as error:
            raise CaseError("score", " ".join(error.errors.values())) from error
        return f"{self.measure.label}: {value:g}."

    def _stored(self) -> OutcomeScore | None:
        return OutcomeScore.objects.filter(
            episode=self.target.episode_id, measure=self.measure.value, taken_on=self.target.assessed_on
        ).first()


def _points(item: Item) -> list[tuple[int, str]]:
    best, worst = item.points[0], item.points[-1]
    words = {best: f"{best} (best)", worst: f"{worst} (worst)"}
    return [(points, words.get(points, str(points))) for points in item.points]


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
