"""What can be done about a case from the caseload: the suggested act first, the others in a small menu."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse

from clinic.admin.actions import leading_back
from clinic.models import User
from clinic.roles import Capability
from programs.admin.caseload import page_url
from programs.rules.caseload import Act, Needed, WaitingAlert
from programs.rules.stall import AlertKind
from programs.services.caseload import Line

LABELS = {
    Act.ACKNOWLEDGE: "I have read it",
    Act.CLEAR: "Clear the red flag",
    Act.REOPEN: "Re-open the case",
    Act.ASSESS: "Record assessment",
    Act.MATCH: "Match a program",
    Act.SEND: "Look and send",
    Act.INVITE: "Invite",
    Act.CORRECT_ADDRESS: "Correct the address",
    Act.RESUME: "Resume",
    Act.CALL: "Log a call",
    Act.REASSESS: "Re-assess",
    Act.CHANGE_PROGRAM: "Change the program",
    Act.MOVE_STAGE: "Move the stage",
    Act.SNOOZE: "Snooze",
    Act.RESOLVE: "Resolve",
    Act.DISCHARGE: "Discharge",
    Act.LOOK: "Open the case",
}
NO_ADDRESS = "Add an e-mail address"


@dataclass(frozen=True, slots=True)
class Button:
    act: Act
    label: str
    url: str

    @property
    def is_red(self) -> bool:
        return self.act is Act.CLEAR

    @property
    def is_loud(self) -> bool:
        """To open a case is nothing that anybody waits for."""
        return self.act is not Act.LOOK


def buttons(line: Line, user: User, back: str) -> list[Button]:
    """The suggested act first; only what the user may do to this case as it is. ``back``: where one was."""
    urls = {act: leading_back(url, back) for act, url in _urls(line, user)}
    urls[Act.LOOK] = page_url(line.row.episode)
    suggested = line.first.act if line.first else Act.LOOK
    acts = [suggested, *(act for act in LABELS if act is not suggested)]
    return [Button(act, _label(act, line), urls[act]) for act in acts if act in urls]


def _label(act: Act, line: Line) -> str:
    to_add = act is Act.CORRECT_ADDRESS and not line.row.episode.patient.email
    return NO_ADDRESS if to_add else LABELS[act]


def _urls(line: Line, user: User) -> Iterator[tuple[Act, str]]:
    case, clinic = line.row.episode, line.row.episode.clinic_id
    if user.may(Capability.WRITE_CONTACT, clinic):
        yield from _of_contact(line)
    if not user.may(Capability.WRITE_CLINICAL, clinic):
        return
    if line.first and line.first.alert:
        yield from _of_alert(line.first, line.first.alert, case.pk)
    if case.is_open:
        assess = Act.ASSESS if line.first and line.first.act is Act.ASSESS else Act.REASSESS
        yield assess, f"{reverse('admin:patients_assessment_add')}?episode={case.pk}"
        yield from _of_plan(line)


def _of_contact(line: Line) -> Iterator[tuple[Act, str]]:
    case, patient = line.row.episode, line.row.episode.patient
    yield Act.CALL, _do("log-contact", case.pk)
    if patient.email_bounced_at or not patient.email:
        yield Act.CORRECT_ADDRESS, reverse("admin:patients_patient_contact", args=[patient.pk])
    if any(needed.act is Act.INVITE for needed in line.needs):
        yield Act.INVITE, _do("invite", patient.pk)


def _of_plan(line: Line) -> Iterator[tuple[Act, str]]:
    """Of an open case. A hold leaves the program's stage alone, and a red flag every new program."""
    row, program = line.row, line.row.program
    if program is None and not row.red_flag:
        if line.draft is not None:
            yield Act.SEND, _do("send", line.draft)
        elif line.assessment is not None:
            yield Act.MATCH, reverse("admin:suggestions", args=[line.assessment])
    if program is not None:
        yield Act.CHANGE_PROGRAM, reverse("admin:adjust", args=[program.pk])
        if not row.on_hold:
            yield Act.MOVE_STAGE, _do("move-stage", program.pk)
        if row.pause is not None:
            yield Act.RESUME, _do("resume", program.pk)
    suggested = {needed.act for needed in line.needs}
    if suggested & {Act.RESUME, Act.DISCHARGE}:
        yield Act.DISCHARGE, _do("discharge", row.episode.pk)


def _of_alert(needed: Needed, alert: WaitingAlert, case: int) -> Iterator[tuple[Act, str]]:
    if not alert.acknowledged:
        yield Act.ACKNOWLEDGE, _do("acknowledge", alert.id)
    if alert.kind is AlertKind.RED_FLAG:
        yield Act.CLEAR, _do("clear", alert.id)
        return
    if needed.act is Act.REOPEN:
        yield Act.REOPEN, _do("reopen", case)
    yield Act.SNOOZE, _do("snooze", alert.id)
    yield Act.RESOLVE, _do("resolve", alert.id)


def _do(name: str, pk: object) -> str:
    return reverse("admin:do", args=[name, pk])
