"""Requests of the intake page: opening, saving, and what it asks for while somebody types."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from clinic.audit.seen import show_only
from clinic.models import User
from clinic.roles import Capability
from patients.models import Assessment
from programs.admin.intake import saving
from programs.admin.intake.desk import Desk, desk_of, open_case
from programs.admin.intake.form import IntakeForm
from programs.admin.intake.showing import choose_case, read_only, show
from programs.services import assessment_drafts
from programs.services.derived import derived_values, warnings_of


def open_page(request: HttpRequest, site: admin.AdminSite, assessment: Assessment | None) -> HttpResponse:
    """The page of an assessment, or of a new one of the case in ``?episode=``."""
    user: User = request.user  # type: ignore[assignment]
    episode = assessment.episode if assessment else open_case(user, request)
    if episode is None:
        return choose_case(request, site, user)
    desk = Desk(request, user, timezone.now(), episode, assessment)
    may_write = user.may(Capability.WRITE_CLINICAL, episode.clinic_id)
    if request.method == "POST":
        if not may_write:
            raise PermissionDenied
        return saving.submit(desk, site)
    if not may_write or (assessment and assessment.is_signed):
        return read_only(desk, site)
    draft = desk.draft()
    content = desk.drafted(draft) if draft else desk.stored.fields
    return show(desk, site, IntakeForm(content, kept=desk.stored.kept), draft=draft)


def values(request: HttpRequest, pk: int) -> HttpResponse:
    """What the typed values amount to; nothing is stored. The page it is for is on record as read."""
    desk = desk_of(request, pk)
    form = desk.typed()
    findings, data = desk.findings(form)
    checked = desk.check(data)
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
            "flags": list(desk.new_flags(findings).values()),
        }
    )


def keep(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what is typed. It answers with nothing, so that nothing is on record as read."""
    desk = desk_of(request, pk)
    if desk.assessment and desk.assessment.is_signed:
        return HttpResponse(status=409)
    form = desk.typed()
    try:
        desk.keep(form)
    except assessment_drafts.SavedAlready:
        return HttpResponse(status=409)
    except assessment_drafts.DraftError:
        return HttpResponse(status=413)
    return HttpResponse(status=204)
