"""Sending the outbox, and what an address that is refused for good means for its patient."""

from __future__ import annotations

from datetime import datetime, timedelta

from clinic import outbox
from clinic.models import OutboxMessage
from clinic.row_security import Tenant, acting_for
from patients.models import Patient
from programs.services.due import review_patient_again


def send_due(*, now: datetime, batch: int, lease: timedelta) -> dict[str, int]:
    """Send what is due; a patient whose address bounces is marked. Counts as ``clinic.outbox.send_due``.

    Raises:
        MailServerError: no connection or no login.
    """
    return outbox.send_due(now=now, batch=batch, lease=lease, on_bounce=_mark_patient)


def _mark_patient(message: OutboxMessage, now: datetime) -> None:
    """Only while it is the patient's address: staff may have corrected it, or the mail went to staff."""
    if message.patient_key and message.clinic_id:
        with acting_for(Tenant((message.clinic_id,))):
            found = Patient.objects.filter(pk=message.patient_key, email__iexact=message.to_email)
            if found.update(email_bounced_at=now):
                review_patient_again(patient=found.get(), now=now)
