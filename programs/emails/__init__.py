"""The e-mails: one function each, returning an ``Email`` to be put into the outbox."""

from clinic.emails import Email, render
from programs.emails.clinician import escalation, handed_over, red_flag
from programs.emails.digest import digest
from programs.emails.patient import (
    check_in,
    invitation,
    login_code,
    reminder,
    watch_question,
    watch_reminder,
)

__all__ = [
    "Email",
    "check_in",
    "digest",
    "escalation",
    "handed_over",
    "invitation",
    "login_code",
    "red_flag",
    "reminder",
    "render",
    "watch_question",
    "watch_reminder",
]
