"""What can be done about a case from the caseload: the suggested act first, the others in a small menu."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

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
    urls = dict(_urls(line, user, urlencode({"back": back})))
    suggested = line.first.act if line.first else Act.LOOK
    acts = [suggested, *(act for act in LABELS if act is not suggested)]
    return [Button(act, LABELS[act], urls[act]) for act in acts if act in urls]


def _urls(line: Line, user: User, back: str) -> Iterator[tuple[Act, str]]:
    row = line.row
    case, clinic = row.episode, row.episode.clinic_id
    yield Act.LOOK, page_url(case)
    if user.may(Capability.WRITE_CONTACT, clinic):
        yield Act.CALL, _do("log-contact", case.pk, back)
    if not user.may(Capability.WRITE_CLINICAL, clinic):
        return
    alert = line.first.alert if line.first else None
    if alert is not None:
        yield from _of_alert(alert, case.pk, back)
    if case.is_open:
        yield Act.REASSESS, f"{reverse('admin:patients_assessment_add')}?episode={case.pk}"
    if row.program is not None and case.is_open:
        change = reverse("admin:programs_program_change", args=[row.program.pk])
        yield Act.CHANGE_PROGRAM, f"{change}?{back}"
        yield Act.MOVE_STAGE, _do("move-stage", row.program.pk, back)


def _of_alert(alert: WaitingAlert, case: int, back: str) -> Iterator[tuple[Act, str]]:
    if not alert.acknowledged:
        yield Act.ACKNOWLEDGE, _do("acknowledge", alert.id, back)
    if alert.kind is AlertKind.RED_FLAG:
        yield Act.CLEAR, _do("clear", alert.id, back)
        return
    if alert.kind is AlertKind.RELAPSE:
        yield Act.REOPEN, reverse("admin:do", args=["reopen", case])  # which leads on to its program
    yield Act.SNOOZE, _do("snooze", alert.id, back)
    yield Act.RESOLVE, _do("resolve", alert.id, back)


def _do(name: str, pk: int, back: str) -> str:
    return f"{reverse('admin:do', args=[name, pk])}?{back}"
