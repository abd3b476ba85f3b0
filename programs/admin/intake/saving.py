"""What the intake page's buttons do: save, sign, discard, merge, raise a red flag."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from clinic.admin.actions import leading_back, way_back
from clinic.roles import Denied
from programs.admin.caseload import page_url
from programs.admin.intake import merge
from programs.admin.intake.desk import Desk, whole_number
from programs.admin.intake.form import IntakeForm, base_of
from programs.admin.intake.showing import show, show_conflict
from programs.models import Alert
from programs.services import assessment_drafts, assessments
from programs.services.derived import red_flags_of


def submit(desk: Desk, site: admin.AdminSite) -> HttpResponse:
    """The form was sent with one of its buttons."""
    post = desk.request.POST
    if "_discard" in post:
        assessment_drafts.discard_draft(episode=desk.episode, assessment=desk.assessment, by=desk.user)
        messages.success(desk.request, "What was typed and not saved is discarded.")
        return HttpResponseRedirect(desk.address)
    form = desk.typed()
    if desk.assessment and desk.assessment.is_signed:
        return _too_late(desk, form)
    if "_flag" in post:
        return _raise_now(desk, site, form)
    version = whole_number(post.get("version", ""))
    if desk.assessment and (version != desk.version or "_merge" in post):
        base, picks = base_of(post.get("base", "")), _picks(post)
        since = whole_number(post.get("since", "")) or version
        found = merge.differences(
            form, base, desk.stored.fields, picks, merge.saves_since(desk.assessment, since)
        )
        if version != desk.version or merge.open_conflicts(found):
            return show_conflict(desk, site, form, found, since)
        content = merge.merged(base, desk.stored.fields, form.content(), picks)
        content["confirmed"] = form.confirmed()
        form = IntakeForm(content, kept=form.kept)
    return _save(desk, site, form)


def _too_late(desk: Desk, form: IntakeForm) -> HttpResponse:
    """It is signed: what was typed is kept as a draft, and shown beside it."""
    messages.error(desk.request, assessments.SIGNED)
    desk.keep(form)
    return HttpResponseRedirect(desk.address)


def _picks(post: Any) -> dict[str, str]:
    return {name.removeprefix("pick-"): post[name] for name in post if name.startswith("pick-")}


def _save(desk: Desk, site: admin.AdminSite, form: IntakeForm) -> HttpResponse:
    data = form.plain()
    if form.unreadable():
        form.refuse(desk.check(data).errors)  # all mistakes at once
        form.said |= form.unreadable()
        return show(desk, site, form)
    try:
        recorded = _record(desk, data, confirmed=form.confirmed(), sign="_sign" in desk.request.POST)
    except assessments.ValuesRefused as error:
        form.refuse(error.errors)
    except assessments.ValuesUnusual as error:
        form.ask(error.questions)
    except assessments.AssessmentError as error:
        form.said[error.field if error.field in form.fields else ""] = error.message
    except assessments.ChangedMeanwhile as error:  # between our reading and our lock, or saved from this page
        now = replace(desk, assessment=error.current)
        return _too_late(now, form) if error.current.is_signed else show_conflict(now, site, form)
    else:
        return _saved(desk, recorded)
    return show(desk, site, form)


def _record(desk: Desk, data: Mapping[str, Any], **more: Any) -> assessments.Recorded:
    about: dict[str, Any] = {"data": data, "by": desk.user, "now": desk.now, "draft": desk.draft(), **more}
    try:
        if desk.assessment is None:
            return assessments.record_assessment(episode=desk.episode, key=desk.key, **about)
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
        return HttpResponseRedirect(desk.address)
    back = way_back(desk.request)
    if was_new:
        suggestions = reverse("admin:suggestions", args=[recorded.assessment.pk])
        return HttpResponseRedirect(leading_back(suggestions, back))
    return HttpResponseRedirect(back or page_url(desk.episode))


def _warn_of(request: HttpRequest, recorded: assessments.Recorded) -> None:
    if recorded.alert is not None:
        text = f"Red flag: {recorded.alert.summary}. The program is on hold and the clinician is told."
        messages.warning(request, text)


CLEARED = "This assessment raised it before and it was cleared: nothing is raised again."
OPEN = "It was raised before, and the red flag is open: nothing is raised again."


def _why_not_again(desk: Desk) -> str:
    flags = Alert.objects.unresolved().filter(episode=desk.episode, kind=Alert.Kind.RED_FLAG)
    return OPEN if flags.exists() else CLEARED


def _record_flags(desk: Desk, data: Mapping[str, Any]) -> assessments.Recorded:
    """A red flag does not wait for an unusual distance, nor for one that was kept before."""
    try:
        return _record(desk, data)
    except assessments.ValuesUnusual as error:
        return _record(desk, data, confirmed={question.key for question in error.questions})


def _raise_now(desk: Desk, site: admin.AdminSite, form: IntakeForm) -> HttpResponse:
    """Store the red-flag screen alone, whatever is wrong with the rest, which stays a draft."""
    data, (findings, _) = form.flags(), desk.findings(form)
    ticked = {flag.value for flag in red_flags_of(findings)}
    if desk.assessment:  # a colleague's ticks stay
        data, ticked = {}, ticked | set(desk.assessment.red_flags)
    data["red_flags"] = sorted(ticked)
    try:
        recorded = _record_flags(desk, data)
    except assessments.ChangedMeanwhile as error:  # a colleague was faster, or this page has saved it already
        return _raise_now(replace(desk, assessment=error.current), site, form)
    except (assessments.ValuesRefused, assessments.AssessmentError) as error:
        desk.keep(form)  # the ticks stay in sight of everybody
        form.said[""] = str(error)
        return show(desk, site, form)
    _warn_of(desk.request, recorded)
    if recorded.alert is None:
        messages.warning(desk.request, _why_not_again(desk))
    after = replace(desk, assessment=recorded.assessment)
    post = desk.request.POST.copy()
    post.setlist("red_flags", data["red_flags"])
    if desk.assessment is None or whole_number(post.get("version", "")) == desk.version:
        post["version"], post["base"] = str(after.version), json.dumps(after.stored.fields)
    desk.request.POST = post  # type: ignore[assignment]
    after.keep(after.typed())
    return HttpResponseRedirect(after.address)
