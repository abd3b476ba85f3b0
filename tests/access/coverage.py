"""Which operation of the staff's API does what a page or action of the admin does; or why none.

docs/api-coverage.md is made of it: ``python -m tests.access.coverage``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.access import table

DOCUMENT = Path(__file__).parents[2] / "docs" / "api-coverage.md"

ONESELF = "Only the admin: a token must not change how its member signs in, nor make another token."
WHO = "Only the admin: with an owner's stolen token somebody could make themselves an owner for good."
TRAIL = "Only the admin: the trail is evidence, read by a person who has shown a second factor."
MAILS = "Only the admin: an e-mail as it was sent; which addresses fail: `GET patients?bounced=true`."
RUNS = "Only the admin: about running the service, no clinical work; whether it does: `/health/ready`."
GLASS = "Only the admin: who of the platform opens records does so in person, with a second factor."
ERASED = (
    "Only the admin: what is left of somebody erased is opened by a person, one at a time, with a reason."
)
HOUSE = "Only the admin: whom patients are told to call in an emergency is no tool's to change."
LOOKS = "No need: part of how the admin's pages work."

COVERED: dict[str, str | tuple[str, ...]] = {
    # --- first page
    "admin:index": ("GET caseload", "GET caseload/figures", "GET absences"),
    "admin:app_list": LOOKS,
    "admin:jsi18n": LOOKS,
    "/admin/search/": LOOKS,
    "admin:autocomplete": ("GET cases",),
    "admin:view_on_site": LOOKS,
    "admin:clinic_membership_me": ("GET staff/{id}", "PATCH staff/{id}"),
    "account": ONESELF,
    "account-add": ONESELF,
    "account-remove": ONESELF,
    "account-recovery": ONESELF,
    "account-sign-out": ONESELF,
    "account-tokens": ONESELF,
    "account-token-revoke": ("GET token", "DELETE token"),
    # --- patients and their cases
    "admin:patients_patient_changelist": ("GET patients", "GET cases", "POST patients/invite"),
    "admin:call-list": ("GET caseload", "GET patients"),
    "admin:patients_patient_add": ("POST patients",),
    "admin:patients_patient_add ?clinic": ("POST patients",),
    "admin:patients_patient_change": (
        *("GET patients/{id}", "GET patients/{id}/consent", "GET cases/{id}", "GET cases/{id}/timeline"),
        *("GET cases/{id}/outcomes", "GET cases/{id}/re-tests", "GET cases/{id}/answers"),
        "GET cases/{id}/prognosis",
        *("GET cases/{id}/reviews", "GET cases/{id}/contacts", "GET cases/{id}/letters"),
        *("GET cases/{id}/monitoring", "GET cases/{id}/watch", "GET cases/{id}/drafts", "GET programs"),
    ),
    "admin:patients_patient_contact": ("PATCH patients/{id}",),
    "admin:patients_patient_history": TRAIL,
    "admin:patients_patient_readers": ("GET patients/{id}/readers",),
    "admin:do invite": ("POST patients/{id}/invite",),
    "admin:do log-contact": ("POST cases/{id}/contacts",),
    "admin:do add-note": ("POST cases/{id}/contacts",),
    "admin:do new-case": ("POST cases",),
    "admin:do reassign": ("POST cases/{id}/reassign", "POST cases/reassign"),
    "admin:do discharge": ("POST cases/{id}/discharge",),
    "admin:do reopen": ("POST cases/{id}/reopen",),
    "admin:do end-watch": ("DELETE cases/{id}/watch",),
    "admin:do thresholds": ("GET cases/{id}/thresholds", "PUT cases/{id}/thresholds"),
    "admin:patients_episode_changelist": ("GET cases",),
    "admin:patients_episode_change": ("PATCH cases/{id}",),
    "admin:patients_episode_history": TRAIL,
    "admin:do letter": (
        *("GET cases/{id}/letters/proposed", "POST cases/{id}/letters/preview"),
        "POST cases/{id}/letters",
    ),
    "admin:letter": ("GET letters/{id}", "GET letters/{id}/pdf"),
    "admin:do export-case": ("GET exports/cases/{id}",),
    "admin:do export-caseload": ("GET exports/caseload",),
    # --- what is the patient's right
    "admin:do export": ("POST patients/{id}/export",),
    "admin:do erase": ("POST patients/{id}/erase",),
    "admin:do open-record": ERASED,
    "admin:patients_restrictedrecord_changelist": ERASED,
    "admin:patients_restrictedrecord_change": ERASED,
    "admin:patients_restrictedrecord_history": ERASED,
    # --- assessments
    "admin:patients_assessment_changelist": ("GET assessments",),
    "admin:patients_assessment_add": ("POST assessments",),
    "admin:patients_assessment_change": (
        *("GET assessments/{id}", "PATCH assessments/{id}", "POST assessments/{id}/sign"),
    ),
    "admin:patients_assessment_history": TRAIL,
    "admin:patients_assessment_values": ("POST assessments/check",),
    "admin:patients_assessment_draft": (
        *("GET cases/{id}/draft", "PUT cases/{id}/draft"),
        *("GET assessments/{id}/draft", "PUT assessments/{id}/draft"),
    ),
    "admin:do addendum": ("POST assessments/{id}/addenda",),
    "admin:do raise-flag": ("GET cases/{id}/drafts", "POST assessments/drafts/{id}/raise"),
    "admin:do groc": ("POST cases/{id}/outcomes",),
    "admin:suggestions": ("GET assessments/{id}/suggestions",),
    # --- the library
    "admin:do copy-template": ("POST templates/{id}/copy",),
    "admin:do copy-exercise": ("POST exercises/{id}/copy",),
    "admin:do export-template": ("GET templates/{id}/yaml",),
    "admin:do clip": ("GET exercises/{id}/clip", "PUT exercises/{id}/clip"),
    "admin:programs_exercise_changelist": ("GET exercises",),
    "admin:programs_exercise_import": ("POST exercises/import/preview", "POST exercises/import"),
    "admin:programs_template_import": ("POST templates/import/preview", "POST templates/import"),
    "admin:programs_exercise_add": ("POST exercises",),
    "admin:programs_exercise_change": ("GET exercises/{id}", "PATCH exercises/{id}"),
    "admin:programs_exercise_history": TRAIL,
    "admin:programs_template_changelist": ("GET templates",),
    "admin:programs_template_add": ("POST templates",),
    "admin:programs_template_change": ("GET templates/{id}", "PATCH templates/{id}"),
    "admin:programs_template_history": TRAIL,
    # --- programs
    "admin:do assign": ("POST programs/prepare", "POST programs"),
    "admin:adjust": (*("GET programs/{id}", "GET programs/{id}/differences", "GET programs/{id}/coverage"),),
    "admin:adjust easier": ("POST programs/{id}/doses/{id}/replace",),
    "admin:adjust harder": ("POST programs/{id}/doses/{id}/replace",),
    "admin:adjust replace": ("POST programs/{id}/doses/{id}/replace",),
    "admin:adjust add": ("POST programs/{id}/doses",),
    "admin:adjust out": ("PATCH programs/{id}/doses/{id}",),
    "admin:adjust back": ("PATCH programs/{id}/doses/{id}",),
    "admin:adjust up": ("PATCH programs/{id}/doses/{id}",),
    "admin:adjust down": ("PATCH programs/{id}/doses/{id}",),
    "admin:adjust dose": ("PATCH programs/{id}/doses/{id}",),
    "admin:adjust stage": ("PATCH programs/{id}/stages/{id}",),
    "admin:adjust program": ("PATCH programs/{id}",),
    "admin:adjust greens": ("PUT cases/{id}/thresholds",),
    "admin:adjust reasons": ("POST programs/{id}/coverage",),
    "admin:do send": ("POST programs/{id}/send",),
    "admin:do discard": ("POST programs/{id}/discard",),
    "admin:do move-stage": ("GET programs/{id}/gate", "POST programs/{id}/stage"),
    "admin:do apply-proposal": ("GET programs/{id}/proposal", "POST programs/{id}/proposal"),
    "admin:do running": (
        *("GET programs/{id}/running", "POST programs/{id}/ladder", "POST programs/{id}/terrain"),
        "POST programs/{id}/track",
    ),
    "admin:do edit-pause": ("PATCH programs/{id}/pauses/{id}",),
    "admin:do cancel-pause": ("POST programs/{id}/pauses/{id}/cancel",),
    "admin:do pause": ("POST programs/{id}/pause/preview", "POST programs/{id}/pause"),
    "admin:do resume": ("POST programs/{id}/resume",),
    "admin:do fair-trial": ("POST programs/{id}/fair-trial",),
    "admin:do wake": ("POST programs/{id}/wake",),
    "admin:programs_program_changelist": ("GET programs",),
    "admin:programs_program_change": ("GET programs/{id}", "PATCH programs/{id}"),
    "admin:programs_program_history": TRAIL,
    # --- alerts
    "admin:programs_alert_changelist": ("GET alerts",),
    "admin:programs_alert_change": ("GET alerts/{id}",),
    "admin:programs_alert_history": TRAIL,
    "admin:programs_alert_changelist together": ("POST alerts/bulk",),
    "admin:alerts-together": ("POST alerts/bulk",),
    "admin:do hand-over": ("POST alerts/{id}/hand-over",),
    "admin:do acknowledge": ("POST alerts/{id}/acknowledge",),
    "admin:do snooze": ("POST alerts/{id}/snooze",),
    "admin:do resolve": ("POST alerts/{id}/resolve",),
    "admin:do clear": ("POST alerts/{id}/clear",),
    # --- the clinic
    "admin:clinic_membership_changelist": ("GET staff",),
    "admin:clinic_membership_add": WHO,
    "admin:clinic_membership_add ?clinic": WHO,
    "admin:clinic_membership_change": ("PATCH staff/{id}", "POST staff/{id}/leave"),
    "admin:clinic_membership_change role": WHO,
    "admin:clinic_membership_history": TRAIL,
    "admin:do hand-over-caseload": ("POST staff/{id}/hand-over",),
    "admin:do absence": ("POST absences",),
    "admin:do end-absence": ("DELETE absences/{id}",),
    "admin:clinic_clinicpolicy_changelist": ("GET policy",),
    "admin:clinic_clinicpolicy_change": ("GET policy", "POST policy/trial", "PATCH policy"),
    "admin:clinic_clinicpolicy_history": TRAIL,
    "admin:clinic_clinic_changelist": ("GET clinic",),
    "admin:clinic_clinic_change": HOUSE,
    "admin:clinic_clinic_history": TRAIL,
    # --- the service itself
    "admin:clinic_outboxmessage_changelist": MAILS,
    "admin:clinic_outboxmessage_change": MAILS,
    "admin:clinic_outboxmessage_again": MAILS,
    "admin:clinic_outboxmessage_history": TRAIL,
    "admin:clinic_rowattempt_changelist": RUNS,
    "admin:clinic_rowattempt_changelist try_now": RUNS,
    "admin:clinic_rowattempt_change": RUNS,
    "admin:clinic_rowattempt_history": TRAIL,
    "admin:clinic_breakglass_changelist": GLASS,
    "admin:clinic_breakglass_change": GLASS,
    "admin:clinic_breakglass_history": TRAIL,
    "admin:clinic_sweeprun_changelist": RUNS,
    "admin:clinic_sweeprun_change": RUNS,
    "admin:clinic_sweeprun_history": TRAIL,
    "break-glass": GLASS,
    "break-glass-close": GLASS,
}
"""By the row of ``tests.access.table.ADMIN``; a form that does several things has a row for each below it."""

PARTS = {
    "admin:adjust easier": "... take the easier exercise",
    "admin:adjust harder": "... take the harder exercise",
    "admin:adjust replace": "... take another exercise",
    "admin:adjust add": "... add an exercise",
    "admin:adjust out": "... take an exercise out",
    "admin:adjust back": "... put it back",
    "admin:adjust up": "... move it up",
    "admin:adjust down": "... move it down",
    "admin:adjust dose": "... change a dose",
    "admin:adjust stage": "... change a stage",
    "admin:adjust program": "... change its name and frequency",
    "admin:adjust greens": "... green sessions in a row to progress",
    "admin:adjust reasons": "... why a deficit has no exercise",
    "admin:clinic_membership_change role": "... the role, and to let somebody back in",
}
"""Of one form, what it does."""

HEAD = """# What the admin does, by the API

Each page and action of the admin that somebody may use, with the operation that does the same through the
same service; or why none does. Made from the table in `tests/access/coverage.py`
(`python -m tests.access.coverage`); a new page or action without a row, and an operation that no row names,
fail the build.

| in the admin | by the API, below `/api/v1/` |
|---|---|
"""


def document() -> str:
    return HEAD + "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for route, found in COVERED.items():
        cell = found if isinstance(found, str) else ", ".join(f"`{operation}`" for operation in found)
        yield f"| {_what(route)} | {cell} |"


def _what(route: str) -> str:
    return PARTS.get(route) or table.ADMIN[route].what


if __name__ == "__main__":
    DOCUMENT.write_text(document())
