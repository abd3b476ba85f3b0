"""What the chaos works on: run in the service's own shell, prints the tokens of the patients who answer."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone
from knox.models import get_digest_token

from clinic.founding import found_clinic
from clinic.models import Clinic, User
from clinic.row_security import Tenant, enter
from patients.models import DeviceToken, Episode, Patient
from programs.models import Program, ProgramStage
from programs.services.access import _hash
from programs.services.privacy import confirmation, erase_patient


def fill(*, asked: int, answering: int, seconds: float, slug: str = "chaos") -> None:
    """A clinic with ``asked`` programs whose questions come due over the time; some patients have a token."""
    now = timezone.now()
    founded = found_clinic(
        slug=slug, name=slug.capitalize(), owner_email=f"owner@{slug}.example", timezone="UTC", now=now
    )
    clinic, owner = founded.clinic, founded.owner
    enter(Tenant((clinic.pk,)))
    started = now.date() - timedelta(days=28)
    patients = Patient.objects.bulk_create(_patient(clinic, number) for number in range(asked))
    cases = Episode.objects.bulk_create(
        _case(patient, owner, 1001 + number, started) for number, patient in enumerate(patients)
    )
    programs = Program.objects.bulk_create(
        _program(case, started, now + timedelta(seconds=seconds * number / asked))
        for number, case in enumerate(cases)
    )
    ProgramStage.objects.bulk_create(
        ProgramStage(clinic=clinic, program=program, number=1, name="Settle", min_days=7)
        for program in programs
    )
    print(json.dumps([_token(patient, now) for patient in patients[:answering]]))  # noqa: T201


def _patient(clinic: Clinic, number: int) -> Patient:
    email = f"patient{number}@{clinic.slug}.example"
    return Patient(clinic=clinic, given_name="Robin", family_name=f"No {number}", email=email, timezone="UTC")


def _case(patient: Patient, owner: User, number: int, on: date) -> Episode:
    return Episode(
        clinic=patient.clinic,
        patient=patient,
        clinician=owner,
        case_number=str(number),
        diagnosis="pfp",
        index_side="left",
        opened_on=on,
    )


def _program(case: Episode, started: date, due_at: datetime) -> Program:
    at = due_at.replace(microsecond=0)
    return Program(
        clinic=case.clinic,
        episode=case,
        assigned_by=case.clinician,
        name=f"Program of {case.clinic.slug}",
        started_on=started,
        stage_started_on=started,
        testing_run_gate=True,  # asks every day
        check_in_time=time(at.hour, at.minute, at.second),
        next_check_in_at=at,
    )


def _token(patient: Patient, now: datetime) -> str:
    patient.user = User.objects.join(patient.email)
    patient.save()
    digest, token = get_digest_token()
    DeviceToken(
        digest=digest,
        token_key=token[:15],
        user=patient.user,
        clinic=patient.clinic,
        patient=patient,
        device_name="Phone",
        expiry=now + timedelta(days=1),
    ).save()
    return str(token)


def erase(ledger: str) -> None:
    """The first patient of the drill's clinic; prints the opaque key."""
    enter(Tenant(platform=True))
    clinic = Clinic.objects.get(slug="drill")
    enter(Tenant((clinic.pk,)))
    patient, now = Patient.objects.get(email="patient0@drill.example"), timezone.now()
    asked = {"case_number": confirmation(patient), "reason": "Asked for by letter."}
    owner = User.objects.get(email="owner@drill.example")
    done = erase_patient(patient=patient, by=owner, now=now, today=now.date(), **asked)
    call_command("reapply_erasures", write_ledger=Path(ledger))
    print(done.pk)  # noqa: T201


def hash_of_code(code: str) -> None:
    """As the service stores a login code of the one patient."""
    enter(Tenant(platform=True))
    enter(Tenant((Clinic.objects.get(slug="chaos").pk,)))
    print(_hash(str(Patient.objects.get(email="patient0@chaos.example").pk), code))  # noqa: T201
