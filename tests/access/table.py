"""Who may do what, once: each address of the service, each action in the admin. docs/access.md is made of it.

A new address without a row here fails the build by its name, and so does a row without an address.
"""

from __future__ import annotations

from dataclasses import dataclass

OWNER = "owner"
PHYSIO = "physio"
ASSISTANT = "assistant"
OPERATOR = "operator"
PATIENT = "patient"
FORMER = "staff login that works nowhere any more"
OUTSIDE = "anybody else"

NOBODY: tuple[str, ...] = ()
OWNERS = (OWNER,)
CLINICIANS = (OWNER, PHYSIO)
TEAM = (*CLINICIANS, ASSISTANT)
OPERATORS = (OPERATOR,)
OWNERS_AND_OPERATORS = (OWNER, OPERATOR)
STAFF = (*TEAM, OPERATOR, FORMER)
PATIENTS = (PATIENT,)
ANYBODY = (*STAFF, PATIENT, OUTSIDE)


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One address.

    ``sees`` may open it, ``does`` may act there (by ``POST``, or ``method``). ``of`` is the kind of object
    that its address names: of a clinic that is not theirs, or of no row at all, everybody is told the same.
    The statuses say how it answers where that is not usual.
    """

    what: str
    sees: tuple[str, ...] = NOBODY
    does: tuple[str, ...] = NOBODY
    of: str = ""
    method: str = "POST"
    opened: int = 200
    done: int = 302
    missing: int = 404  # the object is foreign, or does not exist
    refused: int = 403  # the role may not open the page
    idle: int = 403  # to act, by who may only look; 200: the page has no form and is shown again
    silent: bool = False  # an action that changes no row
    options: int = 405
    any_method: bool = False  # each is answered as GET


def page(what: str, sees: tuple[str, ...], of: str = "", **more: int) -> Row:
    """Shown, and nothing to send there."""
    return Row(what, sees, of=of, **{"idle": more.get("opened", 200), **more})


def form(what: str, does: tuple[str, ...], of: str = "", **more: int) -> Row:
    """A form and what it does, for the same people."""
    return Row(what, does, does, of=of, **more)


def history(what: str, sees: tuple[str, ...], of: str) -> Row:
    return page(f"History of {what}", sees, of, refused=404)


def closed(what: str, of: str = "") -> Row:
    """An address that Django makes and nobody may use."""
    return Row(what, of=of)


def sent(what: str, does: tuple[str, ...], of: str = "", **more: int) -> Row:
    """Of the API, by POST."""
    return Row(what, does=does, of=of, **more)


def put(what: str, of: str, **more: int) -> Row:
    """Of the API, by PUT."""
    return Row(what, does=PATIENTS, of=of, method="PUT", **more)


ADMIN = {
    # --- for every member of staff
    "admin:index": page("First page: who needs me today", STAFF),
    "admin:app_list": page("Overview of one part of the admin", TEAM, refused=404),
    "admin:jsi18n": page("Words of the date pickers", STAFF, idle=405),
    "/admin/search/": page("Search for a page", STAFF),
    "admin:autocomplete": page("Suggest patients while typing", TEAM, idle=405),
    "admin:clinic_membership_me": form("Own cover and digest", TEAM, "own membership", refused=404),
    "admin:view_on_site": page(
        "Page of a row outside the admin (there is none)", STAFF, opened=404, idle=404
    ),
    # --- patients and their cases
    "admin:patients_patient_changelist": page("List of patients, with their states", TEAM),
    "admin:call-list": page("Call list", TEAM),
    "admin:patients_patient_add": form("Add a patient", TEAM),
    "admin:patients_patient_add ?clinic": form("Add a patient in one of several clinics", TEAM, "clinic"),
    "admin:patients_patient_change": page("Page of a patient", TEAM, "patient"),
    "admin:patients_patient_contact": form("Contact data of a patient", TEAM, "patient"),
    "admin:patients_patient_history": history("a patient", TEAM, "patient"),
    "admin:patients_patient_delete": closed("Delete a patient", "patient"),
    "admin:do invite": form("Invite a patient", TEAM, "newcomer"),
    "admin:do log-contact": form("Log a call", TEAM, "case"),
    "admin:do new-case": form("Open a new case", CLINICIANS, "patient"),
    "admin:do reassign": form("Hand a case to a colleague", CLINICIANS, "case"),
    "admin:do discharge": form("Discharge", CLINICIANS, "case"),
    "admin:do thresholds": form("Thresholds of one case", CLINICIANS, "case"),
    "admin:patients_episode_changelist": page("List of cases (leads to the patients)", STAFF, opened=302),
    "admin:patients_episode_add": closed("Add a case outside its patient's page"),
    "admin:patients_episode_change": form("Diagnosis and onset of a case", CLINICIANS, "case"),
    "admin:patients_episode_history": history("a case", CLINICIANS, "case"),
    "admin:patients_episode_delete": closed("Delete a case", "case"),
    # --- assessments
    "admin:patients_assessment_changelist": page("List of assessments", CLINICIANS),
    "admin:patients_assessment_add": form("Add an assessment", CLINICIANS),
    "admin:patients_assessment_change": form("An assessment with its measurements", CLINICIANS, "assessment"),
    "admin:patients_assessment_history": history("an assessment", CLINICIANS, "assessment"),
    "admin:patients_assessment_delete": closed("Delete an assessment", "assessment"),
    "admin:do score": form("Score a questionnaire", CLINICIANS, "assessment"),
    "admin:suggestions": page("Programs suggested for an assessment", CLINICIANS, "assessment"),
    # --- programs
    "admin:do assign": form("Assign a program", CLINICIANS, "case"),
    "admin:do move-stage": form("Move to another stage", CLINICIANS, "program"),
    "admin:do pause": form("Pause a program", CLINICIANS, "program"),
    "admin:do resume": form("Resume a program", CLINICIANS, "paused program"),
    "admin:do fair-trial": form("Declare a new fair trial", CLINICIANS, "program"),
    "admin:do wake": form("Wake an imported program", CLINICIANS, "program"),
    "admin:programs_program_changelist": page("List of programs (leads to the patients)", STAFF, opened=302),
    "admin:programs_program_add": closed("Add a program outside its case"),
    "admin:programs_program_change": form("Edit a patient's program", CLINICIANS, "program"),
    "admin:programs_program_history": history("a program", CLINICIANS, "program"),
    "admin:programs_program_delete": closed("Delete a program", "program"),
    # --- alerts
    "admin:programs_alert_changelist": page("List of alerts", CLINICIANS),
    "admin:programs_alert_add": closed("Add an alert by hand"),
    "admin:programs_alert_change": page("An alert with its evidence", CLINICIANS, "alert"),
    "admin:programs_alert_history": history("an alert", CLINICIANS, "alert"),
    "admin:programs_alert_delete": closed("Delete an alert", "alert"),
    "admin:do acknowledge": form("Acknowledge an alert", CLINICIANS, "red flag"),
    "admin:do snooze": form("Snooze an alert", CLINICIANS, "alert"),
    "admin:do resolve": form("Resolve an alert", CLINICIANS, "alert"),
    "admin:do clear": form("Clear a red flag with a finding", CLINICIANS, "red flag"),
    # --- the library
    "admin:programs_exercise_changelist": page("List of exercises", CLINICIANS),
    "admin:programs_exercise_add": form("Add an exercise", CLINICIANS),
    "admin:programs_exercise_change": form("An exercise of the clinic", CLINICIANS, "exercise"),
    "admin:programs_exercise_history": history("an exercise", CLINICIANS, "exercise"),
    "admin:programs_exercise_delete": closed("Delete an exercise", "exercise"),
    "admin:programs_template_changelist": page("List of programs to assign", CLINICIANS),
    "admin:programs_template_add": form("Add a program to assign", CLINICIANS),
    "admin:programs_template_change": form("A program to assign", CLINICIANS, "template"),
    "admin:programs_template_history": history("a program to assign", CLINICIANS, "template"),
    "admin:programs_template_delete": closed("Delete a program to assign", "template"),
    # --- the clinic
    "admin:clinic_membership_changelist": page("List of staff", OWNERS),
    "admin:clinic_membership_add": form("Add a member of staff", OWNERS),
    "admin:clinic_membership_add ?clinic": form("Add staff in one of several clinics", OWNERS, "clinic"),
    "admin:clinic_membership_change": form("Role and access of a member of staff", OWNERS, "member"),
    "admin:clinic_membership_history": history("a member of staff", OWNERS, "member"),
    "admin:clinic_membership_delete": closed("Delete a member of staff", "member"),
    "admin:clinic_clinicpolicy_changelist": page("Policy (leads to the clinic's)", OWNERS, opened=302),
    "admin:clinic_clinicpolicy_add": closed("Add a policy"),
    "admin:clinic_clinicpolicy_change": form("The clinic's policy", OWNERS, "clinic"),
    "admin:clinic_clinicpolicy_history": history("the policy", OWNERS, "policy"),
    "admin:clinic_clinicpolicy_delete": closed("Delete a policy", "policy"),
    "admin:clinic_clinic_changelist": page("List of clinics", OWNERS_AND_OPERATORS),
    "admin:clinic_clinic_add": closed("Add a clinic (by command only)"),
    "admin:clinic_clinic_change": form("Name and contact data of a clinic", OWNERS_AND_OPERATORS, "clinic"),
    "admin:clinic_clinic_history": history("a clinic", OWNERS_AND_OPERATORS, "clinic"),
    "admin:clinic_clinic_delete": closed("Delete a clinic", "clinic"),
    "admin:clinic_outboxmessage_changelist": page("List of e-mails and their states", OWNERS_AND_OPERATORS),
    "admin:clinic_outboxmessage_add": closed("Write an e-mail by hand"),
    "admin:clinic_outboxmessage_change": page("An e-mail as it was sent", OWNERS, "e-mail", refused=404),
    "admin:clinic_outboxmessage_history": history("an e-mail", OWNERS, "e-mail"),
    "admin:clinic_outboxmessage_delete": closed("Delete an e-mail", "e-mail"),
    "admin:clinic_sweeprun_changelist": page("Periodic jobs", OWNERS_AND_OPERATORS),
    "admin:clinic_sweeprun_add": closed("Add a periodic job"),
    "admin:clinic_sweeprun_change": page(
        "A periodic job (leads to the list)", STAFF, "job", opened=302, missing=302
    ),
    "admin:clinic_sweeprun_history": history("a periodic job", OWNERS_AND_OPERATORS, "job"),
    "admin:clinic_sweeprun_delete": closed("Delete a periodic job", "job"),
}
"""Pages of the staff. Who is not logged in as staff is sent to the login, whatever they ask for."""

ACTIONS: dict[str, str] = {}
"""Actions on ticked rows of a list, by ``<model>.<action>``: there are none."""

API = {
    "auth-logout": sent("Log out this device", PATIENTS, done=204),
    "auth-logout-all": sent("Log out every device", PATIENTS, done=204),
    "me": page("Who I am, and how my case stands", PATIENTS),
    "me-program": page("What to do now", PATIENTS),
    "me-check-ins": page("My check-ins", PATIENTS),
    "me-progress": page("How it goes", PATIENTS),
    "me-answer": put("Answer a check-in", "answer", done=409, missing=201),
    "me-session": put("Log an exercise session", "session", done=409, missing=201),
    "me-session-next-morning": put("The morning after a session", "session", done=200),
    "me-run": put("Log a run", "run", done=409, missing=201),
    "me-run-next-morning": put("The morning after a run", "run", done=200),
}
"""The patient's own record. Who has no token is told so (401), whatever they ask for."""

