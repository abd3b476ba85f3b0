"""What can be done about a case from the caseload: the suggested act first, the others in a small menu."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse

from clinic.admin.actions import leading_back
from clinic.models import User
from clinic.roles import Capability
from programs.admin.caseload import page_url
from programs.rules.caseload import Act, WaitingAlert
from programs.rules.stall import AlertKind
from programs.services.caseload import Line

LABELS = {
    Act.ACKNOWLEDGE: "I have read it",
    Act.CLEAR: "Clear the red flag",
    Act.REOPEN: "Re-open the case",
    Act.CALL: "Log a call",
    Act.REASSESS: "Re-assess",
    Act.CHANGE_PROGRAM: "Change the program",
    Act.MOVE_STAGE: "Move the stage",
    Act.SNOOZE: "Snooze",
    Act.RESOLVE: "Resolve",
    Act.LOOK: "Open the case",
}


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
    return [Button(act, LABELS[act], urls[act]) for act in acts if act in urls]


def _urls(line: Line, user: User) -> Iterator[tuple[Act, str]]:
    row = line.row
    case, clinic = row.episode, row.episode.clinic_id
    if user.may(Capability.WRITE_CONTACT, clinic):
        yield Act.CALL, _do("log-contact", case.pk)
    if not user.may(Capability.WRITE_CLINICAL, clinic):
        return
    alert = line.first.alert if line.first else None
    if alert is not None:
        yield from _of_alert(alert, case.pk)
    if case.is_open:
        yield Act.REASSESS, f"{reverse('admin:patients_assessment_add')}?episode={case.pk}"
    if row.program is not None and case.is_open:
        yield Act.CHANGE_PROGRAM, reverse("admin:adjust", args=[row.program.pk])
        yield Act.MOVE_STAGE, _do("move-stage", row.program.pk)


def _of_alert(alert: WaitingAlert, case: int) -> Iterator[tuple[Act, str]]:
    if not alert.acknowledged:
        yield Act.ACKNOWLEDGE, _do("acknowledge", alert.id)
    if alert.kind is AlertKind.RED_FLAG:
        yield Act.CLEAR, _do("clear", alert.id)
        return
    if alert.kind is AlertKind.RELAPSE:
        yield Act.REOPEN, _do("reopen", case)
    yield Act.SNOOZE, _do("snooze", alert.id)
    yield Act.RESOLVE, _do("resolve", alert.id)


def _do(name: str, pk: int) -> str:
    return reverse("admin:do", args=[name, pk])
