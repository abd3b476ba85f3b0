"""What is done to a running program."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db import transaction
from django.db.models import QuerySet

from clinic.admin.actions import Act
from clinic.admin.forms import text_area
from clinic.models import User
from clinic.roles import Capability
from patients.vocabulary import RunningTrack
from programs.admin.caseload import page_url
from programs.admin.load import criteria_rows, running_card
from programs.admin.wording import PROPOSALS
from programs.models import Pause, Program
from programs.rules.progression import LADDER, Terrain, next_terrain
from programs.services import assign, pauses, plan, proposals, running
from programs.services.gates import gate, load


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
        label="Why",
        max_length=300,
        required=False,
        widget=text_area(),
        help_text="Needed to move on past criteria that are not met; kept with the move.",
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
        verdict = gate(program=self.target, today=self.today) if usable else None
        return {"gate": verdict, "criteria": criteria_rows(verdict) if verdict else []}

    def perform(self) -> str:
        move = plan.move_stage(
            program=self.target, by=self.by, now=self.now, today=self.today, **self.cleaned_data
        )
        return f"Now in stage {move.to_stage}."


class ApplyProposal(ProgramAct):
    """What the 24-hour pain rule proposes for strength work, in full; the patient page has it as a button."""

    title = "Progress, hold or ease"
    submit = "Do it"
    template = "admin/programs/proposal.html"

    expected = forms.CharField(widget=forms.HiddenInput)
    note = forms.CharField(max_length=200, required=False, help_text="Kept with the step.")

    def prepare(self) -> None:
        still = not self.target.is_active or self.target.holds.filter(cleared_at=None).exists()
        self.found = None if still else proposals.proposed(program=self.target, today=self.today)
        self.initial.setdefault("expected", self.found.key if self.found else "none")

    def context(self) -> dict[str, Any]:
        badge = PROPOSALS[self.found.proposal] if self.found else None
        return {"proposed": self.found, "badge": badge}

    def perform(self) -> str:
        done = proposals.apply_proposal(
            program=self.target, by=self.by, now=self.now, today=self.today, **self.cleaned_data
        )
        return f"{done}."


class ChangeRunning(ProgramAct):
    """A step of the ladder, a lock or the track; the patient page has the proposal as a button."""

    title = "Running"
    submit = "Change it"
    template = "admin/programs/change_running.html"
    renamed = {"to_step": "to", "track": "to", "terrain": "to"}

    to = forms.ChoiceField(label="Change to")
    reason = forms.CharField(
        label="Why",
        max_length=300,
        required=False,
        widget=text_area(),
        help_text="Needed for another track, and for what is not proposed. Less than proposed needs none.",
    )

    def prepare(self) -> None:
        self.fields["to"].choices = running_choices(self.target)  # type: ignore[attr-defined]

    def context(self) -> dict[str, Any]:
        rows = load(self.target)
        return {"card": running_card(self.target, self.today, rows), "program": self.target}

    def perform(self) -> str:
        what, _, value = self.cleaned_data["to"].partition(":")
        shared: dict[str, Any] = {
            "program": self.target,
            "by": self.by,
            "now": self.now,
            "today": self.today,
            "reason": self.cleaned_data["reason"],
        }
        if what == "track":
            running.set_track(track=value, **shared)
            return "The running track is changed."
        if what == "lock":
            running.open_terrain(terrain=value, **shared)
            return f"{Terrain(value).label} are open now." if value != Terrain.SPEED else "Speed is open now."
        running.set_ladder_step(to_step=int(value) if what == "step" else None, **shared)
        return f"Now on step {value} of the ladder." if what == "step" else "The ladder is stopped."


def running_choices(program: Program) -> list[tuple[str, Any]]:
    """What a clinician may ask for: one step up or any down, the next lock, the other tracks."""
    track, step = program.episode.running_track, program.ladder_step
    found: list[tuple[str, Any]] = [("", "Choose")]
    if track == RunningTrack.STOPPED:
        steps = [s for s in LADDER if s.number <= (step or 0) + 1 and s.number != step]
        found += [(f"step:{s.number}", f"Step {s.number}: {s.text}") for s in reversed(steps)]
        found += [("stop", "Stop the ladder until symptom-free")] if step else []
    following = next_terrain(running.ground_of(program))
    if track == RunningTrack.STILL_RUNNING and following:
        found.append((f"lock:{following.value}", f"Open the next lock: {following.label.lower()}"))
    found += [
        (f"track:{other.value}", f"Track: {other.label.lower()}") for other in RunningTrack if other != track
    ]
    return found


class _PauseForm(ProgramAct):
    """Dates of days off. First it shows what they do; it is done once just these dates were confirmed."""

    template = "admin/programs/pause.html"
    changed: Pause | None = None

    kind = forms.ChoiceField(choices=Pause.Kind.choices)
    starts_on = forms.DateField(label="From")
    ends_on = forms.DateField(label="First day back", required=False)
    note = forms.CharField(max_length=300, required=False)
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)

    def prepare(self) -> None:
        self.initial.setdefault("starts_on", self.today.isoformat())
        self.preview: pauses.PausePreview | None = None

    @property
    def of_program(self) -> Program:
        program: Program = self.target
        return program

    def attempt(self) -> str | None:
        dates = f"{self.cleaned_data['starts_on']} to {self.cleaned_data['ends_on'] or 'open'}"
        if self.cleaned_data.pop("confirmed") == dates:
            return super().attempt()
        if self._tried() is not None:
            self.preview = pauses.preview_pause(
                program=self.of_program,
                kind=self.cleaned_data["kind"],
                starts_on=self.cleaned_data["starts_on"],
                ends_on=self.cleaned_data["ends_on"],
                now=self.now,
                changed=self.changed,
            )
            self.data = self.data.copy()
            self.data["confirmed"] = dates
        return None

    def _tried(self) -> str | None:
        """Made and undone: what can't be is refused before its effect is shown."""
        with transaction.atomic():
            done = super().attempt()
            transaction.set_rollback(True)
        return done

    def context(self) -> dict[str, Any]:
        return {"preview": self.preview}


