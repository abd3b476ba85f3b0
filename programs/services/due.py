"""When a case is looked at next: every change that matters has today's verdict made again."""

from __future__ import annotations

from datetime import datetime

from patients.models import Episode, Patient
from programs.models import Program
from programs.rules.schedule import local_date


def review_again(*, episode: Episode, now: datetime, patient: Patient | None = None) -> None:
    """Have the next sweep judge the case again today, with what was just reported or decided.

    ``patient`` is the case's, where the caller has it at hand.
    """
    today = local_date(now, (patient or episode.patient).timezone)
    Program.objects.active().filter(episode=episode, next_review_on__gt=today).update(next_review_on=today)
