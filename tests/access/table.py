"""Who may do what, once: each address of the service, each action in the admin. docs/access.md is made of it.

A new address without a row here fails the build by its name, and so does a row without an address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OWNER = "owner"
PHYSIO = "physio"
ASSISTANT = "assistant"
OPERATOR = "operator"
GLASS = "operator who opened the clinic's records"
PATIENT = "patient"
FORMER = "staff login that works nowhere any more"
OUTSIDE = "anybody else"

NOBODY: tuple[str, ...] = ()
OWNERS = (OWNER,)
CLINICIANS = (OWNER, PHYSIO)
TEAM = (*CLINICIANS, ASSISTANT)
READERS = (*CLINICIANS, GLASS)
TEAM_AND_READERS = (*TEAM, GLASS)
OPERATORS = (OPERATOR, GLASS)
OWNERS_AND_OPERATORS = (OWNER, *OPERATORS)
STAFF = (*TEAM, *OPERATORS, FORMER)
PATIENTS = (PATIENT,)
ANYBODY = (*STAFF, PATIENT, OUTSIDE)

OF_PLATFORM = {"clinic", "e-mail", "trouble", "opening", "job"}
"""Kinds of objects that are every clinic's to an operator."""


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
    barred: tuple[str, ...] = NOBODY  # who sees the object elsewhere, and is told 403 instead of ``refused``
    also: tuple[str, ...] = NOBODY  # what of the own patient only this address shows: e-mails, devices
    silent: bool = False  # an action that changes no row
    any_method: bool = False  # each is answered as GET


def page(what: str, sees: tuple[str, ...], of: str = "", **more: Any) -> Row:
    """Shown, and nothing to send there."""
    return Row(what, sees, of=of, **{"idle": more.get("opened", 200), **more})


def form(what: str, does: tuple[str, ...], of: str = "", **more: Any) -> Row:
    """A form and what it does, for the same people."""
    return Row(what, does, does, of=of, **more)


def shown(what: str, sees: tuple[str, ...], does: tuple[str, ...], of: str = "", **more: Any) -> Row:
    """A form that some may only look at."""
    return Row(what, sees, does, of=of, **more)


def button(what: str, does: tuple[str, ...], of: str = "", **more: Any) -> Row:
    """Only to be pressed: there is no page. Asked for one, everybody is told so (405)."""
    return Row(what, does, does, of=of, opened=405, **more)


def history(what: str, sees: tuple[str, ...], of: str, **more: Any) -> Row:
    return page(f"History of {what}", sees, of, refused=404, **more)


def closed(what: str, of: str = "") -> Row:
    """An address that Django makes and nobody may use."""
    return Row(what, of=of)


def sent(what: str, does: tuple[str, ...], of: str = "", **more: Any) -> Row:
    """Of the API, by POST."""
    return Row(what, does=does, of=of, **more)


def put(what: str, of: str, **more: Any) -> Row:
    """Of the API, by PUT."""
    return Row(what, does=PATIENTS, of=of, method="PUT", **more)


