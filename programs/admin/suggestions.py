"""From an assessment to a program: the templates ranked with their reasons, and assigning one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from clinic.admin.base import rows_where
from clinic.admin.forms import text_area
from clinic.models import User
from clinic.roles import Capability
from patients.models import Assessment
from programs.admin.case_acts import CaseAct
from programs.admin.caseload import page_url
from programs.models import Program, Template
from programs.services.assign import assign
from programs.services.matching import suggest


def suggestions_page(request: HttpRequest, pk: int, site: admin.AdminSite) -> HttpResponse:
    """The ranking for one assessment, or the reasons to refer first."""
    user = request.user
    if not isinstance(user, User) or not user.may(Capability.WRITE_CLINICAL):
        raise PermissionDenied
    rows = rows_where(user, Capability.WRITE_CLINICAL, Assessment.objects.all())
    assessment = (
        rows.select_related("episode__patient", "episode__clinic__policy", "clinic").filter(pk=pk).first()
    )
    if assessment is None:
        raise Http404
    episode = assessment.episode
    match = suggest(assessment=assessment)
    templates = {t.slug: t for t in _assignable(episode).order_by("clinic")}
    context = {
        **site.each_context(request),
        "title": "Suggestions",
        "assessment": assessment,
        "episode": episode,
        "page_url": page_url(episode),
        "match": match,
        "ranking": [(candidate, templates.get(candidate.slug)) for candidate in match.ranking],
        "may_assign": episode.is_open and match.refer is None,
    }
    return TemplateResponse(request, "admin/programs/suggestions.html", context)


class Assign(CaseAct):
    """Choose a template (``?template=``), look at it, assign it."""

    title = "Assign a program"
    submit = "Assign"
    template = "admin/programs/assign.html"
    renamed = {"template": "template_choice"}

    template_choice = forms.ModelChoiceField(Template.objects.none(), label="Program")
    started_on = forms.DateField(label="Starts on", help_text="Today or earlier.")
    fair_trial_reason = forms.CharField(
        label="New fair trial, because",
        max_length=300,
        required=False,
        widget=text_area(2),
        help_text=(
            "Only if the stall clock is to start again, once per case. Otherwise leave it empty: "
            "the clock goes on."
        ),
    )

    def prepare(self) -> None:
        episode = self.target
        self.fields["template_choice"].queryset = _assignable(episode)  # type: ignore[attr-defined]
        self.initial.setdefault("started_on", self.today.isoformat())
        if "template" in self.initial:
            self.initial["template_choice"] = self.initial["template"]
        self.active = Program.objects.active().filter(episode=episode).first()
        if not episode.programs.exists():
            del self.fields["fair_trial_reason"]

    def context(self) -> dict[str, Any]:
        chosen = self["template_choice"].value()
        usable = _assignable(self.target).prefetch_related("stages__doses__exercise")
        preview = usable.filter(pk=chosen).first() if str(chosen or "").isdecimal() else None
        return {"preview": preview, "active": self.active, "choices": usable if preview is None else []}

    def perform(self) -> str:
        self.program = assign(
            episode=self.target,
            template=self.cleaned_data["template_choice"],
            by=self.by,
            now=self.now,
            today=self.today,
            started_on=self.cleaned_data["started_on"],
            fair_trial_reason=self.cleaned_data.get("fair_trial_reason", ""),
        )
        return f"{self.program} is assigned. Adapt it to this person here; the template stays as it is."

    def next_url(self) -> str:
        program = getattr(self, "program", None)
        if program is None:
            return page_url(self.target)
        return reverse("admin:programs_program_change", args=[program.pk])


def _assignable(episode: Any) -> QuerySet[Any]:
    """Templates of the clinic's library for this diagnosis, maintenance included."""
    usable = Template.objects.usable_by(episode.clinic).filter(is_active=True)
    return usable.filter(diagnoses__contains=[episode.diagnosis])
