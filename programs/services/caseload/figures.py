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
    """Of the cases whose findings the user may read. Seven queries, however many cases.

    What reviews found four weeks before is what those of the latest day until then say: each case is
    reviewed every day.
    """
    today = now.astimezone(UTC).date()
    before = today - timedelta(weeks=WEEKS_BEFORE)
    active = _active(user, today, before)
    weeks = _success_weeks(user, today), _success_weeks(user, before)
    alerts = _alerts(user, Q(resolved_on=None)), _alerts(user, _unresolved_on(before))
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


def _success_weeks(user: User, until: date) -> Mapping[int, int]:
    since = until - timedelta(weeks=SUCCESS_WEEKS)
    programs = _rows(user, Program.objects.filter(succeeded_on__gt=since, succeeded_on__lte=until))
    return dict(programs.values_list("success_week").annotate(Count("pk")))


def _unresolved_on(day: date) -> Q:
    return Q(opened_on__lte=day) & (Q(resolved_on=None) | Q(resolved_on__gt=day))


def _alerts(user: User, unresolved: Q) -> Mapping[str, int]:
    """By reason: a stall's own; of the other kinds the kind is the reason."""
    counts = Counter[str]()
    rows = _rows(user, Alert.objects.filter(unresolved)).values_list("kind", "reason").annotate(Count("pk"))
    for kind, reason, count in rows:
        counts[reason if kind == Alert.Kind.STALL and reason else kind] += count
    return counts
