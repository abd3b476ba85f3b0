"""Requests of the intake page: opening, saving, and what it asks for while somebody types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from clinic.admin.actions import leading_back, way_back
from clinic.admin.base import rows_where
from clinic.audit.seen import show_only
from clinic.models import User
from clinic.roles import Capability, Denied
from patients.models import Assessment, AssessmentDraft, Episode
from patients.vocabulary import MuscleGroup, OutcomeMeasure, Side, TightStructure
from programs.admin.caseload import page_url
from programs.admin.intake import merge
from programs.admin.intake.fields import GROUPS
from programs.admin.intake.flat import Flat, Shape, flat, presets
from programs.admin.intake.form import IntakeForm, base_of
from programs.rules.red_flags import Symptom
from programs.rules.schedule import local_date
from programs.services import assessments, drafts
from programs.services.assessment_data import QUESTIONNAIRES, build
from programs.services.caseload.selecting import searched
from programs.services.derived import Findings, derived_values, red_flags_of, warnings_of

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
NOT_CONTENT = ("csrfmiddlewaretoken", "assessment")
CASES_SHOWN = 20
GONE = "It was signed while you were writing. What you typed is below: add it as an addendum, or discard it."


@dataclass(slots=True)
class Desk:
    """One person writing one assessment of a case, or a new one."""

    request: HttpRequest
    user: User
    now: datetime
    episode: Episode
    assessment: Assessment | None
    stored: Shape = field(init=False)

    def __post_init__(self) -> None:
        self.stored = flat(self.assessment) if self.assessment else Shape(self._blank())

    def _blank(self) -> Flat:
        earlier = self.episode.assessments.first()
        today = local_date(self.now, self.episode.patient.timezone)
        kind = "reassessment" if earlier else "intake"
        return presets(earlier) | {"assessed_on": [today.isoformat()], "kind": [kind]}

    @property
    def version(self) -> int:
        return self.assessment.version if self.assessment else 0

    def typed(self) -> IntakeForm:
        return IntakeForm.of_post(self.request.POST, kept=self.stored.kept)

    def draft(self) -> AssessmentDraft | None:
        return drafts.draft_of(episode=self.episode, assessment=self.assessment, by=self.user)

    def raised(self) -> set[Symptom]:
        """Flags that are on record with this assessment."""
        return set(red_flags_of(Findings.of(self.assessment))) if self.assessment else set()

    def findings(self, form: IntakeForm) -> tuple[Findings, dict[str, Any]]:
        data = form.plain()
        unsaved = Assessment(clinic_id=self.episode.clinic_id, episode=self.episode)
        unsaved.assessed_on = local_date(self.now, self.episode.patient.timezone)
        return Findings.typed(build(unsaved, data), data), data


def open_page(request: HttpRequest, site: admin.AdminSite, assessment: Assessment | None) -> HttpResponse:
    """The page of an assessment, or of a new one of the case in ``?episode=``."""
    user: User = request.user  # type: ignore[assignment]
    episode = assessment.episode if assessment else _case(user, request)
    if episode is None:
        return _choose_case(request, site, user)
    desk = Desk(request, user, timezone.now(), episode, assessment)
    may_write = user.may(Capability.WRITE_CLINICAL, episode.clinic_id)
    if request.method == "POST":
        if not may_write:
            raise PermissionDenied
        return _post(desk, site)
    if not may_write or (assessment and assessment.is_signed):
        return _read_only(desk, site)
    draft = desk.draft()
    content: Mapping[str, list[str]] = drafts.content_of(draft) if draft else desk.stored.fields
    return _show(desk, site, IntakeForm(content, kept=desk.stored.kept), draft=draft)


def values(request: HttpRequest, pk: int) -> HttpResponse:
    """What the typed values amount to; nothing is stored. The page it is for is on record as read."""
    desk = _desk(request, pk)
    form = desk.typed()
    findings, data = desk.findings(form)
    checked = assessments.check_values(episode=desk.episode, data=data, now=desk.now)
    form.refuse(checked.errors)
    form.ask(checked.questions)
    show_only(())
    return JsonResponse(
        {
            "derived": [
                {
                    "name": form.places.get(row.place, row.place),
                    "of": row.of,
                    "text": row.text,
                    "deficit": row.deficit,
                }
                for row in derived_values(findings)
            ],
            "errors": form.said | form.unreadable(),
            "questions": {
                name: [{"key": q.key, "text": q.text} for q in asked] for name, asked in form.asked.items()
            },
            "warnings": warnings_of(findings),
            "flags": [flag.label for flag in red_flags_of(findings) if flag not in desk.raised()],
        }
    )


def keep(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what is typed. It answers with nothing, so that nothing is on record as read."""
    desk = _desk(request, pk)
    if desk.assessment and desk.assessment.is_signed:
        return HttpResponse(status=409)
    form = desk.typed()
    try:
        _keep(desk, form)
    except drafts.DraftError:
        return HttpResponse(status=413)
    return HttpResponse(status=204)