ADMIN = {
    # --- for every member of staff
    "admin:index": page("First page: who needs me today", STAFF),
    "admin:app_list": page("Overview of one part of the admin", TEAM_AND_READERS, refused=404),
    "admin:jsi18n": page("Words of the date pickers", STAFF, idle=405),
    "/admin/search/": page("Search for a page", STAFF),
    "admin:autocomplete": page("Suggest patients while typing", TEAM_AND_READERS, idle=405),
    "admin:clinic_membership_me": form("Own cover and digest", TEAM, "own membership", refused=404),
    "admin:view_on_site": page(
        "Page of a row outside the admin (there is none)", STAFF, opened=404, idle=404
    ),
    # --- the own account
    "account": page("Own sign-in and security", STAFF),
    "account-add": page("Add a second factor", STAFF),
    "account-remove": button("Remove a second factor", STAFF, "factor"),
    "account-recovery": button("New recovery codes", STAFF, done=200),
    "account-sign-out": button("Sign out everywhere else", STAFF),
    "account-tokens": form("Own API tokens; make one", TEAM, done=200),
    "account-token-revoke": button("Revoke an API token", TEAM, "token"),
    # --- patients and their cases
    "admin:patients_patient_changelist": page("List of patients, with their states", TEAM_AND_READERS),
    "admin:call-list": page("Call list", TEAM),
    "admin:patients_patient_add": form("Add a patient", TEAM),
    "admin:patients_patient_add ?clinic": form("Add a patient in one of several clinics", TEAM, "clinic"),
    "admin:patients_patient_change": page("Page of a patient", TEAM_AND_READERS, "patient"),
    "admin:patients_patient_contact": shown("Contact data of a patient", TEAM_AND_READERS, TEAM, "patient"),
    "admin:patients_patient_history": history("a patient", CLINICIANS, "patient", barred=(ASSISTANT, GLASS)),
    "admin:patients_patient_readers": page(
        "Who has seen the record of a patient", CLINICIANS, "patient", refused=404, barred=(ASSISTANT, GLASS)
    ),
    "admin:patients_patient_delete": closed("Delete a patient", "patient"),
    "admin:do invite": form("Invite a patient", TEAM, "newcomer"),
    "admin:do log-contact": form("Log a call", TEAM, "case"),
    "admin:do add-note": form("Add a note to a case", CLINICIANS, "case"),
    "admin:do new-case": form("Open a new case", CLINICIANS, "patient"),
    "admin:do reassign": form("Hand a case to a colleague", CLINICIANS, "case"),
    "admin:do discharge": form("Discharge", CLINICIANS, "case"),
    "admin:do reopen": form("Re-open a closed case as a new one", CLINICIANS, "closed case"),
    "admin:do end-watch": form("End a relapse watch", CLINICIANS, "watched case"),
    "admin:do thresholds": form("Thresholds of one case", CLINICIANS, "case"),
    "admin:patients_episode_changelist": page("List of cases (leads to the patients)", STAFF, opened=302),
    "admin:patients_episode_add": closed("Add a case outside its patient's page"),
    "admin:patients_episode_change": shown("Diagnosis and onset of a case", READERS, CLINICIANS, "case"),
    "admin:patients_episode_history": history("a case", CLINICIANS, "case", barred=(GLASS,)),
    "admin:patients_episode_delete": closed("Delete a case", "case"),
    "admin:do letter": form("Write a letter about a case", CLINICIANS, "case"),
    "admin:letter": page("A letter as it was made", READERS, "letter"),
    "admin:do export-case": form("Export a case as CSV", OWNERS, "case", done=200),
    "admin:do export-caseload": form("Export the caseload as CSV", OWNERS, "clinic", done=200, silent=True),
    # --- what is the patient's right
    "admin:do export": form(
        "Export all data of a patient", OWNERS, "patient", done=200, also=("mail", "device")
    ),
    "admin:do erase": form("Erase a patient", OWNERS, "patient"),
    "admin:do open-record": form("Open the record of someone erased", OWNERS, "record", done=200),
    "admin:patients_restrictedrecord_changelist": page("List of records of people erased", OWNERS),
    "admin:patients_restrictedrecord_add": closed("Put a record away by hand"),
    "admin:patients_restrictedrecord_change": page(
        "A record of someone erased (leads to opening it)", OWNERS, "record", opened=302, refused=404
    ),
    "admin:patients_restrictedrecord_history": history("a record of someone erased", OWNERS, "record"),
    "admin:patients_restrictedrecord_delete": closed("Delete a record of someone erased", "record"),
    # --- assessments
    "admin:patients_assessment_changelist": page("List of assessments", READERS),
    "admin:patients_assessment_add": form("Add an assessment", CLINICIANS),
    "admin:patients_assessment_change": shown(
        "An assessment with its measurements", READERS, CLINICIANS, "assessment"
    ),
    "admin:patients_assessment_history": history("an assessment", CLINICIANS, "assessment", barred=(GLASS,)),
    "admin:patients_assessment_delete": closed("Delete an assessment", "assessment"),
    "admin:patients_assessment_values": button(
        "What typed values of an assessment amount to", CLINICIANS, "case", done=200, silent=True
    ),
    "admin:patients_assessment_draft": button(
        "Keep what is typed of an assessment", CLINICIANS, "case", done=204
    ),
    "admin:do addendum": form("Correct a signed assessment", CLINICIANS, "signed assessment"),
    "admin:do raise-flag": form("Raise a red flag that stands in a draft", CLINICIANS, "flagged draft"),
    "admin:do groc": form("Record the global rating of change", CLINICIANS, "case"),
    "admin:suggestions": page("Programs suggested for an assessment", CLINICIANS, "assessment"),
    # --- the library
    "admin:do copy-template": form("Copy a program to our library", CLINICIANS, "template"),
    "admin:do copy-exercise": form("Copy an exercise to our library", CLINICIANS, "exercise"),
    "admin:do export-template": form(
        "Save a program to assign as a file", CLINICIANS, "template", done=200, silent=True
    ),
    "admin:do clip": form("Link an exercise to our own clip", CLINICIANS, "exercise"),
    # --- programs
    "admin:do assign": form("Prepare a program", CLINICIANS, "case"),
    "admin:adjust": form("Adjust a program to the patient", CLINICIANS, "draft"),
    "admin:do send": form("Send a prepared program to the patient", CLINICIANS, "draft"),
    "admin:do discard": form("Discard a prepared program", CLINICIANS, "draft"),
    "admin:do move-stage": form("Move to another stage", CLINICIANS, "program"),
    "admin:do apply-proposal": form("Progress, hold or ease strength work", CLINICIANS, "program"),
    "admin:do running": form("Change the ladder, a lock or the running track", CLINICIANS, "program"),
    "admin:do edit-pause": form("Change a pause", CLINICIANS, "pause"),
    "admin:do cancel-pause": form("Take a pause back", CLINICIANS, "pause"),
    "admin:do pause": form("Pause a program", CLINICIANS, "program"),
    "admin:do resume": form("Resume a program", CLINICIANS, "paused program"),
    "admin:do fair-trial": form("Declare a new fair trial", CLINICIANS, "program"),
    "admin:do wake": form("Wake an imported program", CLINICIANS, "program"),
    "admin:programs_program_changelist": page("List of programs (leads to the patients)", STAFF, opened=302),
    "admin:programs_program_add": closed("Add a program outside its case"),
    "admin:programs_program_change": shown("Edit a patient's program", READERS, CLINICIANS, "program"),
    "admin:programs_program_history": history("a program", CLINICIANS, "program", barred=(GLASS,)),
    "admin:programs_program_delete": closed("Delete a program", "program"),
    # --- alerts
    "admin:programs_alert_changelist": shown("List of alerts", READERS, CLINICIANS, idle=200, silent=True),
    "admin:programs_alert_add": closed("Add an alert by hand"),
    "admin:programs_alert_change": page("An alert with its evidence", READERS, "alert"),
    "admin:programs_alert_history": history("an alert", CLINICIANS, "alert", barred=(GLASS,)),
    "admin:programs_alert_delete": closed("Delete an alert", "alert"),
    "admin:programs_alert_changelist together": shown(
        "Choose several alerts to act on",
        READERS,
        CLINICIANS,
        "alert",
        missing=302,
        idle=200,
        silent=True,
    ),
    "admin:alerts-together": form("Act on several alerts at once", CLINICIANS, done=200, silent=True),
    "admin:do hand-over": form("Hand an alert to a colleague, with its case", CLINICIANS, "alert"),
    "admin:do acknowledge": form("Acknowledge an alert", CLINICIANS, "red flag"),
    "admin:do snooze": form("Snooze an alert", CLINICIANS, "alert"),
    "admin:do resolve": form("Resolve an alert", CLINICIANS, "alert"),
    "admin:do clear": form("Clear a red flag with a finding", CLINICIANS, "red flag"),
    # --- the library
    "admin:programs_exercise_changelist": page("List of exercises", READERS),
    "admin:programs_exercise_import": form("Import exercises from a file", CLINICIANS),
    "admin:programs_template_import": form("Import a program from a file", CLINICIANS),
    "admin:programs_exercise_add": form("Add an exercise", CLINICIANS),
    "admin:programs_exercise_change": shown("An exercise of the clinic", READERS, CLINICIANS, "exercise"),
    "admin:programs_exercise_history": history("an exercise", CLINICIANS, "exercise", barred=(GLASS,)),
    "admin:programs_exercise_delete": closed("Delete an exercise", "exercise"),
    "admin:programs_template_changelist": page("List of programs to assign", READERS),
    "admin:programs_template_add": form("Add a program to assign", CLINICIANS),
    "admin:programs_template_change": shown("A program to assign", READERS, CLINICIANS, "template"),
    "admin:programs_template_history": history(
        "a program to assign", CLINICIANS, "template", barred=(GLASS,)
    ),
    "admin:programs_template_delete": closed("Delete a program to assign", "template"),
    # --- the clinic
    "admin:clinic_membership_changelist": page("List of staff", OWNERS),
    "admin:clinic_membership_add": form("Add a member of staff", OWNERS),
    "admin:clinic_membership_add ?clinic": form("Add staff in one of several clinics", OWNERS, "clinic"),
    "admin:do hand-over-caseload": form("Hand over all cases of a member of staff", OWNERS, "clinician"),
    "admin:do absence": form("Plan an absence", CLINICIANS, "own membership"),
    "admin:do end-absence": form("End an absence", CLINICIANS, "absence"),
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
    "admin:clinic_clinic_history": history("a clinic", OWNERS, "clinic", barred=OPERATORS),
    "admin:clinic_clinic_delete": closed("Delete a clinic", "clinic"),
    "admin:clinic_outboxmessage_changelist": page("List of e-mails and their states", OWNERS_AND_OPERATORS),
    "admin:clinic_outboxmessage_add": closed("Write an e-mail by hand"),
    "admin:clinic_outboxmessage_change": page("An e-mail as it was sent", OWNERS, "e-mail", refused=404),
    "admin:clinic_outboxmessage_again": button("Send a given-up e-mail again", OWNERS, "given-up e-mail"),
    "admin:clinic_outboxmessage_history": history("an e-mail", OWNERS, "e-mail"),
    "admin:clinic_outboxmessage_delete": closed("Delete an e-mail", "e-mail"),
    "admin:clinic_rowattempt_changelist": page("List of rows in trouble", OWNERS_AND_OPERATORS, idle=302),
    "admin:clinic_rowattempt_changelist try_now": button(
        "Try a row in trouble again", OWNERS_AND_OPERATORS, "trouble", missing=302
    ),
    "admin:clinic_rowattempt_add": closed("Add a row in trouble"),
    "admin:clinic_rowattempt_change": page(
        "A row in trouble (leads to the list)", STAFF, "trouble", opened=302, missing=302
    ),
    "admin:clinic_rowattempt_history": history("a row in trouble", OWNERS, "trouble", barred=OPERATORS),
    "admin:clinic_rowattempt_delete": closed("Delete a row in trouble", "trouble"),
    "admin:clinic_breakglass_changelist": page("Who of the platform opened records", OWNERS_AND_OPERATORS),
    "admin:clinic_breakglass_add": closed("Note by hand that records were opened"),
    "admin:clinic_breakglass_change": page(
        "Records opened by an operator (leads to the list)",
        OWNERS_AND_OPERATORS,
        "opening",
        opened=302,
        missing=302,
    ),
    "admin:clinic_breakglass_history": history("records opened", OWNERS, "opening", barred=OPERATORS),
    "admin:clinic_breakglass_delete": closed("Delete that records were opened", "opening"),
    "break-glass": form(
        "Open the records of a clinic for an hour, to read", OPERATORS, "clinic", refused=404
    ),
    "break-glass-close": Row(
        "Close opened records again", OPERATORS, (GLASS,), opened=405, idle=302, refused=404
    ),
    "admin:clinic_sweeprun_changelist": page("Periodic jobs", OWNERS_AND_OPERATORS),
    "admin:clinic_sweeprun_add": closed("Add a periodic job"),
    "admin:clinic_sweeprun_change": page(
        "A periodic job (leads to the list)", STAFF, "job", opened=302, missing=302
    ),
    "admin:clinic_sweeprun_history": history("a periodic job", OWNERS, "job", barred=OPERATORS),
    "admin:clinic_sweeprun_delete": closed("Delete a periodic job", "job"),
}
"""Pages of the staff. Who is not logged in as staff is sent to the login, whatever they ask for."""

