"""The one suggested action as a button: where in the product it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse

from programs.admin.caseload import CaseRow
from programs.models import Alert
from programs.rules.stall import ReasonCode


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    url: str
    is_contact: bool = False
    """Also for those who do no clinical work."""


ASSESS, CALL, EDIT, MOVE, ADDRESS, DISCHARGE = "assess", "call", "edit", "move", "address", "discharge"

OF_REASON: Mapping[str, str] = {
    ReasonCode.DRIFTED: ASSESS,
    ReasonCode.NO_BASELINE: ASSESS,
    ReasonCode.SILENT: CALL,
    ReasonCode.ADHERENCE_UNKNOWN: CALL,
    ReasonCode.NOT_DOING: EDIT,
    ReasonCode.RELAPSED: MOVE,
    ReasonCode.OVERLOADED: EDIT,
    ReasonCode.FLARE: CALL,
    ReasonCode.UNDER_LOADED: MOVE,
    ReasonCode.DEFICIT_UNTREATED: EDIT,
    ReasonCode.ADHERENT_BUT_FLAT: ASSESS,
    ReasonCode.REASSESS: ASSESS,
    ReasonCode.RESTART_OR_DISCHARGE: DISCHARGE,
}
OF_ALERT: Mapping[str, str] = {
    Alert.Kind.WORSENING: ASSESS,
    Alert.Kind.DRIFT: ASSESS,
    Alert.Kind.SILENT: CALL,
    Alert.Kind.OVERLOAD: EDIT,
    Alert.Kind.STALL: ASSESS,
}


def next_step(row: CaseRow) -> Step | None:
    """The button of the action that the case's reason suggests; None where there is nothing to do.

    A red flag has its own, in the banner on top.
    """
    if row.red_flag or not row.action or row.verdict is None or not row.episode.is_open:
        return None
    if row.verdict.reason:
        slow = row.verdict.reason == ReasonCode.ADHERENT_BUT_FLAT and row.verdict.trend == "slow"
        kind = MOVE if slow else OF_REASON.get(row.verdict.reason)
        if kind == CALL and row.episode.patient.email_bounced_at:
            kind = ADDRESS
    else:
        kind = OF_ALERT.get(row.alert.kind) if row.alert else None
    return _step(kind, row)


def _step(kind: str | None, row: CaseRow) -> Step | None:
    episode, program = row.episode, row.program
    if kind == ASSESS:
        return Step("Record assessment", f"{reverse('admin:patients_assessment_add')}?episode={episode.pk}")
    if kind == CALL:
        return Step("Log the call", _do("log-contact", episode.pk), is_contact=True)
    if kind == ADDRESS:
        url = reverse("admin:patients_patient_contact", args=[episode.patient_id])
        return Step("Correct the address", url, is_contact=True)
    if kind == DISCHARGE:
        return Step("Discharge", _do("discharge", episode.pk))
    if program is not None and kind == EDIT:
        return Step("Change the program", reverse("admin:programs_program_change", args=[program.pk]))
    if program is not None and kind == MOVE:
        return Step("Move the stage", _do("move-stage", program.pk))
    return None


def _do(name: str, pk: object) -> str:
    return reverse("admin:do", args=[name, pk])
