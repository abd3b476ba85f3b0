"""Where the links in e-mails lead. None logs anybody in."""

from __future__ import annotations

from django.conf import settings

from clinic.outbox import PLACEHOLDER
from patients.models import Episode
from programs.models import CheckInRequest


def check_in_page(request: CheckInRequest) -> str:
    """The question in the patient's app."""
    return f"{settings.APP_URL}/check-ins/{request.pk}"


def invitation_page() -> str:
    """Where an invitation is accepted. Behind the #, the token reaches no server and no access log."""
    return f"{settings.APP_URL}/invitation#token={PLACEHOLDER}"


def case_page(episode: Episode) -> str:
    """The case on its patient's page in the admin, which asks for a login.

    Spelled out: no red flag may be lost because the addresses of the web process can't be loaded.
    """
    return f"{settings.SITE_URL}/admin/patients/patient/{episode.patient_id}/change/?case={episode.pk}"


def caseload_page() -> str:
    """The clinician's cases in the admin, which asks for a login."""
    return f"{settings.SITE_URL}/admin/"
