"""Letters about a case, what may be taken out, and the counters of remote monitoring where they are on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clinic.models import User
from clinic.roles import Capability
from patients.models import Episode
from programs.models import Letter
from programs.rules.monitoring import Counts
from programs.services.letters import recipient_of
from programs.services.monitoring import monitoring_counts


@dataclass(frozen=True, slots=True)
class Papers:
    letters: list[tuple[Letter, str]]
    counts: Counts | None
    may_export: bool


def papers(user: User, episode: Episode, now: datetime) -> Papers:
    """One query, and two more where the counters are on."""
    rows = Letter.objects.filter(episode=episode).select_related("made_by")
    return Papers(
        letters=[(letter, recipient_of(letter)) for letter in rows],
        counts=monitoring_counts(episode=episode, now=now),
        may_export=user.may(Capability.EXPORT, episode.clinic_id),
    )
