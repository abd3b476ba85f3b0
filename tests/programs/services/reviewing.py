"""A program under review, and what the review left behind."""

from __future__ import annotations

from datetime import UTC, date, datetime

from programs.models import Alert, Program, Review
from programs.services.reviews import review_due
from tests.programs.services.recorded import day

START = date(2026, 1, 5)


def at(on: date, hour: int = 9) -> datetime:
    return datetime(on.year, on.month, on.day, hour, tzinfo=UTC)


def review(program: Program, number: int) -> Review:
    """Let the day's sweep run on that day of the program; its verdict."""
    on = day(program, number)
    Program.objects.filter(pk=program.pk).update(next_review_on=on)
    review_due(now=at(on))
    return Review.objects.get(program=program, day=on)


def alert_of(program: Program, kind: str = Alert.Kind.STALL) -> Alert:
    return Alert.objects.get(episode=program.episode, kind=kind)


def events_of(alert: Alert) -> list[str]:
    return [event.what for event in alert.events.all()]
