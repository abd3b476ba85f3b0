"""The one next step as a button: the first act of the case's row on Today, or the first case."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from clinic.models import User
from clinic.roles import Capability
from patients.models import Patient
from programs.admin.caseload_acts import buttons
from programs.admin.wording import NEEDS
from programs.rules.caseload import Act, Need
from programs.services.caseload import Line


@dataclass(frozen=True, slots=True)
class Step:
    """``need`` and ``why`` say what it is for, ``action`` what is suggested."""

    label: str
    url: str
    need: str = ""
    why: str = ""
    action: str = ""


def next_step(line: Line, user: User) -> Step | None:
    """What the case needs first; None where there is nothing to do but to read, and for a red flag, which
    has its own buttons in the banner on top.
    """
    first = line.first
    if first is None or first.need is Need.RED_FLAG:
        return None
    button = next((b for b in buttons(line, user, "") if b.act is first.act and b.act is not Act.LOOK), None)
    if button is None:
        return None
    return Step(button.label, button.url, NEEDS[first.need].text, first.why.rstrip("."), first.action)


def first_case(patient: Patient, user: User) -> Step | None:
    """Of a patient without a case."""
    if not user.may(Capability.WRITE_CLINICAL, patient.clinic_id):
        return None
    return Step("Open a new case", reverse("admin:do", args=["new-case", patient.pk]))
