"""E-mails to patients. The subject names neither the person nor the problem."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from clinic.emails import Email, render
from clinic.models import Clinic
from clinic.outbox import PLACEHOLDER
from patients.models import Invitation
from programs.emails import links
from programs.models import CheckInRequest
from programs.rules.schedule import recall_words


def check_in(*, request: CheckInRequest) -> Email:
    """The question of a local date, with a link to the patient's app."""
    return _question(request, template="check_in", subject="Your check-in: one short question")


def reminder(*, request: CheckInRequest) -> Email:
    """The one reminder of a check-in that is still unanswered."""
    return _question(request, template="reminder", subject="Your check-in is still open")


def watch_question(*, request: CheckInRequest) -> Email:
    """The light question after discharge: is the pain back?"""
    return _question(request, template="watch", subject="Two short questions from your physio")


def watch_reminder(*, request: CheckInRequest) -> Email:
    """The one reminder of it."""
    return _question(request, template="watch_reminder", subject="Your check-in is still open")


def invitation(*, invitation: Invitation, now: datetime) -> Email:
    """The link that opens a patient's account. Put it with the token as the outbox's ``secret``."""
    patient = invitation.patient
    clinic, zone = patient.clinic, ZoneInfo(patient.timezone)
    expires_on = invitation.expires_at.astimezone(zone).date()
    context = {
        "given_name": patient.given_name,
        "link": links.invitation_page(),
        "token": PLACEHOLDER,
        "expires_on": expires_on,
        "days": (expires_on - now.astimezone(zone).date()).days,
    }
    return render("invitation", subject=f"Your invitation from {clinic.name}", clinic=clinic, context=context)


def login_code(*, minutes: int, clinic: Clinic | None = None) -> Email:
    """The code to log in with, good for so many minutes. Put it with the code as the outbox's ``secret``."""
    context = {"code": PLACEHOLDER, "minutes": minutes}
    return render("login_code", subject="Your login code", clinic=clinic, context=context)


def _question(request: CheckInRequest, *, template: str, subject: str) -> Email:
    patient = request.program.episode.patient
    context = {
        "given_name": patient.given_name,
        "local_date": request.local_date,
        "span": recall_words(request.recall_days),
        "link": links.check_in_page(request),
    }
    return render(template, subject=subject, clinic=patient.clinic, context=context)