ACTIONS = {
    "alert.together": "admin:programs_alert_changelist together",
    "rowattempt.try_now": "admin:clinic_rowattempt_changelist try_now",
}
"""Actions on ticked rows of a list, and their rows above."""

API = {
    "auth-logout": sent("Log out this device", PATIENTS, done=204),
    "auth-logout-all": sent("Log out every device", PATIENTS, done=204),
    "me": page("Who I am, and how my case stands", PATIENTS),
    "me-program": page("What to do now", PATIENTS),
    "me-check-ins": page("My check-ins", PATIENTS),
    "me-progress": page("How it goes", PATIENTS),
    "me-relapse-watch": Row("No more questions after discharge", does=PATIENTS, method="DELETE", done=204),
    "me-access-log": page("Who has read my record", PATIENTS),
    "me-consent": Row(
        "Agree to the text (again: nothing changes)", PATIENTS, PATIENTS, method="PUT", done=200, silent=True
    ),
    "me-export": Row(
        "Everything stored about me", PATIENTS, PATIENTS, method="GET", done=200, also=("mail",)
    ),
    "me-answer": put("Answer a check-in", "answer", done=409, missing=201),
    "me-session": put("Log an exercise session", "session", done=409, missing=201),
    "me-session-next-morning": put("The morning after a session", "session", done=200),
    "me-run": put("Log a run", "run", done=409, missing=201),
    "me-run-next-morning": put("The morning after a run", "run", done=200),
}
"""The patient's own record. Who has no token is told so (401), whatever they ask for."""

