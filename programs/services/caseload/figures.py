"""The figures of the clinic, as far as the user reads it, with what they were four weeks before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum

from clinic.models import User
from clinic.roles import Capability
from clinic.tenancy import rows_where
from patients.models import Episode
from programs.models import Alert, Program, Review
from programs.rules.caseload import Figures, Snapshot, figures
from programs.rules.caseload.figures import SUCCESS_WEEKS, WEEKS_BEFORE


def clinic_figures(*, user: User, now: datetime) -> Figures:
    """Of the cases whose findings the user may read. Five queries, however many cases.

    What reviews found four weeks before is what those of the latest day until then say: each case is
    reviewed every day.
    """
    today = now.astimezone(UTC).date()
    before = today - timedelta(weeks=WEEKS_BEFORE)
    active = _active(user, today, before)
    weeks, alerts = _success_weeks(user, today, before), _alerts(user, before)
    return figures(
        Snapshot(active[0], **_reviewed_now(user), success_weeks=weeks[0], alerts=alerts[0]),
        Snapshot(active[1], **_reviewed_before(user, before), success_weeks=weeks[1], alerts=alerts[1]),
    )


def _rows(user: User, rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows_where(user, Capability.READ_CLINICAL, rows).order_by()


def _active(user: User, today: date, before: date) -> tuple[int, int]:
    then = Q(opened_on__lte=before) & (Q(closed_on=None) | Q(closed_on__gt=before))
    found = _rows(user, Episode.objects.all()).aggregate(
        now=Count("pk", filter=Q(closed_on=None)), then=Count("pk", filter=then)
    )
    return found["now"], found["then"]


def _reviewed_now(user: User) -> dict[str, Any]:
    programs = _rows(user, Program.objects.active().exclude(review_state="")).filter(episode__closed_on=None)
    return _counted(programs.values_list("review_state"))


def _reviewed_before(user: User, before: date) -> dict[str, Any]:
    reviews = _rows(user, Review.objects.filter(day__lte=before, day__gt=before - timedelta(weeks=1)))
    latest = reviews.aggregate(day=Max("day"))["day"]
    return _counted(_rows(user, Review.objects.filter(day=latest)).values_list("state")) if latest else {}


def _counted(by_state: QuerySet[Any]) -> dict[str, Any]:
    rows = list(by_state.annotate(Count("pk"), Sum("sessions_done"), Sum("sessions_due")))
    return {
        "states": {state: count for state, count, _, _ in rows},
        "sessions_done": sum(done or 0 for _, _, done, _ in rows),
        "sessions_due": sum(due or 0 for _, _, _, due in rows),
    }


def _success_weeks(user: User, today: date, before: date) -> list[Mapping[int, int]]:
    """As of both days: how many of the latest successes came in which week."""
    spans = [
        Q(succeeded_on__gt=day - timedelta(weeks=SUCCESS_WEEKS), succeeded_on__lte=day)
        for day in (today, before)
    ]
    programs = _rows(user, Program.objects.filter(spans[0] | spans[1])).values_list("success_week")
    now, then = (Count("pk", filter=span) for span in spans)
    rows = list(programs.annotate(now=now, then=then))
    return [{week: now for week, now, _ in rows if now}, {week: then for week, _, then in rows if then}]


def _alerts(user: User, before: date) -> list[Mapping[str, int]]:
    """Now and then, by reason: a stall's own; of the other kinds the kind is the reason."""
    waiting = Q(resolved_on=None)
    waited = Q(opened_on__lte=before) & (waiting | Q(resolved_on__gt=before))
    rows = _rows(user, Alert.objects.filter(waiting | waited)).values_list("kind", "reason")
    counted = rows.annotate(now=Count("pk", filter=waiting), then=Count("pk", filter=waited))
    now, then = Counter[str](), Counter[str]()
    for kind, reason, count_now, count_then in counted:
        told = reason if kind == Alert.Kind.STALL and reason else kind
        now[told] += count_now
        then[told] += count_then
    return [+now, +then]
