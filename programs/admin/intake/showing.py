"""The intake page as it is shown: to write on, to read, to choose a case, to settle a conflict."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from clinic.admin.actions import way_back
from clinic.models import User
from clinic.roles import Capability
from patients.models import Assessment, AssessmentDraft
from patients.vocabulary import MuscleGroup, OutcomeMeasure, Side, TightStructure
from programs.admin.caseload import page_url
from programs.admin.intake import merge
from programs.admin.intake.desk import Desk, cases_of, whole_number
from programs.admin.intake.fields import GROUPS
from programs.admin.intake.form import IntakeForm, base_of
from programs.services import assessment_drafts
from programs.services.assessment_data import QUESTIONNAIRES
from programs.services.caseload.selecting import searched
from programs.services.derived import derived_values, warnings_of

TABS = (
    ("red", "Red flags"),
    ("pain", "Pain"),
    ("activities", "Activities"),
    ("strength", "Strength"),
    ("mobility", "Mobility"),
    ("movement", "Movement"),
    ("load", "Load"),
    ("scores", "Questionnaires"),
    ("review", "Review and sign"),
)
CASES_SHOWN = 20
GONE = "It was signed while you were writing. What you typed is below: add it as an addendum, or discard it."


def choose_case(request: HttpRequest, site: admin.AdminSite, user: User) -> HttpResponse:
    """Of the cases that are found, the first ones by name."""
    search = request.GET.get("search", "")[:100]
    cases = cases_of(user).open().filter(searched(search))
    found = list(cases.order_by("patient__family_name", "patient__given_name", "pk")[: CASES_SHOWN + 1])
    context = {
        **site.each_context(request),
        "title": "Record an assessment",
        "search": search,
        "cases": found[:CASES_SHOWN],
        "has_more": len(found) > CASES_SHOWN,
    }
    return TemplateResponse(request, "admin/programs/intake/choose.html", context)


def show(
    desk: Desk, site: admin.AdminSite, form: IntakeForm, *, draft: AssessmentDraft | None = None
) -> HttpResponse:
    """To write on; ``draft`` is what the form was filled from."""
    version = whole_number((form.data.getlist("version") or [str(desk.version)])[0])
    base = (form.data.getlist("base") or [json.dumps(desk.stored.fields)])[0]
    changed = (
        merge.saves_since(desk.assessment, version) if desk.assessment and version != desk.version else []
    )
    context = {
        **_about(desk, site, form),
        "draft": draft,
        "draft_at": draft.saved_at.isoformat() if draft else "",
        "others": assessment_drafts.drafts_of_others(
            episode=desk.episode, assessment=desk.assessment, by=desk.user
        ),
        "changed": changed,
        "version": version,
        "base": base,
        "key": desk.key or uuid4().hex,
        "may_write": True,
        "is_new": desk.assessment is None,
        "recent": _recent(desk),
    }
    return TemplateResponse(desk.request, "admin/programs/intake/page.html", context)


def _recent(desk: Desk) -> list[Assessment]:
    """Of a new one: what somebody else has saved today, so that nobody writes the same thing twice."""
    if desk.assessment:
        return []
    rows = desk.episode.assessments.filter(assessed_on=desk.today).exclude(assessed_by=desk.user)
    return list(rows.select_related("assessed_by"))


def read_only(desk: Desk, site: admin.AdminSite) -> HttpResponse:
    """To read, with what the user had typed before it was signed."""
    form = IntakeForm(desk.stored.fields, kept=desk.stored.kept)
    left = desk.draft() if desk.user.may(Capability.WRITE_CLINICAL, desk.episode.clinic_id) else None
    typed = IntakeForm(desk.drafted(left)) if left else None
    context = {
        **_about(desk, site, form),
        "may_write": False,
        "left": merge.left_over(typed, desk.stored.fields) if typed else [],
        "gone": GONE,
    }
    return TemplateResponse(desk.request, "admin/programs/intake/page.html", context)


def _about(desk: Desk, site: admin.AdminSite, form: IntakeForm) -> dict[str, Any]:
    findings, _ = desk.findings(form)
    derived = derived_values(findings)
    episode = desk.episode
    form.derived = {form.places.get(row.place, row.place): row for row in derived}
    assessment = desk.assessment
    return {
        **site.each_context(desk.request),
        "title": f"{assessment} of {episode.patient}" if assessment else f"Assessment of {episode.patient}",
        "form": form,
        "tabs": TABS,
        "episode": episode,
        "assessment": assessment,
        "original": assessment,
        "page_url": page_url(episode),
        "back_url": way_back(desk.request),
        "derived": derived,
        "warnings": warnings_of(findings),
        "flags": list(desk.new_flags(findings).values()),
        "addenda": assessment.addenda.select_related("by") if assessment else [],
        "is_minor": episode.patient.is_minor_on(desk.today),
        "sides": [(side.value, side.label, side == episode.index_side) for side in Side],
        "knees": [
            (side.value, side.label, "locations" if side == episode.index_side else "other_knee_locations")
            for side in (Side.RIGHT, Side.LEFT)
        ],
        "groups": [
            (n, MuscleGroup(GROUPS[n]).label if n < len(GROUPS) else "") for n in range(form.strength_lines)
        ],
        "angles": range(form.angle_lines),
        "structures": [(item.value, item.label) for item in TightStructure],
        "lines": range(form.activity_lines),
        "measures": [
            (measure, OutcomeMeasure(measure).label, list(items)) for measure, items in QUESTIONNAIRES.items()
        ],
    }


def show_conflict(
    desk: Desk,
    site: admin.AdminSite,
    form: IntakeForm,
    found: list[merge.Difference] | None = None,
    since: int = 0,
) -> HttpResponse:
    """What a colleague changed meanwhile, to choose from; the same is kept as a draft."""
    assert desk.assessment is not None
    post = desk.request.POST
    since = since or whole_number(post.get("version", ""))
    saves = merge.saves_since(desk.assessment, since)
    base = base_of(post.get("base", ""))
    rows = merge.differences(form, base, desk.stored.fields, {}, saves) if found is None else found
    if "_merge" not in post:  # then it is kept as it was first sent
        desk.keep(form)
    content = {name: texts for name, texts in form.sent().items() if not name.startswith("pick-")}
    hidden = [
        (name, text) for name, texts in content.items() if name not in ("version", "since") for text in texts
    ]
    context = {
        **site.each_context(desk.request),
        "title": "Changed meanwhile",
        "episode": desk.episode,
        "assessment": desk.assessment,
        "saves": saves,
        "rows": rows,
        "conflicts": [row for row in rows if row.is_conflict],
        "missing": "_merge" in post,
        "hidden": hidden,
        "version": desk.version,
        "since": since,
        "sign": "_sign" in post,
        "address": desk.address,
    }
    return TemplateResponse(desk.request, "admin/programs/intake/conflict.html", context)
