"""What a patient reads while a red flag is open: the exact words, and who has read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from patients.models import Patient
from programs.models import Alert
from programs.rules.red_flags import Tier, screen, words

NOT_READ_YET = "We have messaged the clinic; nobody has read it yet."
"""In the words of tier 2; gives way to who has read it."""

NOT_MESSAGED = "This report was not stored, and the clinic was not messaged about it."
"""Stands in its place where a report was refused: nobody is coming to read it."""

NO_PHONE = "the clinic"


@dataclass(frozen=True, slots=True)
class Advice:
    """The words of the tier; ``read_by`` and ``read_at`` are None until someone acknowledged it."""

    tier: Tier
    words: str
    read_by: str | None = None
    read_at: datetime | None = None


def of_patient(patient: Patient) -> Advice | None:
    """What holds for the patient now: the most urgent open red flag of their cases, if any."""
    alerts = Alert.objects.red_flags_of(patient.pk)
    return _of_alerts(patient, alerts.select_related("acknowledged_by"))


def on_report(patient: Patient, episode_id: int, codes: Iterable[str]) -> Advice | None:
    """What to read right after reporting these symptoms; None without any.

    Of symptoms that a clinician cleared, only tier 1 is still told to seek care: what was cleared once may be
    back, and waiting is the danger.
    """
    tier = screen(codes)
    if tier is None:
        return None
    alerts = Alert.objects.unresolved().filter(episode=episode_id, kind=Alert.Kind.RED_FLAG)
    advice = _of_alerts(patient, alerts.select_related("acknowledged_by"))
    if tier is Tier.ONE and (advice is None or advice.tier is not Tier.ONE):
        return Advice(tier, _words(patient, tier))
    return advice


def on_refusal(patient: Patient, codes: Iterable[str]) -> Advice | None:
    """What to read when these symptoms were reported but not stored; None without any."""
    tier = screen(codes)
    return None if tier is None else Advice(tier, _words(patient, tier).replace(NOT_READ_YET, NOT_MESSAGED))


def _of_alerts(patient: Patient, alerts: Iterable[Alert]) -> Advice | None:
    alert = min(alerts, key=lambda alert: list(Tier).index(Tier(alert.level)), default=None)
    if alert is None:
        return None
    tier = Tier(alert.level)
    text = _words(patient, tier)
    if alert.acknowledged_by is None or alert.acknowledged_at is None:
        return Advice(tier, text)
    name = alert.acknowledged_by.get_full_name()
    at = alert.acknowledged_at.astimezone(ZoneInfo(patient.timezone))
    read = f"Read by {name}, {at:%-d %b %Y %H:%M}."
    text = text.replace(NOT_READ_YET, read) if NOT_READ_YET in text else f"{text} {read}"
    return Advice(tier, text, name, alert.acknowledged_at)


def _words(patient: Patient, tier: Tier) -> str:
    clinic = patient.clinic
    return words(tier, emergency=clinic.emergency, phone=clinic.phone or NO_PHONE)