def _keep(desk: Desk, form: IntakeForm) -> AssessmentDraft:
    findings, _ = desk.findings(form)
    return drafts.keep_draft(
        episode=desk.episode,
        assessment=desk.assessment,
        base=_number(desk.request.POST.get("version", "")),
        content=_content(form),
        red_flags=[flag for flag in red_flags_of(findings) if flag not in desk.raised()],
        by=desk.user,
        now=desk.now,
    )


def _content(form: IntakeForm) -> Flat:
    lists = dict(form.data.lists())
    return {name: lists[name] for name in lists if name not in NOT_CONTENT and not name.startswith("_")}


def _desk(request: HttpRequest, pk: int) -> Desk:
    user = request.user
    if not isinstance(user, User) or not user.may(Capability.WRITE_CLINICAL):
        raise PermissionDenied
    episode = _cases(user).filter(pk=pk).first()
    if episode is None:
        raise Http404
    key = request.POST.get("assessment", "")
    found = Assessment.objects.filter(pk=_number(key), episode=episode).first() if key else None
    if key and found is None:
        raise Http404
    if found is not None:
        found.episode = episode
    return Desk(request, user, timezone.now(), episode, found)


def _cases(user: User) -> Any:
    rows = rows_where(user, Capability.WRITE_CLINICAL, Episode.objects.all())
    return rows.select_related("patient", "clinic__policy")


def _case(user: User, request: HttpRequest) -> Episode | None:
    key = request.POST.get("episode") or request.GET.get("episode") or ""
    found: Episode | None = _cases(user).open().filter(pk=_number(key)).first() if key else None
    return found


