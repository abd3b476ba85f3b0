"""The first page: who needs me today, and whether the service itself is well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from clinic.absences import notices
from clinic.admin import sweeps
from clinic.admin.base import clinics_where, rows_where
from clinic.audit.seen import show_only
from clinic.job_models import RowAttemptQuerySet
from clinic.models import Clinic, RowAttempt, User
from clinic.roles import Capability
from patients.models import Episode
from programs.admin.call_list import calls
from programs.admin.caseload import CaseRow, alert_rank, caseload
from programs.admin.wording import STATE_CODES
from programs.models import Alert, Digest
from programs.services.red_flags import undelivered

SHOWN = 12

type Waiting = tuple[CaseRow, Alert]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill in the context of ``admin/index.html``."""
    user = request.user
    assert isinstance(user, User)
    now = timezone.now()
    jobs = sweeps.job_rows(now, sweeps.SERVING_SINCE)
    context |= {
        "title": "Today",
        "jobs": jobs,
        "jobs_health": sweeps.worst(jobs),
        "clinics_simulated": [m.clinic for m in user.active_memberships if m.clinic.simulated],
        "reads_in": clinics_where(user, Capability.READ_CLINICAL),
    }
    if user.may(Capability.READ_STATE):
        context |= _caseload(user, now)
    context["notices"] = notices(user, now)
    if user.may(Capability.WRITE_CONTACT):
        context["calls"] = calls(user)
    if user.is_operator:
        context["clinics"] = Clinic.objects.all()
    if user.may(Capability.MANAGE_CLINIC):
        context["undelivered"] = undelivered(clinics_where(user, Capability.MANAGE_CLINIC))
    if user.is_operator or user.may(Capability.MANAGE_CLINIC):
        context["given_up"] = _in_trouble(user).given_up().count()
    return context


def _caseload(user: User, now: datetime) -> dict[str, Any]:
    rows = caseload(user, now).values()
    untreated = _untreated(user, rows)
    episodes = [row.episode for row in rows]
    flagged, mine, others = _sections(user, rows)
    states = Counter(row.state for row in rows)
    if not user.active_memberships:
        mine = others = []  # an operator reads, and treats nobody
    shown = [*flagged, *mine[:SHOWN], *others[:SHOWN]]
    named = [*(row for row, _ in shown), *untreated]
    show_only(row.episode.patient_id for row in named)  # the others are only counted
    return {
        "flagged": flagged,
        "untreated": untreated,
        "needs_me": mine[:SHOWN] if user.active_memberships else None,
        "more_of_mine": len(mine[SHOWN:]),
        "needs_others": others[:SHOWN],
        "more_of_others": len(others[SHOWN:]),
        "counts": [(STATE_CODES.get(badge, ""), badge, number) for badge, number in states.most_common()],
        "open_cases": sum(episode.is_open for episode in episodes),
        "my_cases": sum(e.is_open and e.clinician_id == user.pk for e in episodes),
        "last_digest": _last_digest(user),
    }


def _untreated(user: User, rows: Iterable[CaseRow]) -> list[CaseRow]:
    """For an owner: open cases whose clinician does not treat there any more."""
    cases = rows_where(user, Capability.MANAGE_CLINIC, Episode.objects.open().untreated())
    left = set(cases.values_list("pk", flat=True))
    return [row for row in rows if row.episode.pk in left]


def _in_trouble(user: User) -> RowAttemptQuerySet:
    """An operator's are of every clinic."""
    rows = RowAttempt.objects.all()
    return rows if user.is_operator else rows_where(user, Capability.MANAGE_CLINIC, rows)


def _sections(user: User, rows: Iterable[CaseRow]) -> tuple[list[Waiting], list[Waiting], list[Waiting]]:
    """Open red flags, whoever's case it is; then the user's own cases and colleagues'. A red flag is a
    finding: who reads none in its clinic meets it among the other cases.
    """
    reading = clinics_where(user, Capability.READ_CLINICAL)
    flagged: list[Waiting] = []
    mine: list[Waiting] = []
    others: list[Waiting] = []
    for row, alert in _needing(rows):
        if alert.kind == Alert.Kind.RED_FLAG and row.episode.clinic_id in reading:
            flagged.append((row, alert))
        elif row.episode.clinician_id == user.pk:
            mine.append((row, alert))
        else:
            others.append((row, alert))
    return flagged, mine, others


def _needing(rows: Iterable[CaseRow]) -> list[Waiting]:
    """Cases with an alert that nobody has put aside, the most urgent first."""
    loudest = [(row, next((a for a in row.alerts if a.state != Alert.State.SNOOZED), None)) for row in rows]
    waiting = [(row, alert) for row, alert in loudest if alert is not None]
    return sorted(waiting, key=lambda pair: alert_rank(pair[1]))


def _last_digest(user: User) -> Digest | None:
    """The user's own; an owner's is the last of the clinic."""
    digests = rows_where(user, Capability.READ_STATE, Digest.objects.all())
    own = Q(clinician=user) | Q(clinic__in=clinics_where(user, Capability.MANAGE_CLINIC))
    return digests.filter(own).select_related("clinician").order_by("-created_at").first()
