"""The 24-hour rule applied to stored sessions and runs, and what a light means for the patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from programs.models import Run, Session
from programs.rules.pain import Activity, Light, PainVerdict, SessionFacts, light

NEXT_MORNING = "Tell us tomorrow morning how the knee feels."
NO_MORNING_BEFORE = "Without the pain of the morning before, it can't be judged."

WORDS = {
    Light.GREEN: "Good: the knee coped with this.",
    Light.AMBER: "Stay at this level for now; do not add more yet.",
    Light.RED: "This was too much for now. Make the next one easier; tell your physio if it stays like this.",
}


@dataclass(frozen=True, slots=True)
class PatientLight:
    """A light with what it means for the patient, and the rule's reasons."""

    light: Light
    words: str
    reasons: Sequence[str]


def judge(row: Session | Run) -> PainVerdict:
    """The verdict on a stored row, by the thresholds in force for its case."""
    facts = SessionFacts(
        on=row.local_date,
        during=row.pain_during,
        before=row.pain_before,
        next_morning=row.pain_next_morning,
        activity=Activity.RUN if isinstance(row, Run) else Activity.STRENGTH,
        limping=row.limping,
        rising=row.pain_rising,
    )
    return light(facts, row.episode.thresholds)


def for_patient(row: Session | Run) -> PatientLight:
    """The verdict in the patient's words."""
    verdict = judge(row)
    reasons = [reason[:1].upper() + reason[1:] for reason in verdict.reasons]
    return PatientLight(verdict.light, _words(row, verdict), reasons)


def _words(row: Session | Run, verdict: PainVerdict) -> str:
    if verdict.light is not Light.INCOMPLETE:
        return WORDS[verdict.light]
    missing = NEXT_MORNING if row.pain_next_morning is None else NO_MORNING_BEFORE
    return f"{WORDS[Light.RED]} {missing}" if verdict.at_best is Light.RED else missing
