"""What is sent to each address: what the page itself would send, filled in so that it takes effect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from django.utils import timezone

from patients.models import Patient
from programs.admin.library_imports import text_sum
from programs.services.privacy import confirmation
from tests.access.world import Bundle

RECORD = '[{"id": "Hop", "name": "Hop", "category": "strength"}]'
PROGRAM = """
format: knee-clinic-template/1
template:
  name: Hops
  slug: hops
  diagnoses: [pfp]
  stages:
  - number: 1
    name: Settle
    min_days: 7
    exercises:
    - exercise: hop
      sets: 3
      reps_low: 10
      reps_high: 10
exercises:
- slug: hop
  name: Hop
  kind: strength
"""

type Fields = dict[str, Any]


def today() -> str:
    return timezone.localdate().isoformat()


def new_case(bundle: Bundle) -> Fields:
    chosen = {"diagnosis": "pfp", "index_side": "left", "running_track": "stopped", "opened_on": today()}
    return {"clinician": bundle.clinician.pk, **chosen}


def new_patient(bundle: Bundle) -> Fields:
    return {"given_name": "New", "timezone": "UTC", **new_case(bundle)}


def colleague(bundle: Bundle) -> Fields:
    others = bundle.clinic.memberships.clinicians().exclude(user=bundle.clinician)
    return {"clinician": others.first().user_id}


def away(_: Bundle) -> Fields:
    """After the absence that is there already."""
    day = (timezone.localdate() + timedelta(days=3)).isoformat()
    return {"starts_on": day, "ends_on": day}


def soon(_: Bundle) -> Fields:
    return {"until": (timezone.localdate() + timedelta(days=7)).isoformat(), "note": "Away"}


def new_member(_: Bundle) -> Fields:
    return {"email": "new@example.org", "name": "New", "role": "physio"}


def new_template(bundle: Bundle) -> Fields:
    return {"name": "New", "diagnoses": ["pfp"], "strength_per_week": "3"}


def to_erase(bundle: Bundle) -> Fields:
    patient = Patient.objects.get(pk=bundle.ids["patient"])
    return {"case_number": confirmation(patient), **WHY}


WHY = {"reason": "Asked for by letter."}

FILLED_IN: dict[str, Fields | Callable[[Bundle], Fields]] = {
    "account-tokens": {"name": "Tool", "may": "write", "days": "30"},
    "admin:clinic_membership_me": {"digest_weekday": "2"},
    "admin:patients_patient_add": new_patient,
    "admin:patients_patient_add ?clinic": new_patient,
    "admin:patients_patient_contact": {"phone": "+31 20 555 0199"},
    "admin:do invite": {},
    "admin:do groc": {"groc": "5"},
    "admin:do add-note": {"note": "Runs on grass"},
    "admin:do log-contact": {"kind": "call", "note": "Called"},
    "admin:do new-case": new_case,
    "admin:do reassign": colleague,
    "admin:do discharge": {"outcome": "improved"},
    "admin:do thresholds": {"stalled_week": "10"},
    "admin:patients_episode_change": {"both_knees": "on"},
    "admin:patients_assessment_add": lambda bundle: {
        "episode": bundle.plain.pk,
        "kind": "intake",
        "notes": "Seen",
    },
    "admin:patients_assessment_change": {"notes": "Changed"},
    "admin:patients_assessment_values": {"worst_pain": "6"},
    "admin:patients_assessment_draft": {"worst_pain": "6"},
    "admin:do addendum": {"text": "The other knee."},
    "admin:do copy-template": {},
    "admin:do copy-exercise": {},
    "admin:do export-template": {},
    "admin:do clip": {"url": "https://example.org/another"},
    "admin:do assign": lambda bundle: {"template_choice": bundle.ids["template"]},
    "admin:adjust": lambda bundle: {"act": f"out:{bundle.ids['draft dose']}"},
    "admin:do send": {"started_on": today()},
    "admin:do discard": {},
    "admin:do move-stage": {"to_stage": "2", "override_reason": "Ready"},
    "admin:do apply-proposal": {"expected": "hold nothing", "note": "As proposed"},
    "admin:do running": {"to": "track:stopped", "reason": "Off for weeks"},
    "admin:do pause": {"kind": "holiday", "starts_on": today(), "confirmed": f"{today()} to open"},
    "admin:do edit-pause": {"kind": "illness", "confirmed": "2026-03-02 to open"},
    "admin:do cancel-pause": {},
    "admin:do reopen": {},
    "admin:do end-watch": {},
    "admin:do resume": {"on": today()},
    "admin:do fair-trial": {"on": today(), "reason": "Another try"},
    "admin:do export": {"content": "json", **WHY},
    "admin:do erase": to_erase,
    "admin:do open-record": WHY,
    "break-glass": WHY,
    "admin:do wake": {},
    "admin:programs_program_change": {"name": "Changed"},
    "admin:do acknowledge": {},
    "admin:do snooze": soon,
    "admin:do resolve": {"came_of": "contacted", "outcome": "Settled"},
    "admin:do hand-over": lambda bundle: {"to": colleague(bundle)["clinician"]},
    "admin:do hand-over-caseload": lambda bundle: {"to": colleague(bundle)["clinician"]},
    "admin:do absence": away,
    "admin:do end-absence": {},
    "admin:do letter": {"question": "Would you see this patient?", "flag": "Fever"},
    "admin:do export-case": {},
    "admin:do export-caseload": {},
    "admin:alerts-together": {"what": "acknowledge"},
    "admin:do clear": {"finding": "Harmless"},
    "admin:programs_exercise_import": {"text": RECORD, "looked": text_sum(RECORD), "take": ["hop"]},
    "admin:programs_template_import": {"text": PROGRAM, "looked": text_sum(PROGRAM)},
    "admin:programs_exercise_add": {"name": "New", "kind": "strength"},
    "admin:programs_exercise_change": {"name": "Changed"},
    "admin:programs_template_add": new_template,
    "admin:programs_template_change": {"name": "Changed"},
    "admin:clinic_membership_add": new_member,
    "admin:clinic_membership_add ?clinic": new_member,
    "admin:clinic_membership_change": {"role": "physio"},
    "admin:clinic_outboxmessage_again": {},
    "admin:clinic_clinicpolicy_change": {"stalled_week": "10"},
    "admin:clinic_clinic_change": {"name": "Changed"},
}
"""Over what the form holds when it is opened."""

NAME_THEIR_ROWS = {
    "admin:patients_assessment_change",
    "admin:programs_template_change",
}
"""Forms with rows of their own below them, by id."""

TICKED = {"action": "delete_selected", "select_across": "1", "index": "0"}
"""Django's own action on a list, should it ever be let in."""

