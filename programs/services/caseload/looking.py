"""When the treating clinician last opened a case: what came in since is new."""

from __future__ import annotations

from datetime import datetime

from clinic.models import User
from patients.models import Episode
from programs.models import Program


def look(*, episode: Episode, by: User, now: datetime) -> None:
    """Note that the case was opened, if it is the user's own.

    A program that is just being reviewed is left alone: nobody waits to see a page, and the next time counts.
    """
    if episode.clinician_id != by.pk:
        return
    free = Program.objects.active().filter(episode=episode).select_for_update(skip_locked=True, no_key=True)
    Program.objects.filter(pk__in=free.values("pk")).update(looked_at=now)
