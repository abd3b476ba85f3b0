"""The first page: who needs me today, and whether the service itself is well."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from clinic.admin.base import rows_where
from clinic.admin.sweeps import job_rows, worst
from clinic.models import Clinic, User
from clinic.roles import Capability
from patients.models import Episode
from programs.admin.caseload import CaseRow, alert_rank, case_rows
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
    cases = rows_where(user, Capability.READ_STATE, Episode.objects.open()).select_related(
        "patient", "clinician"
    )
    episodes = list(cases)
    rows = case_rows(episodes, {e.patient_id: e.patient for e in episodes}, timezone.now())
    mine = [row for row in rows.values() if row.episode.clinician_id == user.pk]
    states = Counter((row.state.text, row.state.variant) for row in rows.values())
    digests = rows_where(user, Capability.READ_STATE, Digest.objects.all())
    return {
        "needs_me": _needing(mine),
        "needs_others": _needing([row for row in rows.values() if row.episode.clinician_id != user.pk]),
        "counts": [(text, variant, number) for (text, variant), number in states.most_common()],
        "open_cases": len(episodes),
        "my_cases": len(mine),
        "last_digest": digests.select_related("clinician").order_by("-created_at").first(),
    }


def _needing(rows: list[CaseRow]) -> list[tuple[CaseRow, Alert]]:
    """Cases with an alert that nobody has put aside, the most urgent first."""
    waiting = [(row, alert) for row in rows for alert in row.alerts[:1] if alert.state != Alert.State.SNOOZED]
    return sorted(waiting, key=lambda pair: alert_rank(pair[1]))[:SHOWN]
