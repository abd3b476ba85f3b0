"""Periodic jobs: when each last ran, and whether "nothing to do" or "broken" is the reason for silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from clinic.admin.base import RoleAdmin
from clinic.admin.forms import age_text
from clinic.models import SweepRun, User
from clinic.roles import Capability

SERVING_SINCE = timezone.now()
"""When this web process came up. A job that never ran is on its way until it is overdue since then: what the
database knows is older, since it may be filled long before the service starts."""

LATE_AFTER_INTERVALS = 5
LATE_AT_LEAST = timedelta(minutes=5)

LABELS = {
    "send_outbox": "Send e-mails",
    "ask_check_ins": "Ask for check-ins",
    "ask_watches": "Ask after discharge",
    "remind_check_ins": "Remind of check-ins",
    "mark_missed": "Mark missed check-ins",
    "review_cases": "Review cases",
    "send_digests": "Send weekly digests",
    "escalate_red_flags": "Escalate red flags",
    "apply_retention": "Forget what is over its term",
    "keep_ledger": "Write the ledger of erasures",
    "forget_sign_ins": "Forget old sessions and counted tries",
    "seal_audit": "Seal the audit trail",
}


class Health(StrEnum):
    HEALTHY = "healthy"
    LATE = "late"
    FAILED = "failed"
    NEVER = "never ran"
    STARTING = "starting"

    @property
    def colour(self) -> str:
        colours = {Health.HEALTHY: "success", Health.STARTING: "default", Health.LATE: "warning"}
        return colours.get(self, "danger")

    @property
    def is_trouble(self) -> bool:
        return self not in (Health.HEALTHY, Health.STARTING)


@dataclass(frozen=True, slots=True)
class JobRow:
    """One periodic job as a page shows it. ``found`` says what the last good run came to."""

    label: str
    health: Health
    last_run: str
    last_success: str
    found: str
    error: str

    @property
    def colour(self) -> str:
        return self.health.colour


def job_rows(now: datetime, since: datetime) -> list[JobRow]:
    """All jobs of the beat schedule, those that never ran included; ``since``: when the service came up."""
    runs = {run.name: run for run in SweepRun.objects.all()}
    schedule = {task.rpartition(".")[2]: seconds for task, seconds in settings.BEAT_INTERVALS.items()}
    return [
        _row(name, runs.get(name), timedelta(seconds=every), now, since) for name, every in schedule.items()
    ]


def worst(rows: Sequence[JobRow]) -> Health:
    """The health of the service as a whole."""
    order = [Health.FAILED, Health.NEVER, Health.LATE, Health.STARTING, Health.HEALTHY]
    return min((row.health for row in rows), key=order.index, default=Health.NEVER)


def health(run: SweepRun | None, every: timedelta, now: datetime, since: datetime) -> Health:
    """Failed: the last finished run raised. Late: no success for several intervals, a killed run included.

    Never ran: overdue by as much since the service came up. Starting: its first run may still come in time.
    """
    allowed = allowance(every)
    if run is None:
        return Health.STARTING if now - since <= every + allowed else Health.NEVER
    if run.error:
        return Health.FAILED
    if now - (run.succeeded_at or run.started_at) > allowed:
        return Health.LATE
    return Health.HEALTHY


def allowance(every: timedelta) -> timedelta:
    """How much later than due is still in time."""
    return max(every * LATE_AFTER_INTERVALS, LATE_AT_LEAST)


def _row(name: str, run: SweepRun | None, every: timedelta, now: datetime, since: datetime) -> JobRow:
    state = health(run, every, now, since)
    first_due = f"not yet run, first due {timezone.localtime(since + every):%H:%M:%S}"
    return JobRow(
        label=LABELS.get(name, name.replace("_", " ").capitalize()),
        health=state,
        last_run=first_due if state is Health.STARTING else age_text(run.started_at if run else None, now),
        last_success=age_text(run.succeeded_at if run else None, now),
        found=_found(run),
        error=run.error if run else "",
    )


def _found(run: SweepRun | None) -> str:
    if run is None or run.succeeded_at is None or run.error:
        return ""
    counts = [f"{number} {name.replace('_', ' ')}" for name, number in run.result.items() if number]
    return ", ".join(counts) or "nothing to report"


@admin.register(SweepRun)
class SweepRunAdmin(RoleAdmin):
    """For owners and operators; holds no patient data."""

    view_needs = history_needs = Capability.MANAGE_CLINIC

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user = request.user
        operator = isinstance(user, User) and user.is_active and user.is_operator
        return operator or (isinstance(user, User) and user.may(Capability.MANAGE_CLINIC))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return SweepRun.objects.all() if self.has_view_permission(request) else SweepRun.objects.none()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """There is no page of a single job: the table holds all there is to know."""
        return HttpResponseRedirect(reverse("admin:clinic_sweeprun_changelist"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Periodic jobs",
            "jobs": job_rows(timezone.now(), SERVING_SINCE),
        }
        return TemplateResponse(request, "admin/clinic/jobs.html", context)
