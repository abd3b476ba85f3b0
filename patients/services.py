"""Patients, their cases and invitations: what changes only this app's rows."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from knox.crypto import hash_token as hash_secret

from clinic import security_events
from clinic.errors import FieldError
from clinic.models import ApiCreation, Clinic, Membership, StaffToken, User
from clinic.roles import Capability, require
from clinic.row_security import Tenant, acting_for
from clinic.security_events import Event
from patients.models import (
    EARLIEST_BIRTH,
    DeviceToken,
    Episode,
    Invitation,
    LoginCode,
    Patient,
    RestrictedRecord,
)

INVITATION_DAYS = 14
INVITATION_SHOWN_DAYS = 30
"""So long after its end an invitation is kept: staff see that it ran out, and send another."""
RETRIED_FOR = timedelta(days=2)
"""So long the API knows what a key of a request has created."""
CASE_NUMBER_LOCK = 7340
FIRST_NUMBER = 1001
COUNTED = re.compile(r"[0-9]{1,9}")
# Four digits at least, as people write them: +, spaces, brackets, dots, dashes, slashes, an extension.
PHONE = re.compile(
    r"(?=(?:[^0-9]*[0-9]){4})[0-9\s()+./\-\u2010-\u2015]+(?:(?:;?ext[.=]?|x|#)\s*[0-9]{1,8})?\s*",
    re.IGNORECASE,
)


class InvitationError(ValueError):
    """The invitation is unknown, used, revoked or too old. One message for all: a guess learns nothing."""

    def __init__(self) -> None:
        super().__init__("This invitation is not valid any more. Ask your clinic for a new one.")


class CaseError(FieldError):
    """The case cannot be changed like that."""


class ConsentMissing(FieldError):
    """Under 18, and the guardian's consent is not on record. ``field`` is the first that is empty."""

    def __init__(self, missing: Sequence[str]) -> None:
        labels = " and ".join(name.replace("_", " ") for name in missing)
        text = f"Under 18 a guardian consents first: fill in {labels} in the contact data."
        super().__init__(missing[0], text)


def register_patient(
    *, clinic: Clinic, by: User, given_name: str, timezone: str, today: date, **contact: Any
) -> Patient:
    """A new patient of the clinic; ``contact`` are further columns of ``Patient``.

    Raises:
        Denied: ``by`` may not write contact data here.
        ValidationError: a column is not valid, by name.
    """
    require(by, Capability.WRITE_CONTACT, clinic.pk)
    patient = Patient(clinic=clinic, given_name=given_name, timezone=timezone, **contact)
    patient.full_clean(exclude=["id"])
    check_contact(contact, today=today)
    patient.save()
    return patient


JUDGED_TOGETHER = frozenset({"birth_date", "guardian_consented_on"})
"""Of these, each change is looked at beside the others."""


def check_contact(values: Mapping[str, Any], *, today: date) -> None:
    """Raise ValidationError, by name, for what can't be: nobody who lives was born on that day, a consent
    that is still to come, a phone number without digits. What is not among ``values`` is not looked at.
    """
    errors = {}
    born, consented = values.get("birth_date"), values.get("guardian_consented_on")
    if born is not None and not EARLIEST_BIRTH <= born <= today:
        errors["birth_date"] = f"Choose a day from {EARLIEST_BIRTH:%-d %b %Y} to {today:%-d %b %Y}."
    if consented is not None and not (born or EARLIEST_BIRTH) <= consented <= today:
        since = f"from their birth, {born:%-d %b %Y}, " if born else ""
        errors["guardian_consented_on"] = f"Choose a day {since}up to today, {today:%-d %b %Y}."
    if values.get("phone") and not PHONE.fullmatch(values["phone"]):
        errors["phone"] = "Write a number, such as +31 (0)20 555-0100 ext. 12."
    if errors:
        raise ValidationError(errors)


def check_onset(onset_on: date | None, *, today: date) -> None:
    """Raise ValidationError, by name, for pain that is still to begin."""
    if onset_on is not None and onset_on > today:
        raise ValidationError({"onset_on": f"Choose a day up to today, {today:%-d %b %Y}."})


def consent_missing(patient: Patient, *, today: date) -> ConsentMissing | None:
    """Why nothing may be sent to someone under 18 yet; None where nothing stands in the way."""
    missing = patient.missing_consent(today)
    return ConsentMissing(missing) if missing else None


def require_consent(patient: Patient, *, today: date) -> None:
    """Raise ConsentMissing where someone under 18 has no guardian's consent on record (clinical.md 1)."""
    if refusal := consent_missing(patient, today=today):
        raise refusal


