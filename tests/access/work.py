"""What the service does by itself or by command: e-mails, tasks, commands. Each with whom it works for."""

from __future__ import annotations

from dataclasses import dataclass

EVERY_CLINIC = "one clinic after the other, in each its own rows"
PLATFORM = "the outbox of every clinic, and no record"
ONE_CLINIC = "the clinic it is given"
CLINIC_OR_EACH = "the clinic it is given, else every active one"
LIBRARY = "the starter library, of no clinic"
NEW_CLINIC = "the clinic it makes"
NONE = "no row of any clinic"


@dataclass(frozen=True, slots=True)
class Mail:
    """A kind of e-mail: who gets it, what it may tell of a patient, and the one module that writes it."""

    to: str
    tells: str
    written_in: str


TO_PATIENT = "the patient, at the address in the record"
INITIALS = "initials and case number; the rest behind the login"

EMAILS = {
    "invitation": Mail(TO_PATIENT, "the given name", "programs/services/cases.py"),
    "login_code": Mail(TO_PATIENT, "nothing", "programs/services/access.py"),
    "check_in": Mail(TO_PATIENT, "the given name", "programs/services/checkins.py"),
    "reminder": Mail(TO_PATIENT, "the given name", "programs/services/checkins.py"),
    "red_flag": Mail(
        "the treating clinician and the cover, else the owners",
        f"the symptoms, {INITIALS}",
        "programs/services/red_flags.py",
    ),
    "escalation": Mail("the owners", f"the symptoms, {INITIALS}", "programs/services/red_flags.py"),
    "digest": Mail(
        "each clinician about the own cases",
        f"pain, verdict and action, {INITIALS}",
        "programs/services/digests.py",
    ),
}

TASKS = {
    "send_outbox": PLATFORM,
    "ask_check_ins": EVERY_CLINIC,
    "remind_check_ins": EVERY_CLINIC,
    "mark_missed": EVERY_CLINIC,
    "review_cases": EVERY_CLINIC,
    "send_digests": EVERY_CLINIC,
    "escalate_red_flags": EVERY_CLINIC,
}

COMMANDS = {
    "create_clinic": NEW_CLINIC,
    "create_roles": NONE,
    "import_diary": ONE_CLINIC,
    "load_demo": NEW_CLINIC,
    "load_library": LIBRARY,
    "review_cases": CLINIC_OR_EACH,
    "send_digests": CLINIC_OR_EACH,
    "up": NONE,
}