OPEN = {
    "auth-invitation": sent(
        "Accept an invitation, by its token", ANYBODY, done=400, silent=True, options=200
    ),
    "auth-code": sent("Ask for a login code", ANYBODY, done=202, silent=True, options=200),
    "auth-token": sent("Log in with a code", ANYBODY, done=400, silent=True, options=200),
    "schema": page("Description of the API", ANYBODY, options=200),
    "docs": page("Description of the API, to read", ANYBODY),
    "/api/v1/": page("Any other address of the API: nothing", ANYBODY, opened=404, any_method=True),
    "/": page("Leads to the staff's first page", ANYBODY, opened=302, any_method=True),
    "invitation": page("Where an invitation's link leads", ANYBODY),
    "check-in": page("Where a check-in's link leads", ANYBODY, "check-in", missing=200),
    "health-live": page("Whether the process answers", ANYBODY),
    "health-ready": page("Whether database and cache answer", ANYBODY),
}
"""For everybody; nothing of any clinic stands there."""

DOORS = {
    "admin:login": "Log in with e-mail and password",
    "admin:logout": "Log out",
    "admin:password_change": "Change the own password",
    "admin:password_change_done": "The password is changed",
}
"""How staff come in and go out; what each answers stands in test_doors.py."""

NOWHERE = {"/admin/(?P<url>.*)$": "Any other address below /admin/"}
"""Not found, for whoever may ask at all."""
