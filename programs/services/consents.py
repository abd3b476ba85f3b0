"""Which version of the consent text a patient agreed to, and whether they are to be asked again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from clinic.errors import FieldError
from patients import consents
from patients.models import Consent, Patient


class ConsentError(FieldError):
    """It can't be agreed to like that."""


class StaleVersion(FieldError):
    """There is a newer text: show that one."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """The present text, and what the patient agreed to last. ``needed``: show the text and ask."""

    text: consents.ConsentText
    last: Consent | None

    @property
    def needed(self) -> bool:
        return self.last is None or self.last.version < self.text.version


def agreed(*, patient: Patient) -> Agreed:
    """What the patient agreed to last, beside the text in force."""
    return Agreed(consents.current(), Consent.objects.filter(patient=patient).first())


def agree(*, patient: Patient, version: int, now: datetime, today: date) -> Agreed:
    """The patient agrees to the present text. Asked again, the first time stands.

    Raises:
        StaleVersion: that is not the present version.
        ConsentError: under 18, and the clinic has noted no guardian's consent.
    """
    text = consents.current()
    if version != text.version:
        raise StaleVersion("version", f"The text is at version {text.version}: show that one.")
    if patient.missing_consent(today):
        raise ConsentError("guardian", "Under 18 a parent or guardian agrees first: your clinic notes it.")
    consent = Consent(
        clinic_id=patient.clinic_id,
        patient=patient,
        version=version,
        text_hash=text.hash,
        accepted_at=now,
        guardian_consented_on=patient.guardian_consented_on if patient.is_minor_on(today) else None,
    )
    Consent.objects.bulk_create([consent], ignore_conflicts=True)
    return agreed(patient=patient)
