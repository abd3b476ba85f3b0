"""The patient's way into the app: inviting them, and whether they can see there what was sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from clinic import outbox
from clinic.models import User
from patients.models import Invitation, Patient
from patients.services import issue_invitation
from programs import emails
from programs.rules.caseload import Way


@transaction.atomic
def invite(*, patient: Patient, by: User, now: datetime) -> Invitation:
    """Invite the patient, or again: a fresh link by e-mail, an earlier one stops working.

    Raises:
        Denied: ``by`` may not invite here.
        ConsentMissing: under 18, and no guardian's consent is on record.
        ValidationError: the patient has no e-mail.
    """
    invitation, token = issue_invitation(patient=patient, by=by, now=now)
    email = emails.invitation(invitation=invitation, now=now)
    outbox.put(
        clinic=patient.clinic,
        kind="invitation",
        dedupe_key=f"invitation:{invitation.pk}",
        to_email=patient.email,
        subject=email.subject,
        text=email.text,
        html=email.html,
        patient_key=patient.pk,
        secret=token,
        now=now,
    )
    return invitation


def way_of(patient: Patient, now: datetime) -> Way:
    return ways([patient], now)[patient.pk]


def ways(patients: Iterable[Patient], now: datetime) -> Mapping[Any, Way]:
    """Of each patient the way into the app. One query."""
    people = list(patients)
    waiting = [patient.pk for patient in people if patient.user_id is None]
    latest = Invitation.objects.filter(patient__in=waiting).order_by("patient_id", "-created_at")
    last = {invitation.patient_id: invitation for invitation in latest.distinct("patient_id")}
    return {patient.pk: _way(patient, last.get(patient.pk), now) for patient in people}


def _way(patient: Patient, last: Invitation | None, now: datetime) -> Way:
    if patient.email_bounced_at is not None:
        return Way.BOUNCED if patient.user_id is None else Way.UNREACHED
    if patient.user_id is not None:
        return Way.OPEN
    if last is not None and last.is_live(now):
        return Way.OPEN
    if not patient.email:
        return Way.NO_ADDRESS
    if last is None:
        return Way.NOT_INVITED
    if last.accepted_at is not None or last.revoked_at is not None:  # a newer one would be the last
        return Way.ADDRESS_CHANGED
    return Way.RAN_OUT