class PauseProgram(_PauseForm):
    title = "Pause the program"
    submit = "Pause"
    intro = (
        "Holiday or illness, ahead or already begun: these days do not count, and no check-in is asked. "
        "A flare is no pause. Leave the first day back empty if it is not known yet."
    )

    def perform(self) -> str:
        plan.pause(program=self.target, by=self.by, now=self.now, **self.cleaned_data)
        return "The pause is noted."


class EditPause(_PauseForm):
    model = Pause
    title = "Change a pause"
    intro = "Other dates, or the first day back once it is known."

    @classmethod
    def rows(cls, user: User) -> QuerySet[Any]:
        rows = super(ProgramAct, cls).rows(user)
        return rows.select_related("program__episode__patient", "program__episode__clinic__policy", "clinic")

    @property
    def of_program(self) -> Program:
        program: Program = self.target.program
        return program

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.of_program.episode.patient.timezone)

    def prepare(self) -> None:
        for name in ("kind", "note"):
            self.initial.setdefault(name, getattr(self.target, name))
        self.initial.setdefault("starts_on", self.target.starts_on.isoformat())
        if self.target.ends_on:
            self.initial.setdefault("ends_on", self.target.ends_on.isoformat())
        super().prepare()
        self.changed = self.target

    def about(self) -> str:
        return f"{self.of_program.episode.patient}, {self.target}"

    def next_url(self) -> str:
        return page_url(self.of_program.episode)

    def perform(self) -> str:
        plan.change_pause(pause=self.target, by=self.by, now=self.now, **self.cleaned_data)
        return "The pause is changed."


class CancelPause(EditPause):
    title = "Take a pause back"
    submit = "Take it back"
    template = "admin/clinic/act.html"
    intro = "Its days count again, as if it had never been noted. That it was stays in the history."
    danger = True

    def prepare(self) -> None:
        self.fields.clear()

    def attempt(self) -> str | None:
        return super(_PauseForm, self).attempt()

    def context(self) -> dict[str, Any]:
        return {}

    def perform(self) -> str:
        plan.cancel_pause(pause=self.target, by=self.by, now=self.now)
        return "The pause is taken back."


class Resume(ProgramAct):
    title = "Resume the program"
    submit = "Resume"
    intro = "The clock goes on from the first day back, and check-ins are asked for again."

    on = forms.DateField(label="First day back")

    def prepare(self) -> None:
        self.initial.setdefault("on", self.today.isoformat())

    def perform(self) -> str:
        plan.resume(program=self.target, by=self.by, now=self.now, **self.cleaned_data)
        return "The program goes on."


class FairTrial(ProgramAct):
    title = "Declare a new fair trial"
    submit = "Restart the clock"
    template = "admin/programs/fair_trial.html"

    on = forms.DateField(label="From")
    reason = forms.CharField(max_length=300, widget=text_area())

    def prepare(self) -> None:
        self.initial.setdefault("on", self.today.isoformat())

    def context(self) -> dict[str, Any]:
        t = self.target.thresholds
        began = pauses.clock_started_on(self.target)
        return {
            "began": began,
            "stalling_on": self.today + timedelta(weeks=t.stalling_week),
            "stalled_on": self.today + timedelta(weeks=t.stalled_week),
            "reassess_week": t.reassess_week,
        }

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
