"""The first page: who needs me today, and whether the service itself is well."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import OuterRef, Q
from django.http import HttpRequest
from django.utils import timezone

from clinic.admin.base import rows_where
from clinic.admin.sweeps import job_rows, worst
from clinic.models import Clinic, User
from clinic.roles import Capability
from patients.models import Episode
from programs.admin.caseload import CaseRow, alert_rank, case_rows, red_flags_of
from programs.models import Alert, Digest

SHOWN = 12


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill in the context of ``admin/index.html``."""
    user = request.user
    assert isinstance(user, User)
    now = timezone.now()
    jobs = job_rows(now)
    context |= {
        "title": "Today",
        "jobs": jobs,
        "jobs_health": worst(jobs),
        "clinics_simulated": [m.clinic for m in user.active_memberships if m.clinic.simulated],
        "reads": user.may(Capability.READ_CLINICAL),
    }
    if user.may(Capability.READ_STATE):
        context |= _caseload(user)
    if user.is_operator:
        context["clinics"] = Clinic.objects.all()
    return context


def _caseload(user: User) -> dict[str, Any]:
    """Open cases, and closed ones whose red flag nobody cleared."""
    cases = rows_where(user, Capability.READ_STATE, Episode.objects.all())
    shown = cases.filter(Q(closed_on=None) | red_flags_of(episode=OuterRef("pk")))
    episodes = list(shown.select_related("patient", "clinician"))
    rows = case_rows(episodes, {e.patient_id: e.patient for e in episodes}, timezone.now())
    mine = [row for row in rows.values() if row.episode.clinician_id == user.pk]
    states = Counter((row.state.text, row.state.variant) for row in rows.values())
    digests = rows_where(user, Capability.READ_STATE, Digest.objects.all())
    return {
        "needs_me": _needing(mine),
        "needs_others": _needing([row for row in rows.values() if row.episode.clinician_id != user.pk]),
        "counts": [(text, variant, number) for (text, variant), number in states.most_common()],
        "open_cases": sum(episode.is_open for episode in episodes),
        "my_cases": sum(row.episode.is_open for row in mine),
        "last_digest": digests.select_related("clinician").order_by("-created_at").first(),
    }


def _needing(rows: list[CaseRow]) -> list[tuple[CaseRow, Alert]]:
    """Cases with an alert that nobody has put aside, the most urgent first."""
    loudest = [(row, next((a for a in row.alerts if a.state != Alert.State.SNOOZED), None)) for row in rows]
    waiting = [(row, alert) for row, alert in loudest if alert is not None]
    return sorted(waiting, key=lambda pair: alert_rank(pair[1]))[:SHOWN]
