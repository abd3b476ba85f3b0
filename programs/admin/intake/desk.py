"""Who writes which assessment: found for a request, with what is stored, typed and drafted."""

from __future__ import annotations

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
from programs.admin.intake.flat import Flat, Shape, flat, presets
from programs.admin.intake.form import IntakeForm
from programs.rules.red_flags import Symptom
from programs.rules.schedule import local_date
from programs.services import assessment_drafts
from programs.services.assessment_data import build
from programs.services.derived import Findings, red_flags_of


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
    def version(self) -> int:
        return self.assessment.version if self.assessment else 0

    def typed(self) -> IntakeForm:
        return IntakeForm.of_post(self.request.POST, kept=self.stored.kept)

    def draft(self) -> AssessmentDraft | None:
        return assessment_drafts.draft_of(episode=self.episode, assessment=self.assessment, by=self.user)

    def keep(self, form: IntakeForm) -> None:
        """Keep what is typed as the draft of who types."""
        findings, _ = self.findings(form)
        assessment_drafts.keep_draft(
            episode=self.episode,
            assessment=self.assessment,
            base=whole_number(self.request.POST.get("version", "")),
            content=form.sent(),
            red_flags=self.new_flags(findings),
            by=self.user,
            now=self.now,
        )

    def new_flags(self, findings: Findings) -> list[Symptom]:
        """Red flags that these values raise and that are not on record with the assessment."""
        raised = red_flags_of(findings)
        known = red_flags_of(Findings.of(self.assessment)) if self.assessment and raised else []
        return [flag for flag in raised if flag not in known]

    def findings(self, form: IntakeForm) -> tuple[Findings, dict[str, Any]]:
        data = form.plain()
        unsaved = Assessment(clinic_id=self.episode.clinic_id, episode=self.episode)
        unsaved.assessed_on = self.today
        return Findings.typed(build(unsaved, data), data), data


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
