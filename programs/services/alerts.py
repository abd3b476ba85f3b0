"""What a clinician does with an alert. Every step is kept: who, when, why."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction

from clinic.errors import FieldError
from clinic.models import User
from clinic.roles import Capability, require
from programs.models import Alert, AlertEvent
from programs.rules.alerts import HOLDS_BACK
from programs.rules.progression import Barred


class AlertError(FieldError):
    """The alert cannot be changed like that."""


@transaction.atomic
def acknowledge(*, alert: Alert, by: User, now: datetime, note: str = "", seen: int | None = None) -> Alert:
    """Someone has read it: a red flag is not escalated any more. Twice is the same as once.

    ``seen`` is how many rows of evidence were on the screen: what came later was not read.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AlertError: the alert is resolved, or holds more than was seen.
    """
    alert = _lock(alert, by)
    check_seen(alert, seen)
    if alert.state == Alert.State.ACKNOWLEDGED:
        said = alert.events.filter(what=AlertEvent.What.ACKNOWLEDGED, by=by).values_list("note", flat=True)
        if note.strip() and note not in said:
            add_event(alert=alert, what=AlertEvent.What.ACKNOWLEDGED, at=now, by=by, note=note)
        return alert
    alert.state, alert.snoozed_until = Alert.State.ACKNOWLEDGED, None
    alert.acknowledged_at, alert.acknowledged_by, alert.escalate_at = now, by, None
    alert.save(update_fields=["state", "snoozed_until", "acknowledged_at", "acknowledged_by", "escalate_at"])
    add_event(alert=alert, what=AlertEvent.What.ACKNOWLEDGED, at=now, by=by, note=note)
    return alert


@transaction.atomic
def snooze(*, alert: Alert, by: User, until: date, now: datetime, today: date, note: str = "") -> Alert:
    """Out of the digest until that day. A red flag cannot be snoozed.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AlertError: a red flag, a resolved alert, or a day that is not in the future or too far in it.
    """
    alert = _lock(alert, by)
    if alert.kind == Alert.Kind.RED_FLAG:
        raise AlertError("until", "A red flag cannot be snoozed: clear it with a finding.")
    if until <= today:
        raise AlertError("until", "Choose a day after today.")
    latest = today + timedelta(days=alert.episode.thresholds.snooze_max_days)
    if until > latest:
        raise AlertError("until", f"Choose a day up to {latest}: a longer silence would hide the case.")
    alert.state, alert.snoozed_until = Alert.State.SNOOZED, until
    alert.save(update_fields=["state", "snoozed_until"])
    add_event(
        alert=alert,
        what=AlertEvent.What.SNOOZED,
        at=now,
        by=by,
        note=f"Until {until:%-d %b %Y}. {note}".strip(),
    )
    return alert


@transaction.atomic
def resolve(
    *,
    alert: Alert,
    by: User,
    outcome: str,
    now: datetime,
    today: date,
    came_of: str = Alert.CameOf.OTHER,
) -> Alert:
    """Close it with what came of it, and words; the words alone may be left out unless it is something other.
    A red flag is cleared with a finding instead (``red_flags.clear``).

    Raises:
        Denied: ``by`` may do no clinical work here.
        AlertError: a red flag, a resolved alert, an unknown outcome, or no words where they are needed.
    """
    alert = _lock(alert, by)
    if alert.kind == Alert.Kind.RED_FLAG:
        raise AlertError("outcome", "A red flag is cleared with a finding, not resolved.")
    if came_of not in Alert.CameOf.values:
        raise AlertError("came_of", f"expected one of {', '.join(Alert.CameOf.values)}.")
    alert.came_of = came_of
    words = outcome.strip()
    if came_of != Alert.CameOf.OTHER:
        words = f"{Alert.CameOf(came_of).label}. {words}".strip()
    if len(words) > 500:
        raise AlertError("outcome", "At most 500 characters.")
    close(alert=alert, resolution=Alert.Resolution.CLINICIAN, outcome=words, by=by, now=now, today=today)
    return alert


def holding_back(episode_id: int) -> list[str]:
    """The unresolved alerts of the case that bar any proposal to do more, by name."""
    found = Alert.objects.unresolved().filter(episode=episode_id, kind__in=HOLDS_BACK).order_by("kind")
    return [alert.get_kind_display().lower() for alert in found.only("kind")]


def barred(episode_id: int) -> list[Barred]:
    """When alerts of the case barred, or still bar, any proposal to do more."""
    found = Alert.objects.filter(episode=episode_id, kind__in=HOLDS_BACK)
    return [
        Barred(alert.get_kind_display().lower(), alert.opened_on, alert.resolved_on)
        for alert in found.only("kind", "opened_on", "resolved_on")
    ]


def check_seen(alert: Alert, seen: int | None) -> None:
    """Raise AlertError if evidence came after the page was shown."""
    if seen is not None and len(alert.evidence) != seen:
        raise AlertError("alert", "New symptoms were reported in the meantime: read them first.")


def close(
    *, alert: Alert, resolution: str, outcome: str, by: User | None, now: datetime, today: date
) -> None:
    """Write the end of an alert, and the event that says so. Raises AlertError without an outcome."""
    if not outcome.strip():
        raise AlertError("outcome", "Write down what came of it.")
    alert.state, alert.resolution, alert.outcome = Alert.State.RESOLVED, resolution, outcome.strip()[:500]
    alert.resolved_at, alert.resolved_on, alert.resolved_by = now, today, by
    alert.snoozed_until, alert.escalate_at = None, None
    alert.save()
    add_event(alert=alert, what=AlertEvent.What.RESOLVED, at=now, by=by, note=alert.outcome)


def add_event(
    *,
    alert: Alert,
    what: str,
    at: datetime,
    by: User | None = None,
    note: str = "",
    evidence: list[dict[str, object]] | None = None,
) -> AlertEvent:
    """One more step in the alert's history."""
    return AlertEvent.objects.create(
        clinic_id=alert.clinic_id,
        alert=alert,
        what=what,
        at=at,
        by=by,
        note=note[:500],
        evidence=evidence or [],
    )


def _lock(alert: Alert, by: User) -> Alert:
    """The alert, locked; only while it is not resolved."""
    require(by, Capability.WRITE_CLINICAL, alert.clinic_id)
    locked: Alert = Alert.objects.select_for_update(no_key=True).get(pk=alert.pk)
    if locked.state == Alert.State.RESOLVED:
        raise AlertError("alert", "This alert is already resolved.")
    return locked
