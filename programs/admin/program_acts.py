"""What is done to a running program."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet

from clinic.admin.actions import Act
from clinic.admin.forms import text_area
from clinic.models import User
from clinic.roles import Capability
from programs.admin.caseload import page_url
from programs.models import Pause, Program
from programs.services import assign, plan
from programs.services.gates import gate


class ProgramAct(Act):
    """An action on a program; today is the patient's."""

    model = Program
    needs = Capability.WRITE_CLINICAL

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        return super().rows(user).select_related("episode__patient", "episode__clinic__policy", "clinic")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.target.episode.patient.timezone)

    def about(self) -> str:
        return f"{self.target.episode.patient}, {self.target}, stage {self.target.current_stage}"

    def next_url(self) -> str:
        return page_url(self.target.episode)


class MoveStage(ProgramAct):
    title = "Move to another stage"
    submit = "Move"
    template = "admin/programs/move_stage.html"

    to_stage = forms.TypedChoiceField(label="To", choices=[], coerce=int)
    override_reason = forms.CharField(
        label="Why, in spite of what is not met",
        max_length=300,
        required=False,
        widget=text_area(),
        help_text="Needed only to move on past criteria that are not met.",
    )

    def prepare(self) -> None:
        here = self.target.current_stage
        stages = self.target.stages.filter(number__lte=here + 1).exclude(number=here).order_by("-number")
        choices = [
            (stage.number, f"{'On to' if stage.number > here else 'Back to'} {stage}") for stage in stages
        ]
        self.fields["to_stage"].choices = choices  # type: ignore[attr-defined]

    def context(self) -> dict[str, Any]:
        has_next = self.target.stages.filter(number=self.target.current_stage + 1).exists()
        usable = has_next and self.target.is_active
        return {"gate": gate(program=self.target, today=self.today) if usable else None}

    def perform(self) -> str:
        move = plan.move_stage(program=self.target, by=self.by, today=self.today, **self.cleaned_data)
        return f"Now in stage {move.to_stage}."


class PauseProgram(ProgramAct):
    title = "Pause the program"
    submit = "Pause"
    intro = (
        "Holiday or illness: these days do not count, and no check-in is asked. A flare is no pause. "
        "Leave the first day back empty if it is not known yet."
    )

    kind = forms.ChoiceField(choices=Pause.Kind.choices)
    starts_on = forms.DateField(label="From")
    ends_on = forms.DateField(label="First day back", required=False)
    note = forms.CharField(max_length=300, required=False)

    def prepare(self) -> None:
        self.initial.setdefault("starts_on", self.today.isoformat())

    def perform(self) -> str:
        plan.pause(program=self.target, by=self.by, now=self.now, **self.cleaned_data)
        return "The program is paused."


class Resume(ProgramAct):
    title = "Resume the program"
    submit = "Resume"

    on = forms.DateField(label="First day back")

    def prepare(self) -> None:
        self.initial.setdefault("on", self.today.isoformat())

    def perform(self) -> str:
        plan.resume(program=self.target, by=self.by, now=self.now, **self.cleaned_data)
        return "The program goes on."


class FairTrial(ProgramAct):
    title = "Declare a new fair trial"
    submit = "Restart the clock"
    intro = (
        "The stall clock starts again on that day, once per case. Success is still measured from the case's "
        "baseline, and 12 weeks without it always ask for a re-assessment."
    )

    on = forms.DateField(label="From")
    reason = forms.CharField(max_length=300, widget=text_area())

    def prepare(self) -> None:
        self.initial.setdefault("on", self.today.isoformat())

    def perform(self) -> str:
        plan.declare_fair_trial(program=self.target, by=self.by, now=self.now, **self.cleaned_data)
        return "The clock starts again."


class Wake(ProgramAct):
    title = "Wake the imported program"
    submit = "Wake it"
    intro = "From now on the patient is asked for check-ins, and alerts open."

    def perform(self) -> str:
        assign.wake(program=self.target, by=self.by, now=self.now, today=self.today)
        return "The program is awake."