TOOLS = {
    "api-token": shown("The token that asks; end it", TEAM, TEAM, method="DELETE", done=204),
    "api-patients": shown("Find patients; take one on", TEAM, TEAM, done=201),
    "api-patients-invite": sent("Invite many patients", TEAM, done=200),
    "api-patient": shown("A patient; change contact data", TEAM, TEAM, "patient", method="PATCH", done=200),
    "api-patient-invite": sent("Invite a patient", TEAM, "newcomer", done=201),
    "api-patient-readers": page("Who has seen the record of a patient", CLINICIANS, "patient"),
    "api-patient-consent": page("What a patient agreed to", TEAM, "patient"),
    "api-patient-export": sent(
        "Take out all data of a patient", OWNERS, "patient", done=200, also=("mail", "device")
    ),
    "api-patient-erase": sent("Erase a patient", OWNERS, "patient", done=200),
    "api-caseload": page("Who needs me today, and why", TEAM),
    "api-caseload-figures": page("Figures of the caseload", CLINICIANS),
    "api-cases": shown("Find cases; open one", TEAM, CLINICIANS, done=201),
    "api-cases-reassign": sent("Hand over many cases", CLINICIANS, done=200),
    "api-case": shown("A case; correct it", TEAM, CLINICIANS, "case", method="PATCH", done=200),
    "api-case-discharge": sent("Discharge", CLINICIANS, "case", done=200),
    "api-case-reassign": sent("Hand a case to a colleague", CLINICIANS, "case", done=204),
    "api-case-contacts": shown("Calls of a case; log one", TEAM, TEAM, "case", done=201),
    "api-case-thresholds": shown(
        "Thresholds of one case; set them", CLINICIANS, CLINICIANS, "case", method="PUT", done=200
    ),
    "api-case-reopen": sent("Re-open a closed case", CLINICIANS, "closed case", done=201),
    "api-case-timeline": page("The timeline of a case", CLINICIANS, "case"),
    "api-case-draft": shown(
        "The own draft of a new assessment; keep one", CLINICIANS, CLINICIANS, "case", method="PUT", done=200
    ),
    "api-case-answers": page("What the patient of a case answered", CLINICIANS, "case"),
    "api-case-reviews": page("Verdicts of the reviews of a case", CLINICIANS, "case"),
    "api-case-drafts": page("Who is typing into assessments of a case", CLINICIANS, "case"),
    "api-case-outcomes": shown(
        "Outcome measures of a case; record a GROC", CLINICIANS, CLINICIANS, "case", done=200
    ),
    "api-case-prognosis": page("Base rates for a case", CLINICIANS, "case"),
    "api-case-re-tests": page("Assessments of a case side by side", CLINICIANS, "case"),
    "api-case-monitoring": page("Counters of remote monitoring", CLINICIANS, "case"),
    "api-case-watch": shown(
        "The relapse watch; end it", CLINICIANS, CLINICIANS, "watched case", method="DELETE", done=200
    ),
    "api-case-letters": shown("Letters about a case; make one", CLINICIANS, CLINICIANS, "case", done=201),
    "api-case-letters-proposed": page("A letter filled in from the record", CLINICIANS, "case"),
    "api-case-letters-preview": sent(
        "A letter as it would be made", CLINICIANS, "case", done=200, silent=True
    ),
    "api-letter": page("A letter as it was made", CLINICIANS, "letter"),
    "api-letter-pdf": page("A letter as it was made, as PDF", CLINICIANS, "letter"),
    "api-assessments": shown("Find assessments; record one", CLINICIANS, CLINICIANS, done=201),
    "api-assessment": shown(
        "An assessment; change it", CLINICIANS, CLINICIANS, "assessment", method="PATCH", done=200
    ),
    "api-assessments-check": sent("What values amount to", CLINICIANS, done=200, silent=True),
    "api-assessment-draft": shown(
        "The own draft of an assessment; keep one",
        CLINICIANS,
        CLINICIANS,
        "assessment",
        method="PUT",
        done=200,
    ),
    "api-draft-raise": sent("Raise the red flags of a draft", CLINICIANS, "flagged draft", done=200),
    "api-assessment-sign": sent("Sign an assessment", CLINICIANS, "assessment", done=200),
    "api-assessment-addenda": sent(
        "Correct an assessment (this one is not signed)", CLINICIANS, "assessment", done=400
    ),
    "api-assessment-suggestions": page("Programs suggested for an assessment", CLINICIANS, "assessment"),
    "api-programs": shown("Find programs of patients; assign one", CLINICIANS, CLINICIANS, done=201),
    "api-program": shown("A program; change it", CLINICIANS, CLINICIANS, "program", method="PATCH", done=200),
    "api-programs-prepare": sent("Prepare a program", CLINICIANS, done=201),
    "api-program-send": sent("Send a prepared program (this one was)", CLINICIANS, "program", done=400),
    "api-program-discard": sent(
        "Discard a prepared program (this one was sent)", CLINICIANS, "program", done=400
    ),
    "api-program-doses": sent("Add an exercise to a program", CLINICIANS, "program", done=200),
    "api-program-dose": Row(
        "Change a dose (this is none of the program's)",
        does=CLINICIANS,
        of="program",
        method="PATCH",
        done=404,
    ),
    "api-program-replace": sent(
        "Put another exercise in its place (this is none of the program's)", CLINICIANS, "program", done=404
    ),
    "api-program-plan-stage": Row(
        "Change a stage of a program", does=CLINICIANS, of="program", method="PATCH", done=200
    ),
    "api-program-differences": page("What was adjusted in a program", CLINICIANS, "program"),
    "api-program-running": page("How a patient runs", CLINICIANS, "program"),
    "api-program-terrain": sent("Open the next lock of a runner", CLINICIANS, "program", done=200),
    "api-program-pause-effect": sent("What a pause would do", CLINICIANS, "program", done=200, silent=True),
    "api-program-pause-edit": Row(
        "Change a pause (this is none of the program's)",
        does=CLINICIANS,
        of="program",
        method="PATCH",
        done=404,
    ),
    "api-program-pause-cancel": sent(
        "Take a pause back (this is none of the program's)", CLINICIANS, "program", done=404
    ),
    "api-program-coverage": shown(
        "Which deficits a program treats; why not", CLINICIANS, CLINICIANS, "program", done=200
    ),
    "api-program-ladder": sent(
        "Put a runner on the ladder (this one still runs)", CLINICIANS, "program", done=400
    ),
    "api-program-track": sent("Switch a runner's track", CLINICIANS, "program", done=200),
    "api-program-gate": page("Whether the next stage is open", CLINICIANS, "program"),
    "api-program-proposal": shown(
        "What is proposed for strength work; do it", CLINICIANS, CLINICIANS, "program", done=200
    ),
    "api-program-stage": sent("Move to another stage", CLINICIANS, "program", done=200),
    "api-program-pause": sent("Pause a program", CLINICIANS, "program", done=200),
    "api-program-resume": sent("Resume a program", CLINICIANS, "paused program", done=200),
    "api-program-fair-trial": sent("Declare a new fair trial", CLINICIANS, "program", done=200),
    "api-program-wake": sent("Wake an imported program", CLINICIANS, "program", done=200),
    "api-alerts": page("Find alerts", CLINICIANS),
    "api-alerts-bulk": sent("Acknowledge, snooze, resolve or hand over many alerts", CLINICIANS, done=200),
    "api-alert": page("An alert with its evidence", CLINICIANS, "alert"),
    "api-alert-acknowledge": sent("Acknowledge an alert", CLINICIANS, "red flag", done=200),
    "api-alert-snooze": sent("Snooze an alert", CLINICIANS, "alert", done=200),
    "api-alert-resolve": sent("Resolve an alert", CLINICIANS, "alert", done=200),
    "api-alert-clear": sent("Clear a red flag with a finding", CLINICIANS, "red flag", done=200),
    "api-alert-hand-over": sent("Hand an alert to a colleague", CLINICIANS, "alert", done=204),
    "api-export-caseload": page("The caseload as CSV", OWNERS),
    "api-export-case": Row("A case as CSV", OWNERS, OWNERS, of="case", method="GET", done=200),
    "api-exercises": shown("Find exercises; add one", CLINICIANS, CLINICIANS, done=201),
    "api-exercises-import": sent("Add exercises from a file", CLINICIANS, done=200),
    "api-exercises-preview": sent("Look at exercises of a file", CLINICIANS, done=200, silent=True),
    "api-exercise-copy": sent("Copy an exercise to our library", CLINICIANS, "exercise", done=201),
    "api-exercise-clip": shown(
        "Our own clip of an exercise; link it", CLINICIANS, CLINICIANS, "exercise", method="PUT", done=200
    ),
    "api-exercise": shown(
        "An exercise; change it", CLINICIANS, CLINICIANS, "exercise", method="PATCH", done=200
    ),
    "api-templates": shown("Find programs to assign; add one", CLINICIANS, CLINICIANS, done=201),
    "api-template-copy": sent("Copy a program to our library", CLINICIANS, "template", done=201),
    "api-template-yaml": page("A program to assign, as YAML", CLINICIANS, "template"),
    "api-templates-import": sent("Add a program from YAML (this is none)", CLINICIANS, done=400),
    "api-templates-preview": sent("Look at a program of a file", CLINICIANS, done=200, silent=True),
    "api-template": shown(
        "A program to assign; change it", CLINICIANS, CLINICIANS, "template", method="PATCH", done=200
    ),
    "api-staff": page("Who works here", TEAM),
    "api-member": shown(
        "A member of staff; the own cover and digest",
        TEAM,
        TEAM,
        "own seat",
        method="PATCH",
        done=200,
    ),
    "api-member-leave": sent("End the access of a member of staff", OWNERS, "member", done=200),
    "api-member-hand-over": sent(
        "Hand over a whole caseload (this one is empty)", OWNERS, "member", done=200, silent=True
    ),
    "api-absences": shown("Who is away; plan it", TEAM, CLINICIANS, done=201),
    "api-absence": sent("End an absence", CLINICIANS, "absence", method="DELETE", done=204),
    "api-clinic": page("What patients are told of the clinic", TEAM),
    "api-policy": shown("The clinic's policy; change it", OWNERS, OWNERS, method="PATCH", done=200),
    "api-policy-trial": sent("Try a policy on the last 90 days", OWNERS, done=200, silent=True),
}
"""What a member's own tools may, with a token of the member: as much as the member. Whoever has none is told
so (401), whatever they ask for. Only who works for a clinic can have one."""

