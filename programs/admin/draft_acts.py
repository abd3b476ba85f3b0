"""A program that is prepared: the last look before it is sent, or it is discarded."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Prefetch, QuerySet

from clinic.admin.forms import text_area
from clinic.models import User
from programs.admin.adjusting.page import open_programs
from programs.admin.program_acts import ProgramAct
from programs.models import ProgramDose
from programs.services import adjust, assign
from programs.services.coverage import REASON_LENGTH, coverage


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
        if not self.target.episode.programs.exists():
            del self.fields["fair_trial_reason"]
        for row in self.covered:
            if not row.has_exercise:
                self.fields[f"reason_{row.group}"] = forms.CharField(
                    label=f"{row.group.label} stay untreated, because",
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
        )
        return f"{program} is with {program.episode.patient} now."


class Discard(DraftAct):
    title = "Discard the prepared program"
    submit = "Discard"
    danger = True
    intro = "The patient has not seen it. A running program goes on as it is."

    def perform(self) -> str:
        assign.discard_draft(program=self.target, by=self.by)
        return "Discarded."
