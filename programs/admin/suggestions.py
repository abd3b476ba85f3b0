"""From an assessment to a program: the templates ranked with their reasons, and assigning one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from clinic.admin.actions import leading_back, way_back
from clinic.admin.base import rows_where
from clinic.models import User
from clinic.roles import Capability
from patients.models import Assessment
from programs.admin.adjusting.page import adjust_url
from programs.admin.case_acts import CaseAct
from programs.admin.caseload import page_url
from programs.models import Alert, Program, Template
from programs.services.assign import draft_of, prepare_program
from programs.services.matching import suggest_and_explain


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
    match, differential = suggest_and_explain(assessment=assessment)
    usable = _assignable(episode).order_by("clinic").prefetch_related("stages__doses__exercise")
    templates = {t.slug: t for t in usable}
    ranking = [(candidate, templates.get(candidate.slug)) for candidate in match.ranking]
    compared = request.GET.getlist("compare")
    red_flag = Alert.objects.scoped(user).red_flags_of(episode.patient_id).first()
    context = {
        **site.each_context(request),
        "title": "Suggestions",
        "assessment": assessment,
        "episode": episode,
        "page_url": page_url(episode),
        "back_url": way_back(request),
        "back": leading_back("", way_back(request)),
        "match": match,
        "ranking": ranking,
        "compared": [pair for pair in ranking if pair[0].slug in compared][:2],
        "differential": differential,
        "red_flag": red_flag,
        "draft": draft_of(episode),
        "may_assign": episode.is_open and match.refer is None,
    }
    return TemplateResponse(request, "admin/programs/suggestions.html", context)


class Prepare(CaseAct):
    """Choose a template (``?template=``), look at it, and take a copy to adjust: nothing is sent yet."""

    title = "Prepare a program"
    submit = "Prepare and adjust"
    goes_on = True
    template = "admin/programs/assign.html"
    renamed = {"template": "template_choice"}

    template_choice = forms.ModelChoiceField(Template.objects.none(), label="Program")

    def prepare(self) -> None:
        episode = self.target
        self.fields["template_choice"].queryset = _assignable(episode)  # type: ignore[attr-defined]
        if "template" in self.initial:
            self.initial["template_choice"] = self.initial["template"]
        self.active = Program.objects.active().filter(episode=episode).first()
        self.draft = draft_of(episode)

    def context(self) -> dict[str, Any]:
        chosen = self["template_choice"].value()
        usable = _assignable(self.target).prefetch_related("stages__doses__exercise")
        preview = usable.filter(pk=chosen).first() if str(chosen or "").isdecimal() else None
        return {
            "preview": preview,
            "active": self.active,
            "draft": self.draft,
            "choices": usable if preview is None else [],
        }

    def perform(self) -> str:
        self.program = prepare_program(
            episode=self.target, template=self.cleaned_data["template_choice"], by=self.by, today=self.today
        )
        return f"{self.program} is prepared. Adjust it to this person, then send it."

    def next_url(self) -> str:
        program = getattr(self, "program", None)
        if program is None:
            return page_url(self.target)
        return adjust_url(program)


def _assignable(episode: Any) -> QuerySet[Any]:
    """Templates of the clinic's library for this diagnosis, maintenance included."""
    usable = Template.objects.usable_by(episode.clinic).filter(is_active=True)
    return usable.filter(diagnoses__contains=[episode.diagnosis])