OPEN = {
    "auth-invitation": sent("Accept an invitation, by its token", ANYBODY, done=400, silent=True),
    "auth-code": sent("Ask for a login code", ANYBODY, done=202, silent=True),
    "auth-token": sent("Log in with a code", ANYBODY, done=400, silent=True),
    "auth-consent": page("The text to agree to", ANYBODY),
    "schema": page("Description of the API", ANYBODY),
    "docs": page("Description of the API, to read", ANYBODY),
    "/api/v1/": page("Any other address of the API: nothing", ANYBODY, opened=404, any_method=True),
    "/": page("Leads to the staff's first page", ANYBODY, opened=302, any_method=True),
    "invitation": page("Where an invitation's link leads", ANYBODY),
    "check-in": page("Where a check-in's link leads", ANYBODY, "check-in", missing=200),
    "health-live": page("Whether the process answers", ANYBODY),
    "health-ready": page(
        "Whether all it needs answers, and nothing is late (here it is)", ANYBODY, opened=503
    ),
}
"""For everybody; nothing of any clinic stands there."""

DOORS = {
    "log-in": "Log in with e-mail and password",
    "second-factor": "Show the second factor",
    "enrol": "Set up the first second factor",
    "password-reset": "Ask for a new password",
    "password-reset-new": "Choose a new password, by the link",
    "admin:login": "Log in, at Django's name for it",
    "admin:logout": "Log out",
    "admin:password_change": "Change the own password",
    "admin:password_change_done": "The password is changed",
}
"""How staff come in and go out; what each answers stands in test_doors.py."""

NOWHERE = {"/admin/(?P<url>.*)$": "Any other address below /admin/"}
"""Not found, for whoever may ask at all."""
