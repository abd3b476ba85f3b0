"""Counters of remote monitoring for a case, where the clinic has turned them on."""

from __future__ import annotations

from datetime import datetime, timedelta

from patients.models import Episode
from programs.models import Answer, ContactLog, Run, Session
from programs.rules.monitoring import Contact, Counts, count
from programs.rules.schedule import local_date


def monitoring_counts(*, episode: Episode, now: datetime) -> Counts | None:
    """The counters as of today on the clinic's calendar; None where they are off. Two queries."""
    t = episode.thresholds
    if not t.monitoring_counts:
        return None
    zone = episode.clinic.timezone
    today = local_date(now, zone)
    since = today - timedelta(days=t.monitoring_period_days - 1)
    reported = [
        model.objects.current()
        .filter(episode=episode, local_date__range=(since, today))
        .order_by()
        .values_list("local_date", flat=True)
        for model in (Answer, Session, Run)
    ]
    month_and_a_day = now - timedelta(days=32)
    logged = ContactLog.objects.filter(episode=episode, at__gte=month_and_a_day, at__lte=now)
    contacts = logged.exclude(kind=ContactLog.Kind.NOTE, minutes=None)
    return count(
        set(reported[0].union(*reported[1:]).order_by()),
        [Contact(local_date(c.at, zone), c.minutes, c.is_live) for c in contacts],
        today,
        t,
    )
