"""Who writes which assessment: found for a request, with what is stored, typed and drafted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone

from clinic.admin.actions import leading_back, way_back
from clinic.admin.base import rows_where
from clinic.models import User
from clinic.roles import Capability
from patients.models import Assessment, AssessmentDraft, Episode
from patients.scoring import Checked
from programs.admin.intake.flat import Flat, Shape, flat, of_values, presets
from programs.admin.intake.form import IntakeForm, base_of
from programs.admin.intake.merge import MINE, merged
from programs.rules.red_flags import Symptom
from programs.rules.schedule import local_date
from programs.services import assessment_drafts, assessments
from programs.services.derived import Findings

KEY = re.compile("[0-9a-f]{32}")


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
        kind = "reassessment" if earlier else "intake"
        return presets(earlier) | {"assessed_on": [self.today.isoformat()], "kind": [kind]}

    @property
    def today(self) -> date:
        """The patient's."""
        return local_date(self.now, self.episode.patient.timezone)

    @property
    def address(self) -> str:
        address = f"{reverse('admin:patients_assessment_add')}?episode={self.episode.pk}"
        if self.assessment:
            address = reverse("admin:patients_assessment_change", args=[self.assessment.pk])
        return leading_back(address, way_back(self.request))

    @property
    def key(self) -> str:
        """Of the page of a new assessment: one page makes one assessment, however often it is sent."""
        sent = self.request.POST.get("key", "")
        return sent if KEY.fullmatch(sent) else ""

    @property
    def version(self) -> int:
        return self.assessment.version if self.assessment else 0

    def typed(self) -> IntakeForm:
        return IntakeForm.of_post(self.request.POST, kept=self.stored.kept)

    def draft(self) -> AssessmentDraft | None:
        return assessment_drafts.draft_of(episode=self.episode, assessment=self.assessment, by=self.user)

    def check(self, data: Mapping[str, Any]) -> Checked:
        """What of the readable values cannot be, and what is unusual."""
        return assessments.check_values(
            episode=self.episode, data=data, now=self.now, assessment=self.assessment
        )

    def keep(self, form: IntakeForm) -> None:
        """Keep what is typed as the draft of who types."""
        form = self._beside_another_page(form)
        findings, data = self.findings(form)
        assessment_drafts.keep_draft(
            episode=self.episode,
            assessment=self.assessment,
            base=whole_number(self.request.POST.get("version", "")),
            content=form.sent(),
            red_flags=self.new_flags(findings),
            by=self.user,
            now=self.now,
            values=data,
            key=self.key,
        )

    def _beside_another_page(self, form: IntakeForm) -> IntakeForm:
        """Two open pages of one author share the draft: what was typed on the other one alone stays in it."""
        draft, opened_with = self.draft(), self.request.POST.get("draft_at", "")
        if draft is None or not self.key or assessment_drafts.page_of(draft) in ("", self.key):
            return form
        if opened_with == draft.saved_at.isoformat():  # the other page is where this one goes on
            return form
        base, mine = base_of(self.request.POST.get("base", "")), form.sent()
        picks = dict.fromkeys(mine, MINE)
        content = merged(base, assessment_drafts.content_of(draft), mine, picks)
        return IntakeForm(content, kept=self.stored.kept)

    def drafted(self, draft: AssessmentDraft) -> Flat:
        """What was typed, as the form shows it: in the form, or into a tool of the same author."""
        if typed := assessment_drafts.content_of(draft):
            return typed
        found = of_values(assessment_drafts.values_of(draft), self.assessment, self.today)
        if self.assessment is None:
            return self.stored.fields | found
        return found | ({"version": [str(draft.base)]} if draft.base != self.version else {})

    def new_flags(self, findings: Findings) -> dict[Symptom, str]:
        return assessment_drafts.new_flags(findings, self.assessment)

    def findings(self, form: IntakeForm) -> tuple[Findings, dict[str, Any]]:
        data = form.plain()
        found = assessment_drafts.findings_of(
            episode=self.episode, assessment=self.assessment, data=data, now=self.now
        )
        return found, data


def desk_of(request: HttpRequest, pk: int) -> Desk:
    """Of a request while somebody types: about a case, and an assessment of it that exists already."""
    user = request.user
    if not isinstance(user, User) or not user.may(Capability.WRITE_CLINICAL):
        raise PermissionDenied
    episode = cases_of(user).filter(pk=pk).first()
    if episode is None:
        raise Http404
    key = request.POST.get("assessment", "")
    found = Assessment.objects.filter(pk=whole_number(key), episode=episode).first() if key else None
    if key and found is None:
        raise Http404
    if found is not None:
        found.episode = episode
    return Desk(request, user, timezone.now(), episode, found)


def cases_of(user: User) -> QuerySet[Any]:
    """Those the user may assess."""
    rows: QuerySet[Any] = rows_where(user, Capability.WRITE_CLINICAL, Episode.objects.all())
    return rows.select_related("patient", "clinic__policy")


def open_case(user: User, request: HttpRequest) -> Episode | None:
    """The one in ``?episode=``, if it is open."""
    key = request.POST.get("episode") or request.GET.get("episode") or ""
    found: Episode | None = cases_of(user).open().filter(pk=whole_number(key)).first() if key else None
    return found


def whole_number(text: str) -> int:
    """0 for what is none, which no row has."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else 0
