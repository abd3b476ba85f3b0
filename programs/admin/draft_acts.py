"""A program that is prepared: the last look before it is sent, or it is discarded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Prefetch, QuerySet

from clinic.admin.forms import text_area
from clinic.models import User
from patients.models import Patient
from programs.admin.adjusting.page import open_programs
from programs.admin.program_acts import ProgramAct
from programs.models import Program, ProgramDose
from programs.rules.caseload import Way
from programs.services import adjust, assign
from programs.services.coverage import REASON_LENGTH, coverage
from programs.services.invitations import way_of

UNSEEN: Mapping[Way, str] = {
    Way.NOT_INVITED: "{patient} has no account yet and was never invited",
    Way.RAN_OUT: "{patient} has no account, and the last invitation ran out unopened",
    Way.ADDRESS_CHANGED: "{patient} has no way into the app since their e-mail address was changed",
    Way.NO_ADDRESS: "{patient} has no account, and no e-mail address to be invited at",
    Way.BOUNCED: "{patient} has no account, and e-mail to {patient.email} bounces",
}


class DraftAct(ProgramAct):
    """An action on a program that is prepared and not sent."""

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        return open_programs(user).filter(is_draft=True)

    def about(self) -> str:
        return f"{self.target.episode.patient}, {self.target}"


class SendProgram(DraftAct):
    """The last look: what the patient gets, and why a deficit stays without an exercise."""

    title = "Send to the patient"
    submit = "Send to the patient"
    template = "admin/programs/send.html"

    started_on = forms.DateField(label="Starts on", help_text="Today or earlier.")
    fair_trial_reason = forms.CharField(
        label="New fair trial, because",
        max_length=300,
        required=False,
        widget=text_area(2),
        help_text=(
            "Only if the stall clock is to start again, once per case. Otherwise leave it empty: "
            "the clock goes on."
        ),
    )

    def prepare(self) -> None:
        self.initial.setdefault("started_on", self.today.isoformat())
        self.covered = coverage(program=self.target)
        patient = self.target.episode.patient
        self.way = way_of(patient, self.now)
        if self.way in (Way.NOT_INVITED, Way.RAN_OUT, Way.ADDRESS_CHANGED):
            self.fields["invite"] = forms.BooleanField(
                label=f"Invite {patient.given_name} now",
                required=False,
                initial=True,
                help_text=f"An e-mail to {patient.email} with the way into the app, good for 14 days.",
            )
        if not self.target.episode.programs.exists():
            del self.fields["fair_trial_reason"]
        for row in self.covered:
            if not row.has_exercise:
                self.fields[f"reason_{row.group}"] = forms.CharField(
                    label=f"{row.group.label}: untreated, because",
                    max_length=REASON_LENGTH,
                    required=False,
                    initial=row.reason,
                    widget=text_area(2),
                    help_text=f"{'; '.join(row.deficits)}. No exercise targets it.",
                )

    def context(self) -> dict[str, Any]:
        given = ProgramDose.objects.filter(is_active=True).select_related("exercise")
        return {
            "program": self.target,
            "unseen": UNSEEN.get(self.way, "").format(patient=self.target.episode.patient),
            "unreached": self.way is Way.UNREACHED,
            "no_address": self.way in (Way.NO_ADDRESS, Way.BOUNCED),
            "covered": self.covered,
            "differences": adjust.differences(self.target),
            "running": self.target.episode.programs.active().first(),
            "stages": self.target.stages.prefetch_related(Prefetch("doses", given)),
        }

    def perform(self) -> str:
        reasons = {
            name.removeprefix("reason_"): text
            for name, text in self.cleaned_data.items()
            if name.startswith("reason_")
        }
        program = assign.send_program(
            program=self.target,
            by=self.by,
            now=self.now,
            today=self.today,
            started_on=self.cleaned_data["started_on"],
            fair_trial_reason=self.cleaned_data.get("fair_trial_reason", ""),
            reasons=reasons,
            invite=self.cleaned_data.get("invite", False),
        )
        patient = Patient.objects.get(pk=program.episode.patient_id)
        return _came_of(program, patient, way_of(patient, self.now), invited=self.cleaned_data.get("invite"))


def _came_of(program: Program, patient: Patient, way: Way, *, invited: bool) -> str:
    """What the patient can see of it by now."""
    if patient.user_id is not None:
        return f"{program} is with {patient} now."
    if invited:
        return f"{program} is sent, and so is the invitation: {patient} sees it once that is opened."
    if way is Way.OPEN:
        return f"{program} is sent. {patient} was invited, and sees it once the invitation is opened."
    return f"{program} is sent, but {patient} cannot see it yet: there is no account and no open invitation."


class Discard(DraftAct):
    title = "Discard the prepared program"
    submit = "Discard"
    danger = True
    intro = "The patient has not seen it. A running program goes on as it is."

    def perform(self) -> str:
        assign.discard_draft(program=self.target, by=self.by)
        return "Discarded."