DEVICE = {"device_name": "Phone"}
LETTER = {"kind": "referral", "question": "Would you see this patient?"}
EFFORT = {"occurred_at": timezone.now().isoformat(), "pain_during": 2}
SENT: dict[str, Fields | Callable[[Bundle], Fields]] = {
    "auth-invitation": {"token": "guessed", **DEVICE},
    "auth-code": {"email": "nobody@example.org"},
    "auth-token": {"email": "nobody@example.org", "code": "123456", **DEVICE},
    "me-consent": {"version": 2},
    "me-answer": {"occurred_at": timezone.now().isoformat(), "worst_left": 4},
    "me-session": lambda bundle: {**EFFORT, "exercises": [{"dose": bundle.ids["dose"], "sets_done": 2}]},
    "me-session-next-morning": {"pain_next_morning": 2},
    "me-run": {**EFFORT, "distance_km": 4},
    "me-run-next-morning": {"pain_next_morning": 2},
    "api-patients": {"given_name": "New", "timezone": "UTC"},
    "api-patients-invite": lambda bundle: {"patients": [str(bundle.ids["newcomer"])]},
    "api-patient": {"phone": "+31 20 555 0199"},
    "api-patient-export": WHY,
    "api-patient-erase": to_erase,
    "api-cases": lambda bundle: {
        "patient": str(bundle.ids["patient"]),
        "clinician": bundle.clinician.pk,
        "diagnosis": "pfp",
        "index_side": "left",
    },
    "api-cases-reassign": lambda bundle: {"cases": [bundle.plain.pk], **colleague(bundle)},
    "api-case": {"both_knees": True},
    "api-case-discharge": {"outcome": "improved"},
    "api-case-reassign": colleague,
    "api-case-contacts": {"kind": "call", "note": "Called"},
    "api-case-thresholds": {"values": {"stalled_week": 10}},
    "api-case-outcomes": {"groc": 5},
    "api-program-proposal": {"expected": "hold nothing"},
    "api-absences": away,
    "api-member-hand-over": lambda bundle: {"hand_over_to": colleague(bundle)["clinician"]},
    "api-case-letters": LETTER,
    "api-case-letters-preview": LETTER,
    "api-exercises": {"name": "New", "kind": "strength"},
    "api-exercises-import": {"text": RECORD},
    "api-exercises-preview": {"text": RECORD},
    "api-exercise": {"equipment": "A band"},
    "api-exercise-clip": {"url": "https://example.org/another"},
    "api-templates": {"name": "New", "diagnoses": ["pfp"], "stages": [{"name": "Settle"}]},
    "api-templates-preview": {"text": PROGRAM},
    "api-template": {"summary": "Changed"},
    "api-assessments": lambda bundle: {"case": bundle.plain.pk, "values": {"notes": "Seen"}},
    "api-assessment": {"values": {"notes": "Changed"}},
    "api-assessments-check": lambda bundle: {"case": bundle.plain.pk, "values": {"worst_pain": 6}},
    "api-assessment-draft": {"values": {"worst_pain": 6}},
    "api-case-draft": {"values": {"worst_pain": 6}},
    "api-member": {"digest_weekday": 2},
    "api-assessment-addenda": {"text": "Seen again"},
    "api-programs": lambda bundle: {"case": bundle.plain.pk, "template": bundle.ids["template"]},
    "api-program": {"name": "Changed"},
    "api-programs-prepare": lambda bundle: {"case": bundle.plain.pk, "template": bundle.ids["template"]},
    "api-program-doses": lambda bundle: {"stage": 1, "exercise": bundle.ids["exercise"]},
    "api-program-dose": {"sets": 4},
    "api-program-replace": lambda bundle: {"exercise": bundle.ids["exercise"]},
    "api-program-plan-stage": {"goal": "Changed"},
    "api-program-terrain": {"terrain": "downhills", "reason": "Ready"},
    "api-program-pause-effect": {"kind": "holiday"},
    "api-program-pause-edit": {"note": "Changed"},
    "api-program-coverage": {"reasons": {"quadriceps": "Sore"}},
    "api-program-ladder": {"to_step": 1},
    "api-program-track": {"track": "stopped", "reason": "Too sore"},
    "api-templates-import": {"text": "nothing"},
    "api-program-stage": {"to_stage": 2, "override_reason": "Ready"},
    "api-program-pause": {"kind": "holiday"},
    "api-program-resume": {},
    "api-program-fair-trial": {"reason": "Another try"},
    "api-alerts-bulk": lambda bundle: {"alerts": [bundle.ids["alert"]], "act": "acknowledge"},
    "api-alert-acknowledge": {"seen": 1},
    "api-alert-snooze": soon,
    "api-alert-resolve": {"outcome": "Settled"},
    "api-alert-clear": {"finding": "Harmless", "seen": 1},
    "api-alert-hand-over": lambda bundle: {"to": colleague(bundle)["clinician"], "why": "Away"},
    "api-policy": {"values": {"stalled_week": 10}},
    "api-policy-trial": {"values": {"stalled_week": 10}},
}
"""JSON bodies of the API."""


def filled_in(route: str, bundle: Bundle) -> Fields:
    fields = FILLED_IN[route]
    return fields(bundle) if callable(fields) else fields


def json_body(route: str, bundle: Bundle) -> Fields:
    fields = SENT.get(route, {})
    return fields(bundle) if callable(fields) else fields


class FieldsOf(HTMLParser):
    """What a browser would send back of a page's forms, with nothing filled in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.held: dict[str, Any] = {}
        self.select = ""
        self.text: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attrs}
        name, kind = about.get("name", ""), about.get("type", "text")
        if tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in about:
            self.held.setdefault(self.select, []).append(about.get("value", ""))
        elif tag == "textarea" and name:
            self.text = name
            self.held[name] = ""
        elif tag == "input" and name and kind not in ("submit", "button", "file"):
            if kind not in ("checkbox", "radio"):
                self.held[name] = about.get("value", "")
            elif "checked" in about:
                self.held.setdefault(name, []).append(about.get("value", "on"))

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.held[self.text] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""
        elif tag == "textarea":
            if self.text is not None:
                self.held[self.text] = self.held[self.text].removeprefix("\n")
            self.text = None
