"""An open red flag as its banner shows it: what was reported, what the patient was told, who knows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clinic.models import OutboxMessage, User
from patients.models import Assessment, Patient
from programs.admin.wording import LEVELS
from programs.models import Alert, AlertEvent, Answer, Run, Session
from programs.services import advice, red_flags

# Where the patient's or the clinician's own words stand beside what was ticked.
_NOTES: Mapping[str, tuple[Any, str]] = {
    "answer": (Answer, "note"),
    "session": (Session, "note"),
    "run": (Run, "note"),
    "assessment": (Assessment, "red_flag_note"),
}


@dataclass(frozen=True, slots=True)
class Report:
    """One check-in, session, run or assessment (``source``, with its date): what was ticked there, and the
    words beside it.
    """

    source: str
    symptoms: list[str]
    note: str
    by_patient: bool


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail about the flag: to whom, and when it went out or what became of it."""

    to: str
    escalation: bool
    message: OutboxMessage

    @property
    def undelivered(self) -> bool:
        return self.message.bounced or self.message.state == OutboxMessage.State.DEAD


@dataclass(frozen=True, slots=True)
class RedFlag:
    """``words``: what the patient is told to do, as their app shows it; ``read``: who acknowledged, when."""

    alert: Alert
    tier: str
    reports: list[Report]
    words: str
    has_account: bool
    mails: list[Mail]
    read: Sequence[AlertEvent]

    @property
    def is_open(self) -> bool:
        return self.alert.state == Alert.State.OPEN

    @property
    def reported_by_patient(self) -> bool:
        return any(report.by_patient for report in self.reports)


def red_flag(alert: Alert, patient: Patient) -> RedFlag:
    """All that is known of the open red flag, in a fixed number of queries for any number of reports."""
    told = advice.of_patient(patient)
    acknowledged = AlertEvent.objects.filter(alert=alert, what=AlertEvent.What.ACKNOWLEDGED)
    return RedFlag(
        alert=alert,
        tier=LEVELS.get(alert.level, ""),
        reports=reports_of(alert.evidence),
        words=told.words if told else "",
        has_account=patient.user_id is not None,
        mails=_mails(alert),
        read=list(acknowledged.select_related("by")),
    )


def reports_of(evidence: Sequence[Mapping[str, Any]]) -> list[Report]:
    """The latest first, each with all its symptoms."""
    notes = _notes(evidence)
    found: dict[tuple[str, int, str], Report] = {}
    for entry in evidence:
        row, source = _row_of(entry), str(entry.get("source", ""))
        key = (*row, source)
        if key not in found:
            by_patient = row[0] in ("answer", "session", "run")
            found[key] = Report(source, [], notes.get(row, ""), by_patient)
        found[key].symptoms.append(str(entry.get("text", "")))
    return list(reversed(found.values()))


def _row_of(entry: Mapping[str, Any]) -> tuple[str, int]:
    if "assessment" in entry:
        return "assessment", entry["assessment"]
    return entry.get("kind", ""), entry.get("id", 0)


def _notes(evidence: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], str]:
    wanted: dict[str, set[int]] = {}
    for kind, pk in map(_row_of, evidence):
        wanted.setdefault(kind, set()).add(pk)
    notes = {}
    for kind, (model, field) in _NOTES.items():
        if kind in wanted:
            rows = model.objects.filter(pk__in=wanted[kind]).only("pk", field)
            notes |= {(kind, row.pk): getattr(row, field) for row in rows}
    return notes


def _mails(alert: Alert) -> list[Mail]:
    messages = list(red_flags.mails_about(alert))
    names = {user.email: str(user) for user in User.objects.filter(email__in=[m.to_email for m in messages])}
    return [
        Mail(names.get(message.to_email, message.to_email), message.kind == "escalation", message)
        for message in messages
    ]
