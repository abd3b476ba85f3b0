"""The same done to many alerts: each by itself, and of each is said what became of it.

One that is refused changes nothing and keeps no other from being done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from clinic.errors import FieldError
from clinic.models import User
from clinic.roles import Capability, require
from programs.models import Alert
from programs.rules.schedule import local_date
from programs.services import alerts as one
from programs.services.hand_overs import hand_over_alert

MOST = 200
"""So many at once: more is no longer something a person has looked at."""


class BulkError(FieldError):
    """The whole cannot be done as asked; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one alert: done, or why not."""

    alert: Alert
    done: bool
    said: str


@transaction.atomic
def acknowledge_many(
    *, alerts: Sequence[Alert], by: User, now: datetime, note: str = "", seen: Mapping[int, int] | None = None
) -> list[Done]:
    """Somebody has read them. Of a red flag ``seen`` must say how many rows of evidence were on the screen:
    it is acknowledged by who has read what was reported, and no later symptom with it.

    Raises:
        Denied: ``by`` may do no clinical work in a clinic of theirs; nothing was changed.
        BulkError: none, or too many.
    """
    shown = seen or {}

    def work(alert: Alert) -> str:
        if alert.kind == Alert.Kind.RED_FLAG and alert.pk not in shown:
            raise one.AlertError("alert", "A red flag is acknowledged once what was reported has been read.")
        one.acknowledge(alert=alert, by=by, now=now, note=note, seen=shown.get(alert.pk))
        return "Acknowledged."

    return _each(alerts, by, work)


@transaction.atomic
def snooze_many(
    *, alerts: Sequence[Alert], by: User, until: date, now: datetime, note: str = ""
) -> list[Done]:
    """Out of the digest until that day; today is each patient's. No red flag is.

    Raises: as ``acknowledge_many``.
    """

    def work(alert: Alert) -> str:
        today = local_date(now, alert.episode.patient.timezone)
        one.snooze(alert=alert, by=by, until=until, now=now, today=today, note=note)
        return f"Snoozed until {until:%-d %b %Y}."

    return _each(alerts, by, work)


@transaction.atomic
def resolve_many(
    *, alerts: Sequence[Alert], by: User, came_of: str, outcome: str, now: datetime
) -> list[Done]:
    """Close them with the same outcome; a red flag is cleared with a finding instead, one by one.

    Raises: as ``acknowledge_many``.
    """

    def work(alert: Alert) -> str:
        today = local_date(now, alert.episode.patient.timezone)
        one.resolve(alert=alert, by=by, came_of=came_of, outcome=outcome, now=now, today=today)
        return "Resolved."

    return _each(alerts, by, work)


@transaction.atomic
def hand_over_many(
    *, alerts: Sequence[Alert], to: User, by: User, now: datetime, why: str = ""
) -> list[Done]:
    """Hand them to a colleague, each with its case; the second alert of a case went with the first.

    Raises: as ``acknowledge_many``.
    """
    moved: set[int] = set()

    def work(alert: Alert) -> str:
        if alert.episode_id not in moved:
            hand_over_alert(alert=alert, to=to, by=by, now=now, why=why)
            moved.add(alert.episode_id)
        return f"Handed to {to}, with case {alert.episode.case_number}."

    return _each(alerts, by, work)


def _each(alerts: Sequence[Alert], by: User, work: Callable[[Alert], str]) -> list[Done]:
    """In the order of their keys, so that two people at it at once wait for each other and never for good."""
    if not alerts:
        raise BulkError("alerts", "Choose at least one alert.")
    if len(alerts) > MOST:
        raise BulkError("alerts", f"At most {MOST} at once.")
    for clinic in {alert.clinic_id for alert in alerts}:
        require(by, Capability.WRITE_CLINICAL, clinic)
    found = []
    for alert in sorted(alerts, key=lambda alert: (alert.episode_id, alert.pk)):
        try:
            with transaction.atomic():
                found.append(Done(alert, True, work(alert)))
        except FieldError as error:
            found.append(Done(alert, False, error.message))
    return found