@transaction.atomic
def open_episode(
    *,
    patient: Patient,
    by: User,
    clinician: User,
    diagnosis: str,
    index_side: str,
    opened_on: date,
    today: date,
    case_number: str = "",
    **fields: Any,
) -> Episode:
    """A new case. Without a case number it gets the clinic's next free one.

    Raises:
        Denied: ``by`` may do no clinical work here.
        CaseError: the clinician does not treat in this clinic, or the case would open after today.
        ValidationError: a column is not valid, by name (pain that is still to begin), or the number was that
            of someone erased.
    """
    require(by, Capability.WRITE_CLINICAL, patient.clinic_id)
    require_clinician(clinician, patient.clinic_id)
    if opened_on > today:
        raise CaseError("opened_on", f"Choose a day up to today, {today:%-d %b %Y}.")
    episode = Episode(
        clinic=patient.clinic,
        patient=patient,
        clinician=clinician,
        diagnosis=diagnosis,
        index_side=index_side,
        opened_on=opened_on,
        case_number=case_number or next_case_number(patient.clinic),
        **fields,
    )
    episode.full_clean()
    check_onset(episode.onset_on, today=today)
    # After the living ones: who is erased at this moment is found here.
    if numbers_put_away(clinic=patient.clinic, among=[episode.case_number]):
        raise ValidationError(
            {"case_number": "This number belongs to a record that was erased. Take another."}
        )
    episode.save()
    return episode


def next_case_number(clinic: Clinic) -> str:
    """The clinic's next case number, which nobody ever had. Holds a lock until the transaction ends: no two
    get the same.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [CASE_NUMBER_LOCK, clinic.pk])
    # In the order in which an erasure, and years later its end, takes a number from one to the next.
    living = highest_number(Episode.objects.filter(clinic=clinic).values_list("case_number", flat=True))
    records = RestrictedRecord.objects.filter(clinic=clinic).values_list("case_numbers", flat=True)
    put_away = highest_number(chain.from_iterable(records))
    destroyed: int = Clinic.objects.values_list("case_number", flat=True).get(pk=clinic.pk)
    return str((max(living, put_away, destroyed) or FIRST_NUMBER - 1) + 1)


def highest_number(numbers: Iterable[str]) -> int:
    """Of those made of digits, as we count; 0 without any."""
    return max((int(number) for number in numbers if COUNTED.fullmatch(number)), default=0)


def numbers_put_away(*, clinic: Clinic, among: Sequence[str]) -> set[str]:
    """Which of these case numbers a record holds of someone erased: none is given to another."""
    records = RestrictedRecord.objects.filter(clinic=clinic, case_numbers__overlap=list(among))
    return set(among).intersection(chain.from_iterable(records.values_list("case_numbers", flat=True)))


def require_clinician(user: User, clinic_id: int) -> None:
    """Raise CaseError unless the user treats patients in the clinic, and has arrived there.

    Holds the membership until the transaction ends: nobody leaves while they are given a case.
    """
    here = Membership.objects.clinicians().filter(user=user, clinic=clinic_id)
    member = here.select_for_update(of=("self",), no_key=True).first()
    if member is None:
        raise CaseError("clinician", f"{user} does not treat patients in this clinic.")
    if member.arrived_at is None:
        raise CaseError("clinician", f"{user} has not signed in yet: cases wait until they have.")


def hand_over(*, episode: Episode, clinician: User, by: User) -> Episode:
    """Hand the case to another clinician of the clinic. Open alerts go with it.

    Raises:
        Denied: ``by`` may do no clinical work here.
        CaseError: the new clinician does not treat in this clinic.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    require_clinician(clinician, episode.clinic_id)
    Episode.objects.filter(pk=episode.pk).update(clinician=clinician)
    episode.clinician = clinician
    return episode


def close_episode(*, episode: Episode, outcome: str, note: str, on: date) -> Episode:
    """Close the case with an outcome. Raises CaseError if it is closed or the outcome is unknown."""
    locked: Episode = Episode.objects.select_for_update(no_key=True).get(pk=episode.pk)
    if not locked.is_open:
        raise CaseError("episode", "This case is already closed.")
    if outcome not in Episode.Outcome.values:
        raise CaseError("outcome", f"expected one of {', '.join(Episode.Outcome.values)}.")
    if on < locked.opened_on:
        raise CaseError("on", f"The case opened on {locked.opened_on}; it cannot close before.")
    locked.outcome, locked.discharge_note, locked.closed_on = outcome, note, on
    locked.save(update_fields=["outcome", "discharge_note", "closed_on"])
    return locked


