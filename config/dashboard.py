"""The first page: who needs me today, and whether the service itself is well."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
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
from programs.admin.call_list import calls, number_to_call
from programs.admin.export_acts import exports_of
from programs.admin.today import today
from programs.models import Digest
from programs.services.red_flags import undelivered


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
        context |= _caseload(request, user, now)
    context["notices"] = notices(user, now)
    context["exports"] = exports_of(user)
    if user.may(Capability.WRITE_CONTACT):
        context["to_call"] = number_to_call(user)
        if not context["reads_in"]:
            context["calls"] = calls(user)
    if user.is_operator:
        context["clinics"] = Clinic.objects.all()
    if user.may(Capability.MANAGE_CLINIC):
        context["undelivered"] = undelivered(clinics_where(user, Capability.MANAGE_CLINIC))
    if user.is_operator or user.may(Capability.MANAGE_CLINIC):
        context["given_up"] = _in_trouble(user).given_up().count()
    return context


def _caseload(request: HttpRequest, user: User, now: datetime) -> dict[str, Any]:
    found = today(request, user, now)
    untreated = list(_untreated(user).select_related("patient", "clinician"))
    show_only([*(case.row.episode.patient_id for case in found.cases), *(e.patient_id for e in untreated)])
    return {"today": found, "untreated": untreated, "last_digest": _last_digest(user)}


def _untreated(user: User) -> QuerySet[Episode]:
    """For an owner: open cases whose clinician does not treat there any more."""
    return rows_where(user, Capability.MANAGE_CLINIC, Episode.objects.open().untreated())


def _in_trouble(user: User) -> RowAttemptQuerySet:
    """An operator's are of every clinic."""
    rows = RowAttempt.objects.all()
    return rows if user.is_operator else rows_where(user, Capability.MANAGE_CLINIC, rows)


def _last_digest(user: User) -> Digest | None:
    """The user's own; an owner's is the last of the clinic."""
    digests = rows_where(user, Capability.READ_STATE, Digest.objects.all())
    own = Q(clinician=user) | Q(clinic__in=clinics_where(user, Capability.MANAGE_CLINIC))
    return digests.filter(own).select_related("clinician").order_by("-created_at").first()
