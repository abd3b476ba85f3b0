"""Whom to call: patients who fell silent or whose e-mail bounces. For every role; nothing clinical."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from clinic.admin.base import clinics_where, rows_where
from clinic.models import User
from clinic.roles import Capability
from patients.models import Episode
from programs.models import Alert, ContactLog


@dataclass(frozen=True, slots=True)
class Call:
    """A case to call about: why and since when, and the last contact; its note for who reads findings."""

    episode: Episode
    since: datetime
    why: list[str]
    last: ContactLog | None
    note: str


def calls(user: User) -> list[Call]:
    """Open cases of the clinics where the user keeps contact, the one left alone for longest first.

    A fixed number of queries. A silence that a clinician snoozed is left out; a logged call closes nothing.
    """
    silent = _silent()
    episodes = list(_to_call(user).select_related("patient", "clinician"))
    alerts = {alert.episode_id: alert for alert in silent.filter(episode__in=episodes).defer("thresholds")}
    contacts = _last_contacts(episodes)
    reading = clinics_where(user, Capability.READ_CLINICAL)
    found = [
        _call(episode, alerts.get(episode.pk), contacts.get(episode.pk), reading) for episode in episodes
    ]
    return sorted(found, key=lambda call: (call.last.at if call.last else call.since, call.episode.pk))


def number_to_call(user: User) -> int:
    return _to_call(user).count()


def _silent() -> QuerySet[Alert]:
    return Alert.objects.unresolved().filter(kind=Alert.Kind.SILENT).exclude(state=Alert.State.SNOOZED)


def _to_call(user: User) -> QuerySet[Episode]:
    cases = rows_where(user, Capability.WRITE_CONTACT, Episode.objects.open())
    silent = Exists(_silent().filter(episode=OuterRef("pk")))
    return cases.filter(silent | Q(patient__email_bounced_at__isnull=False))


def _call(episode: Episode, silent: Alert | None, last: ContactLog | None, reading: list[int]) -> Call:
    bounced = episode.patient.email_bounced_at
    why = []
    if silent:
        why.append(f"Silent: on the list since {silent.opened_on:%-d %b %Y}")
    if bounced:
        why.append(f"E-mail bounced on {timezone.localtime(bounced):%-d %b %Y}")
    return Call(
        episode=episode,
        since=min(at for at in (silent and silent.opened_at, bounced) if at),
        why=why,
        last=last,
        note=last.note if last and episode.clinic_id in reading else "",
    )


def _last_contacts(episodes: Sequence[Episode]) -> dict[int, ContactLog]:
    latest = ContactLog.objects.contacts().filter(episode__in=episodes).order_by("episode_id", "-at", "-pk")
    return {contact.episode_id: contact for contact in latest.distinct("episode_id").select_related("by")}
