"""A bounced address is shown as such: on the patient it belongs to, and only while it is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from clinic import outbox
from clinic.row_security import Tenant, acting_for
from patients.models import Patient
from programs.services import mail
from tests.enforced import enforced
from tests.factories import NOW, make_clinic, make_patient, make_user

pytestmark = pytest.mark.django_db


class NobodyHome:
    """Refuses every recipient for good."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        return "550 5.1.1 No such user"


@pytest.fixture(autouse=True)
def refusing_server(settings: Any, free_port: Any) -> Iterator[None]:
    controller = Controller(NobodyHome(), hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": controller.port, "timeout": 5},
        }
    }
    yield
    controller.stop()


def bounce(patient: Patient, to_email: str) -> None:
    outbox.put(
        clinic=patient.clinic,
        kind="check_in",
        dedupe_key=to_email,
        to_email=to_email,
        subject="Hello",
        text="A text.",
        patient_key=patient.pk,
        now=NOW,
    )
    with enforced(), acting_for(Tenant(platform=True)):
        counts = mail.send_due(now=NOW, batch=10, lease=timedelta(minutes=2))
    assert (counts["bounced"], counts["dead"]) == (1, 1)


def bounced_at(patient: Patient) -> Any:
    patient.refresh_from_db()
    return patient.email_bounced_at


def test_the_patient_of_a_refused_address_is_marked_in_any_spelling() -> None:
    patient, other = make_patient(email="Robin@example.org"), make_patient()
    bounce(patient, "robin@example.org")

    assert NOW <= bounced_at(patient) < NOW + timedelta(seconds=10)
    assert bounced_at(other) is None


def test_an_address_that_was_corrected_meanwhile_is_not_marked() -> None:
    patient = make_patient(email="correct@example.org")
    bounce(patient, "misspelt@example.org")

    assert bounced_at(patient) is None


def test_a_clinicians_bounce_about_a_patient_is_not_the_patients() -> None:
    clinic = make_clinic()
    patient = make_patient(clinic)
    bounce(patient, make_user(clinic=clinic).email)

    assert bounced_at(patient) is None
