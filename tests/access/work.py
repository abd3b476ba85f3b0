"""What the service does by itself or by command: e-mails, tasks, commands. Each with whom it works for."""

from __future__ import annotations

from dataclasses import dataclass

EVERY_CLINIC = "one clinic after the other, in each its own rows"
PLATFORM = "the outbox of every clinic, and no record"
ONE_CLINIC = "the clinic it is given"
CLINIC_OR_EACH = "the clinic it is given, else every active one"
LIBRARY = "the starter library, of no clinic"
NEW_CLINIC = "the clinic it makes"
ONE_LOGIN = "the account it is given"
TRAIL = "the audit trail, whole"
LEDGER = "of every clinic who was erased, by opaque key"
NONE = "no row of any clinic"


@dataclass(frozen=True, slots=True)
class Mail:
    """A kind of e-mail: who gets it, what it may tell of a patient, and the only modules that write it."""

    to: str
    tells: str
    written_in: tuple[str, ...]


TO_STAFF = "the member of staff whose account it is"
TO_PATIENT = "the patient, at the address in the record"
INITIALS = "initials and case number; the rest behind the login"

EMAILS = {
    "invitation": Mail(TO_PATIENT, "the given name", ("programs/services/invitations.py",)),
    "login_code": Mail(TO_PATIENT, "nothing", ("programs/services/access.py",)),
    "check_in": Mail(TO_PATIENT, "the given name", ("programs/services/checkins.py",)),
    "reminder": Mail(TO_PATIENT, "the given name", ("programs/services/checkins.py",)),
    "watch": Mail(TO_PATIENT, "the given name", ("programs/services/checkins.py",)),
    "watch_reminder": Mail(TO_PATIENT, "the given name", ("programs/services/checkins.py",)),
    "red_flag": Mail(
        "the treating clinician and the cover, who stands in while they are away, else the owners",
        f"the symptoms, {INITIALS}",
        ("programs/services/red_flags.py",),
    ),
    "handed_over": Mail(
        "who treats the case from now on",
        f"of one case which alerts are open, and why it was handed over, {INITIALS}; of several nothing",
        ("programs/services/hand_overs.py",),
    ),
    "escalation": Mail("the owners", f"the symptoms, {INITIALS}", ("programs/services/red_flags.py",)),
    "password_reset": Mail(TO_STAFF, "nothing", ("clinic/accounts/resets.py",)),
    "staff_added": Mail(
        "the new member of staff",
        "nothing; which clinic, and who added them",
        ("clinic/accounts/joining.py",),
    ),
    "account_locked": Mail(TO_STAFF, "nothing", ("clinic/accounts/sign_in.py",)),
    "account_locked_codes": Mail(TO_STAFF, "nothing", ("clinic/accounts/sign_in.py",)),
    "account_changed": Mail(
        TO_STAFF,
        "nothing; what was changed in the account, when and from which address",
        ("clinic/accounts/changes.py",),
    ),
    "break_glass": Mail(
        "the owners", "nothing; which operator reads, and why", ("clinic/accounts/break_glass.py",)
    ),
    "digest": Mail(
        "each clinician about the own cases, or who stands in while they are away",
        f"pain, verdict and action, {INITIALS}",
        ("programs/services/digests.py",),
    ),
}

TASKS = {
    "programs.tasks.send_outbox": PLATFORM,
    "programs.tasks.ask_check_ins": EVERY_CLINIC,
    "programs.tasks.ask_watches": EVERY_CLINIC,
    "programs.tasks.remind_check_ins": EVERY_CLINIC,
    "programs.tasks.mark_missed": EVERY_CLINIC,
    "programs.tasks.review_cases": EVERY_CLINIC,
    "programs.tasks.send_digests": EVERY_CLINIC,
    "programs.tasks.escalate_red_flags": EVERY_CLINIC,
    "programs.tasks.apply_retention": f"{EVERY_CLINIC}; {PLATFORM}",
    "programs.tasks.keep_ledger": LEDGER,
    "clinic.tasks.forget_sign_ins": NONE,
    "clinic.tasks.seal_audit": TRAIL,
}

COMMANDS = {
    "create_clinic": NEW_CLINIC,
    "create_roles": NONE,
    "demo_code": ONE_LOGIN,
    "draw_exercises": NONE,
    "export_patient": ONE_CLINIC,
    "forget_factors": ONE_LOGIN,
    "import_diary": ONE_CLINIC,
    "load_demo": NEW_CLINIC,
    "load_library": LIBRARY,
    "migrate": "every row, as the role that owns the tables",
    "reapply_erasures": EVERY_CLINIC,
    "review_cases": CLINIC_OR_EACH,
    "rotate_keys": EVERY_CLINIC,
    "send_digests": CLINIC_OR_EACH,
    "up": NONE,
    "verify_audit": TRAIL,
}