@transaction.atomic
def issue_invitation(*, patient: Patient, by: User, now: datetime) -> tuple[Invitation, str]:
    """A fresh invitation and its token, which is kept nowhere. An earlier open one is revoked.

    Raises:
        Denied: ``by`` may not invite here.
        ConsentMissing: under 18, and no guardian's consent is on record.
        ValidationError: the patient has no e-mail.
    """
    require(by, Capability.WRITE_CONTACT, patient.clinic_id)
    require_consent(patient, today=now.astimezone(ZoneInfo(patient.timezone)).date())
    if not patient.email:
        raise ValidationError({"email": "The patient needs an e-mail address to be invited."})
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    Invitation.objects.filter(patient=patient, accepted_at=None, revoked_at=None).update(revoked_at=now)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        clinic=patient.clinic,
        patient=patient,
        token_hash=hash_token(token),
        invited_by=by,
        created_at=now,
        expires_at=now + timedelta(days=INVITATION_DAYS),
    )
    return invitation, token


@transaction.atomic
def accept_invitation(*, token: str, now: datetime) -> Patient:
    """Open the patient's account. The token works once; the login is by e-mail, without a password.

    Raises:
        InvitationError: the token is not that of an open invitation of an active clinic.
    """
    query = "SELECT * FROM invitation_by_hash(%s, %s)"
    found = next(iter(Invitation.objects.raw(query, [hash_token(token), now])), None)
    if found is None:
        security_events.log(Event.WRONG_LINK)
        raise InvitationError
    with acting_for(Tenant((found.clinic_id,), patient=found.patient_id)):
        return _accept(found, now)


def _accept(found: Invitation, now: datetime) -> Patient:
    # The patient first, as inviting does; then the invitation again, as it is under that lock.
    patients = Patient.objects.select_for_update(of=("self",), no_key=True).select_related("clinic")
    patient: Patient = patients.get(pk=found.patient_id)
    is_open = Invitation.objects.filter(pk=found.pk, accepted_at=None, revoked_at=None)
    invitation = is_open.select_for_update(no_key=True).first()
    if invitation is None or not patient.email:
        raise InvitationError
    if patient.user_id is None:
        patient.user = login_of(patient)
        patient.save(update_fields=["user"])
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    return patient


def login_of(patient: Patient) -> User:
    """The login of the patient's e-mail, made if there is none; it tells no other clinic a name."""
    return User.objects.join(patient.email)


def clinics_with_login(email: str) -> tuple[int, ...]:
    """The active clinics where a patient with this address may log in; asked before a clinic is known."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clinics_with_login(%s)", [email])
        return tuple(clinic for (clinic,) in cursor.fetchall())


def device_of(*, token: str, now: datetime) -> DeviceToken | None:
    """The device with this access token, if it opens something now; asked before a clinic is known."""
    query = "SELECT * FROM device_by_digest(%s, %s)"
    return next(iter(DeviceToken.objects.raw(query, [hash_secret(token), now])), None)


def revoke_devices(*, patient: Patient) -> int:
    """Log out every device of the patient; the number that were logged in."""
    deleted, _ = DeviceToken.objects.filter(patient=patient).delete()
    return int(deleted)


@transaction.atomic
def forget_expired(*, now: datetime, batch: int = 500) -> int:
    """Delete what opens nothing any more: tokens and login codes at their end (codes once used, too),
    invitations some weeks after it, and what the API remembers of retries. At most ``batch`` of each; how
    many it were.
    """
    shown_since = now - timedelta(days=INVITATION_SHOWN_DAYS)
    return sum(
        _delete(rows, batch)
        for rows in (
            DeviceToken.objects.filter(expiry__lte=now),
            LoginCode.objects.filter(Q(expires_at__lte=now) | Q(used_at__isnull=False)),
            Invitation.objects.filter(expires_at__lte=shown_since),
            StaffToken.objects.filter(expires_at__lte=now),
            ApiCreation.objects.filter(created_at__lte=now - RETRIED_FOR),
        )
    )


def _delete(rows: QuerySet[Any], batch: int) -> int:
    """Locked first: a code that is being replaced at this moment is not one of them."""
    found = rows.select_for_update(skip_locked=True).order_by("pk").values_list("pk", flat=True)[:batch]
    deleted, _ = rows.model._default_manager.filter(pk__in=list(found)).delete()
    return int(deleted)


def hash_token(token: str) -> str:
    """How an invitation's token is stored: it is long and random, so a plain digest is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