def _number(text: str) -> int:
    """0 for what is none, which no row has."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else 0


def _choose_case(request: HttpRequest, site: admin.AdminSite, user: User) -> HttpResponse:
    """Of the cases that are found, the first ones by name."""
    search = request.GET.get("search", "")[:100]
    cases = _cases(user).open().filter(searched(search))
    found = list(cases.order_by("patient__family_name", "patient__given_name", "pk")[: CASES_SHOWN + 1])
    context = {
        **site.each_context(request),
        "title": "Record an assessment",
        "search": search,
        "cases": found[:CASES_SHOWN],
        "has_more": len(found) > CASES_SHOWN,
    }
    return TemplateResponse(request, "admin/programs/intake/choose.html", context)


# --- saving


def _post(desk: Desk, site: admin.AdminSite) -> HttpResponse:
    post = desk.request.POST
    if "_discard" in post:
        drafts.discard_draft(episode=desk.episode, assessment=desk.assessment, by=desk.user)
        messages.success(desk.request, "What was typed and not saved is discarded.")
        return HttpResponseRedirect(_address(desk))
    form = desk.typed()
    if desk.assessment and desk.assessment.is_signed:
        messages.error(desk.request, assessments.SIGNED)
        _keep(desk, form)
        return HttpResponseRedirect(_address(desk))
    if "_flag" in post:
        return _raise_now(desk, site, form)
    version = _number(post.get("version", ""))
    if desk.assessment and (version != desk.version or "_merge" in post):
        base, picks = base_of(post.get("base", "")), _picks(post)
        since = _number(post.get("since", "")) or version
        found = merge.differences(
            form, base, desk.stored.fields, picks, merge.saves_since(desk.assessment, since)
        )
        if version != desk.version or merge.open_conflicts(found):
            return _show_conflict(desk, site, form, found, since)
        content = merge.merged(base, desk.stored.fields, form.content(), picks)
        content["confirmed"] = form.confirmed()
        form = IntakeForm(content, kept=desk.stored.kept)
    return _save(desk, site, form)


def _picks(post: Any) -> dict[str, str]:
    return {name.removeprefix("pick-"): post[name] for name in post if name.startswith("pick-")}


def _save(desk: Desk, site: admin.AdminSite, form: IntakeForm) -> HttpResponse:
    data = form.plain()
    if form.unreadable():
        form.said = form.unreadable()
        return _refused(desk, site, form)
    try:
        recorded = _record(desk, data, confirmed=form.confirmed(), sign="_sign" in desk.request.POST)
    except assessments.ValuesRefused as error:
        form.refuse(error.errors)
    except assessments.ValuesUnusual as error:
        form.ask(error.questions)
    except assessments.AssessmentError as error:
        form.said[""] = error.message
    except assessments.ChangedMeanwhile as error:  # between our reading and our lock
        return _show_conflict(
            Desk(desk.request, desk.user, desk.now, desk.episode, error.current), site, form
        )
    else:
        return _saved(desk, recorded)
    return _refused(desk, site, form)


def _record(desk: Desk, data: Mapping[str, Any], **more: Any) -> assessments.Recorded:
    about: dict[str, Any] = {"data": data, "by": desk.user, "now": desk.now, "draft": desk.draft(), **more}
    try:
        if desk.assessment is None:
            return assessments.record_assessment(episode=desk.episode, **about)
        return assessments.change_assessment(assessment=desk.assessment, version=desk.version, **about)
    except Denied as error:
        raise PermissionDenied(str(error)) from error


def _saved(desk: Desk, recorded: assessments.Recorded) -> HttpResponse:
    _warn_of(desk.request, recorded)
    was_new, post = desk.assessment is None, desk.request.POST
    desk.assessment = recorded.assessment
    if "_sign" in post:
        messages.success(desk.request, "Saved and signed. A correction is an addendum from now on.")
    if "_continue" in post or ("_sign" in post and not was_new):
        return HttpResponseRedirect(_address(desk))
    back = way_back(desk.request)
    if was_new:
        suggestions = reverse("admin:suggestions", args=[recorded.assessment.pk])
        return HttpResponseRedirect(leading_back(suggestions, back))
    return HttpResponseRedirect(back or page_url(desk.episode))


def _warn_of(request: HttpRequest, recorded: assessments.Recorded) -> None:
    if recorded.alert is not None:
        text = f"Red flag: {recorded.alert.summary}. The program is on hold and the clinician is told."
        messages.warning(request, text)


def _raise_now(desk: Desk, site: admin.AdminSite, form: IntakeForm) -> HttpResponse:
    """Store the red-flag screen alone, whatever is wrong with the rest, which stays a draft."""
    data, (findings, _) = form.flags(), desk.findings(form)
    ticked = {flag.value for flag in red_flags_of(findings)}
    if desk.assessment:  # a colleague's ticks stay
        data, ticked = {}, ticked | set(desk.assessment.red_flags)
    data["red_flags"] = sorted(ticked)
    drafts.discard_draft(episode=desk.episode, assessment=desk.assessment, by=desk.user)
    try:
        recorded = _record(desk, data)
    except (assessments.ValuesRefused, assessments.ChangedMeanwhile, assessments.AssessmentError) as error:
        form.said[""] = str(error)
        return _refused(desk, site, form)
    _warn_of(desk.request, recorded)
    after = Desk(desk.request, desk.user, desk.now, desk.episode, recorded.assessment)
    post = desk.request.POST.copy()
    post.setlist("red_flags", data["red_flags"])
    if desk.assessment is None or _number(post.get("version", "")) == desk.version:
        post["version"], post["base"] = str(after.version), json.dumps(after.stored.fields)
    desk.request.POST = post  # type: ignore[assignment]
    _keep(after, after.typed())
    return HttpResponseRedirect(_address(after))


# --- showing


def _address(desk: Desk) -> str:
    address = f"{reverse('admin:patients_assessment_add')}?episode={desk.episode.pk}"
    if desk.assessment:
        address = reverse("admin:patients_assessment_change", args=[desk.assessment.pk])
    return leading_back(address, way_back(desk.request))


def _refused(desk: Desk, site: admin.AdminSite, form: IntakeForm) -> HttpResponse:
    return _show(desk, site, form, draft=None)


def _show(
    desk: Desk, site: admin.AdminSite, form: IntakeForm, *, draft: AssessmentDraft | None
) -> HttpResponse:
    version = _number((form.data.getlist("version") or [str(desk.version)])[0])
    base = (form.data.getlist("base") or [json.dumps(desk.stored.fields)])[0]
    changed = (
        merge.saves_since(desk.assessment, version) if desk.assessment and version != desk.version else []
    )
    context = {
        **_about(desk, site, form),
        "draft": draft,
        "others": drafts.drafts_of_others(episode=desk.episode, assessment=desk.assessment, by=desk.user),
        "changed": changed,
        "version": version,
        "base": base,
        "may_write": True,
        "is_new": desk.assessment is None,
        "recent": _recent(desk),
    }
    return TemplateResponse(desk.request, "admin/programs/intake/page.html", context)


def _recent(desk: Desk) -> list[Assessment]:
    """Of a new one: what somebody else has saved today, so that nobody writes the same thing twice."""
    if desk.assessment:
        return []
    today = local_date(desk.now, desk.episode.patient.timezone)
    rows = desk.episode.assessments.filter(assessed_on=today).exclude(assessed_by=desk.user)
    return list(rows.select_related("assessed_by"))


def _read_only(desk: Desk, site: admin.AdminSite) -> HttpResponse:
    form = IntakeForm(desk.stored.fields, kept=desk.stored.kept)
    left = desk.draft() if desk.user.may(Capability.WRITE_CLINICAL, desk.episode.clinic_id) else None
    typed = IntakeForm(drafts.content_of(left)) if left else None
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
        "flags": [flag.label for flag in red_flags_of(findings) if flag not in desk.raised()],
        "addenda": assessment.addenda.select_related("by") if assessment else [],
        "is_minor": (episode.patient.age_on(local_date(desk.now, episode.patient.timezone)) or 18) < 18,
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


def _show_conflict(
    desk: Desk,
    site: admin.AdminSite,
    form: IntakeForm,
    found: list[merge.Difference] | None = None,
    since: int = 0,
) -> HttpResponse:
    assert desk.assessment is not None
    post = desk.request.POST
    since = since or _number(post.get("version", ""))
    saves = merge.saves_since(desk.assessment, since)
    base = base_of(post.get("base", ""))
    rows = merge.differences(form, base, desk.stored.fields, {}, saves) if found is None else found
    if "_merge" not in post:  # then it is kept as it was first sent
        _keep(desk, form)
    content = {name: texts for name, texts in _content(form).items() if not name.startswith("pick-")}
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
        "address": _address(desk),
    }
    return TemplateResponse(desk.request, "admin/programs/intake/conflict.html", context)
