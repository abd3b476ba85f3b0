"""What a copy of a patient's data says in plain words: what each file holds, and what a code means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Field

from programs.rules.red_flags import Symptom

FILES: Mapping[str, str] = {
    "patients_patient": "The person: name, contact data, guardian.",
    "patients_episode": "The cases: which knee, the diagnosis, from when to when, how it ended.",
    "programs_answer": "Answers to check-ins: pain over so many days (recall_days), limping, notes.",
    "programs_run": "Runs, with the pain before, during and the morning after.",
    "programs_session": "Exercise sessions, with the pain before, during and the morning after.",
    "programs_sessionexercise": "What was done in each session, exercise by exercise.",
    "patients_assessment": "What the physio asked and found on a day.",
    "patients_addendum": "What was added to a signed assessment, as a correction.",
    "patients_assessmentdraft": "What somebody has begun to write down of an assessment.",
    "patients_outcomescore": "Scored questionnaires.",
    "patients_aggravatingactivity": "What hurts, in the patient's words.",
    "patients_flexibilitytest": "Flexibility, muscle by muscle.",
    "patients_footposture": "Foot posture.",
    "patients_movementtest": "Movement tests, such as the step-down.",
    "patients_qangle": "The angle of the knee (Q-angle).",
    "patients_strengthtest": "Strength, muscle by muscle.",
    "programs_program": "The programs: from when to when, in which stage.",
    "programs_programstage": "The stages of the programs.",
    "programs_programdose": "The exercises of each stage: how many, how often.",
    "programs_stagemove": "Moves from one stage to another.",
    "programs_pause": "Days off from a program.",
    "programs_hold": "Stops because of a warning sign, and what was found.",
    "programs_checkinrequest": "When the patient was asked how it goes, over how many days (recall_days).",
    "programs_review": "What the service worked out each day from the answers.",
    "programs_alert": "What the clinic was alerted to.",
    "programs_alertevent": "What was done about an alert.",
    "programs_relapsewatch": "Whether the clinic asks on after the discharge, and until when.",
    "programs_loaddecision": "Steps of the load: what was proposed, and what was decided.",
    "programs_letter": "Letters about the case, as they were made.",
    "programs_contactlog": "Calls and messages that the clinic wrote down.",
    "clinic_outboxmessage": "E-mails to the patient; codes and personal links are masked.",
    "patients_consent": "Which text was agreed to, and when.",
    "patients_devicetoken": "Devices that are logged in.",
    "patients_invitation": "Invitations to the app.",
    "patients_logincode": "The latest login code: when it was sent and used.",
}
"""By table; each that a copy holds is here."""

READ_BY = "who_read_the_record"

INTRO = """\
Everything stored about one patient, as of {made_at:%Y-%m-%d %H:%M} UTC.

Each file is a table that any spreadsheet opens. Its first line names the columns. Where a column holds a
short code, the one after it, "..._label", says it in words. "id" numbers the rows of a file; a column named
as another file ("program", "session") holds the id of the row there that it belongs to.
A table without a row has no file.

"""


def read_me(names: Iterable[str], made_at: Any) -> str:
    """What the files of a copy are, by the names of their tables."""
    told = {**FILES, READ_BY: "Who has read the record, when, and how it was shown."}
    return INTRO.format(made_at=made_at) + "".join(f"{name}.csv\n    {told[name]}\n" for name in names)


def meanings(field: Field[Any, Any]) -> Mapping[Any, str]:
    """What the codes of a column mean; empty where it holds none."""
    if field.name in ("red_flags", "worse_red_flags"):
        return {symptom.value: symptom.label for symptom in Symptom}
    return {code: str(label) for code, label in getattr(field, "base_field", field).flatchoices}


def label_of(field: Field[Any, Any], value: Any) -> Any:
    """A code in words, a list of codes as a list."""
    known = meanings(field)
    if isinstance(value, list):
        return [known.get(code, str(code)) for code in value]
    return known.get(value, value)
