"""How a patient gets in and out: by invitation, by a code sent to their e-mail, one token per device.

A patient has no password. Someone treated in two clinics has a record, a code and a token in each; neither
clinic learns of the other.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Lower
from django.utils.crypto import constant_time_compare, salted_hmac
from knox.models import get_digest_token
from knox.settings import CONSTANTS, knox_settings

from clinic import outbox, security_events
from clinic.data_keys import make_sure
from clinic.models import Clinic
from clinic.row_security import Tenant, acting_for
from clinic.security_events import Event
from patients.models import DeviceToken, LoginCode, Patient
from patients.services import accept_invitation, clinics_with_login
from programs import emails
from programs.rules.schedule import local_date
from programs.services.consents import agree

CODE_DIGITS = 6
CODE_MINUTES = 10
MAX_ATTEMPTS = 5


class CodeError(ValueError):
    """The code is wrong, used, too old, or was tried too often. One message for all."""

    def __init__(self) -> None:
        super().__init__("This code is not valid. Ask for a new one.")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A device that may now speak for the patient. ``token`` is shown once and kept nowhere."""

    patient: Patient
    device: DeviceToken
    token: str


@transaction.atomic
def sign_in_by_invitation(
    *, token: str, device_name: str, now: datetime, consent_version: int | None = None
) -> SignedIn:
    """Accept an invitation on this device, and the text that was shown with it.

    Raises:
        InvitationError: the token is not that of an open invitation.
        StaleVersion, ConsentError: the text can't be agreed to; the invitation stays open.
    """
    patient = accept_invitation(token=token, now=now)
    with acting_for(Tenant((patient.clinic_id,), patient=patient.pk)):
        if consent_version is not None:
            agree(patient=patient, version=consent_version, now=now, today=local_date(now, patient.timezone))
        return _sign_in(patient, device_name, now)


def send_codes(*, email: str, now: datetime) -> int:
    """E-mail a code for each record with this address; the number sent is for nobody outside to know.

    For a stranger's address the same is done for a patient there is not, and undone: the time it takes tells
    nobody who is treated here.
    """
    with acting_for(Tenant(clinics_with_login(email))):
        patients = list(_with_login(email))
        for patient in patients:
            _send_code(patient, now)
    if not patients:
        _pretend_to_send(now)
    return len(patients)


def sign_in_by_code(*, email: str, code: str, device_name: str, now: datetime) -> SignedIn:
    """Exchange a code for a token. The code works once.

    Raises:
        CodeError: no open code of this address is the one given; it counts as a try on each of them.
    """
    # The tries must be kept: the error is raised outside the transaction.
    with acting_for(Tenant(clinics_with_login(email))), transaction.atomic():
        codes = list(_open_codes(email, now).select_for_update(of=("self",), no_key=True))
        found = next(_matching(codes, code), None)
        if found is not None:
            LoginCode.objects.filter(pk=found.pk).update(used_at=now)
            return _sign_in(found.patient, device_name, now)
        LoginCode.objects.filter(pk__in=[row.pk for row in codes]).update(attempts=F("attempts") + 1)
    security_events.log(Event.WRONG_CODE, security_events.of_address(email))
    raise CodeError


def sign_out(*, device: DeviceToken) -> None:
    """Revoke this device's token at once."""
    DeviceToken.objects.filter(pk=device.pk).delete()


def _pretend_to_send(now: datetime) -> None:
    nobody = Patient(pk=uuid4(), clinic=Clinic(pk=0, name="Nowhere"), email="nobody@invalid.example")
    with acting_for(Tenant((0,))):
        _send_code(nobody, now, undo=True)


def _send_code(patient: Patient, now: datetime, *, undo: bool = False) -> None:
    """One statement for the code, be it the first or a later one: each request costs the same."""
    code = _new_code()
    email = emails.login_code(minutes=CODE_MINUTES, clinic=patient.clinic)
    with transaction.atomic():
        before = transaction.savepoint_create()
        make_sure(patient.pk, patient.clinic_id)
        row = LoginCode(
            patient=patient,
            clinic=patient.clinic,
            code_hash=_hash(str(patient.pk), code),
            expires_at=now + timedelta(minutes=CODE_MINUTES),
        )
        LoginCode.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["patient"],
            update_fields=["code_hash", "expires_at", "attempts", "used_at"],
        )
        outbox.put(
            clinic=patient.clinic,
            kind="login_code",
            dedupe_key=f"login_code:{patient.pk}:{now.isoformat()}",
            to_email=patient.email,
            subject=email.subject,
            text=email.text,
            html=email.html,
            patient_key=patient.pk,
            secret=code,
            now=now,
        )
        settle = transaction.savepoint_rollback if undo else transaction.savepoint_commit
        settle(before)


def _with_login(email: str) -> QuerySet[Patient]:
    """Patients with this address who may log in; ``Lower`` meets the index."""
    return (
        Patient.objects.alias(address=Lower("email"))
        .filter(address=email.lower(), user__is_active=True, clinic__is_active=True)
        .select_related("clinic")
        .order_by("pk")
    )


def _open_codes(email: str, now: datetime) -> QuerySet[LoginCode]:
    return (
        LoginCode.objects.filter(patient__in=_with_login(email))
        .filter(used_at=None, expires_at__gt=now, attempts__lt=MAX_ATTEMPTS)
        .select_related("patient__clinic", "patient__user")
        .order_by("pk")
    )


def _matching(codes: list[LoginCode], code: str) -> Iterator[LoginCode]:
    return (row for row in codes if constant_time_compare(row.code_hash, _hash(str(row.patient_id), code)))


def _new_code() -> str:
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def _hash(owner: str, code: str) -> str:
    """Keyed: six digits under a plain hash are guessed in a second by whoever reads the table."""
    return salted_hmac("programs.login_code", f"{owner}:{code}", algorithm="sha256").hexdigest()


def _sign_in(patient: Patient, device_name: str, now: datetime) -> SignedIn:
    digest, token = get_digest_token()
    device = DeviceToken(
        digest=digest,
        token_key=token[: CONSTANTS.TOKEN_KEY_LENGTH],
        user=patient.user,
        clinic_id=patient.clinic_id,
        patient=patient,
        device_name=device_name,
        expiry=now + knox_settings.TOKEN_TTL,
    )
    device.save(force_insert=True)
    security_events.log(Event.SIGNED_IN, security_events.of_patient(patient.pk))
    return SignedIn(patient, device, token)
