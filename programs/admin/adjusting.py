"""A program fitted to one person: its page, and sending or discarding what was prepared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from clinic.admin.actions import leading_back, way_back
from clinic.admin.base import rows_where
from clinic.admin.forms import dress, text_area
from clinic.errors import FieldError
from clinic.models import User
from clinic.roles import Capability
from clinic.thresholds import PolicyError
from programs.admin.caseload import page_url
from programs.admin.program_acts import ProgramAct
from programs.models import Exercise, Program, ProgramDose, ProgramStage
from programs.rules.differences import Change, Difference
from programs.rules.matching import Covered
from programs.services import adjust, assign, cases
from programs.services.coverage import REASON_LENGTH, coverage

GREENS = "greens_to_progress"
CANDIDATES = 3


class DoseForm(forms.ModelForm):
    class Meta:
        model = ProgramDose
        fields = adjust.DOSE_COLUMNS
        labels = {
            "reps_low": "Reps",
            "reps_high": "to",
            "seconds_low": "Seconds",
            "seconds_high": "to",
            "times_per_week": "A week",
            "per_side": "Each side",
            "note": "Load, note",
        }


class StageForm(forms.ModelForm):
    class Meta:
        model = ProgramStage
        fields = adjust.STAGE_COLUMNS
        labels = {"min_days": "At least (days)", "max_weeks": "At most (weeks)"}
        widgets = {"goal": text_area(2), "advice": text_area(4)}
        help_texts = {"min_days": "", "max_weeks": ""}


class ProgramForm(forms.ModelForm):
    class Meta:
        model = Program
        fields = adjust.PROGRAM_COLUMNS
        labels = {"strength_per_week": "Strength, days a week"}


class GreensForm(forms.Form):
    greens = forms.IntegerField(label="Green sessions in a row", min_value=1, max_value=10)


@dataclass(slots=True)
class DoseRow:
    """An exercise of a stage as the page shows it."""

    dose: ProgramDose
    form: DoseForm
    easier: Exercise | None
    harder: Exercise | None
    difference: Difference | None

    @property
    def is_added(self) -> bool:
        return self.difference is not None and self.difference.change in (Change.ADDED, Change.REPLACED)


@dataclass(slots=True)
class StageBlock:
    stage: ProgramStage
    form: StageForm
    rows: list[DoseRow] = field(default_factory=list)
    taken_out: list[ProgramDose] = field(default_factory=list)


@dataclass(slots=True)
class Refusal:
    """A form that was sent and not taken, by the name it has on the page; or a text for the top."""

    form: forms.BaseForm | None = None
    text: str = ""


def open_programs(user: User) -> QuerySet[Any]:
    """Those that the user may adjust: drafts and running ones."""
    programs = Program.with_drafts.filter(ended_on=None)
    rows: QuerySet[Any] = rows_where(user, Capability.WRITE_CLINICAL, programs)
    return rows.select_related("episode__patient", "episode__clinic__policy", "clinic", "template")


def adjust_url(program: Program) -> str:
    return reverse("admin:adjust", args=[program.pk])


def adjust_page(request: HttpRequest, pk: int, site: admin.AdminSite) -> HttpResponse:
    """Look at the program and change it, one change a request; what was changed is where the page opens."""
    user = request.user
    if not isinstance(user, User) or not user.may(Capability.WRITE_CLINICAL):
        raise PermissionDenied
    program = open_programs(user).filter(pk=pk).first()
    if program is None:
        raise Http404
    refusal, back = Refusal(), way_back(request)
    if request.method == "POST":
        done = _change(request, program, user, refusal)
        if done is not None:
            return HttpResponseRedirect(leading_back(adjust_url(program), back) + done)
    context = {
        **site.each_context(request),
        **_context(program, user, refusal),
        "back_url": back,
        "back": leading_back("", back),
    }
    return TemplateResponse(request, "admin/programs/adjust.html", context)


def _change(request: HttpRequest, program: Program, user: User, refusal: Refusal) -> str | None:
    """Make the one change that was asked for; where on the page it is, or None with ``refusal`` filled in."""
    act, _, number = request.POST.get("act", "").partition(":")
    if act not in CHANGES:
        raise Http404
    try:
        with transaction.atomic():
            return CHANGES[act](_Asked(request, program, user, number, refusal))
    except ValidationError as error:
        refusal.text = " ".join(error.messages)
    except PolicyError as error:
        refusal.text = error.message
    except FieldError as error:
        refusal.text = error.message
    return None


@dataclass(slots=True)
class _Asked:
    """One change as it was asked for; ``number`` names the row."""

    request: HttpRequest
    program: Program
    by: User
    number: str
    refusal: Refusal

    def dose(self) -> ProgramDose:
        rows = ProgramDose.objects.filter(stage__program=self.program)
        found: ProgramDose = self._one(rows.select_related("exercise", "stage"))
        return found

    def stage(self) -> ProgramStage:
        found: ProgramStage = self._one(self.program.stages.all())
        return found

    def exercise(self) -> Exercise:
        usable = Exercise.objects.usable_by(self.program.clinic_id)
        found: Exercise = self._one(usable, self.request.POST.get("exercise", ""))
        return found

    def _one(self, rows: QuerySet[Any], key: str | None = None) -> Any:
        key = self.number if key is None else key
        row = rows.filter(pk=key).first() if key.isdecimal() and len(key) < 19 else None
        if row is None:
            raise adjust.AdjustError("exercise", "Choose an exercise.")
        return row

    def values(self, form: forms.BaseForm) -> dict[str, Any] | None:
        """What was filled in, if it can be taken."""
        if form.is_valid():
            return form.cleaned_data
        self.refusal.form = form
        self.refusal.text = "Not saved: " + " ".join(
            f"{form[name].label}: {error}" for name, errors in form.errors.items() for error in errors
        )
        return None


def _neighbour(asked: _Asked, which: str) -> str:
    dose = asked.dose()
    slug = getattr(dose.exercise, which)
    other = adjust.neighbours([dose], asked.program.clinic_id).get(slug)
    if other is None:
        raise adjust.AdjustError("exercise", f"The library has nothing {which} than {dose.exercise}.")
    return f"#dose-{adjust.replace_exercise(dose=dose, exercise=other, by=asked.by).pk}"


def _replace(asked: _Asked) -> str:
    entered = adjust.replace_exercise(dose=asked.dose(), exercise=asked.exercise(), by=asked.by)
    return f"#dose-{entered.pk}"


def _add(asked: _Asked) -> str:
    entered = adjust.add_exercise(stage=asked.stage(), exercise=asked.exercise(), by=asked.by)
    return f"#dose-{entered.pk}"


def _take_out(asked: _Asked) -> str:
    return f"#stage-{adjust.take_out(dose=asked.dose(), by=asked.by).stage_id}"


def _put_back(asked: _Asked) -> str:
    return f"#dose-{adjust.put_back(dose=asked.dose(), by=asked.by).pk}"


def _move(asked: _Asked, up: bool) -> str:
    dose = asked.dose()
    adjust.move_exercise(dose=dose, up=up, by=asked.by)
    return f"#dose-{dose.pk}"


def _dose(asked: _Asked) -> str | None:
    dose = asked.dose()
    form = DoseForm(asked.request.POST, instance=dose, prefix=f"dose-{dose.pk}")
    values = asked.values(form)
    if values is None:
        return None
    return f"#dose-{adjust.change_dose(dose=dose, by=asked.by, values=values).pk}"


def _stage(asked: _Asked) -> str | None:
    stage = asked.stage()
    form = StageForm(asked.request.POST, instance=stage, prefix=f"stage-{stage.pk}")
    values = asked.values(form)
    if values is None:
        return None
    return f"#stage-{adjust.change_stage(stage=stage, by=asked.by, values=values).pk}"


def _program(asked: _Asked) -> str | None:
    values = asked.values(ProgramForm(asked.request.POST, instance=asked.program, prefix="program"))
    if values is None:
        return None
    adjust.change_program(program=asked.program, by=asked.by, values=values)
    return "#settings"


def _greens(asked: _Asked) -> str | None:
    values = asked.values(GreensForm(asked.request.POST))
    if values is None:
        return None
    episode = asked.program.episode
    own = {**episode.policy_overrides, GREENS: values["greens"]}
    cases.set_case_policy(episode=episode, by=asked.by, values=own, now=timezone.now())
    return "#settings"


def _reasons(asked: _Asked) -> str:
    given = {
        name.removeprefix("reason_"): str(text)
        for name, text in asked.request.POST.items()
        if name.startswith("reason_")
    }
    adjust.give_reasons(program=asked.program, by=asked.by, reasons=given)
    return "#coverage"


CHANGES: dict[str, Callable[[_Asked], str | None]] = {
    "easier": lambda asked: _neighbour(asked, "easier"),
    "harder": lambda asked: _neighbour(asked, "harder"),
    "replace": _replace,
    "add": _add,
    "out": _take_out,
    "back": _put_back,
    "up": lambda asked: _move(asked, up=True),
    "down": lambda asked: _move(asked, up=False),
    "dose": _dose,
    "stage": _stage,
    "program": _program,
    "greens": _greens,
    "reasons": _reasons,
}


def _context(program: Program, user: User, refusal: Refusal) -> dict[str, Any]:
    program = open_programs(user).get(pk=program.pk)  # as it is stored, not as a form left it
    found = adjust.differences(program)
    library = list(Exercise.objects.usable_by(program.clinic_id))
    blocks = _blocks(program, found, refusal)
    covered = coverage(program=program)
    return {
        "title": "Adjust the program",
        "program": program,
        "episode": program.episode,
        "page_url": page_url(program.episode),
        "blocks": blocks,
        "library": _by_kind(library),
        "differences": found,
        "covered": [(row, _candidates(row, library, blocks)) for row in covered],
        "open_deficits": [row for row in covered if row.is_open],
        "reason_length": REASON_LENGTH,
        "running": program.episode.programs.active().exclude(pk=program.pk).first(),
        "form": _dressed(_kept(refusal, "program") or ProgramForm(instance=program, prefix="program")),
        "greens": program.thresholds.greens_to_progress,
        "refused": refusal.text,
    }


def _blocks(program: Program, found: Sequence[Difference], refusal: Refusal) -> list[StageBlock]:
    stages = list(program.stages.prefetch_related("doses__exercise"))
    doses = [dose for stage in stages for dose in stage.doses.all()]
    others = adjust.neighbours(doses, program.clinic_id)
    differing = {difference.key: difference for difference in found if difference.key}
    blocks = []
    for stage in stages:
        prefix = f"stage-{stage.pk}"
        block = StageBlock(
            stage, _dressed(_kept(refusal, prefix) or StageForm(instance=stage, prefix=prefix))
        )
        for dose in stage.doses.all():
            if not dose.is_active:
                block.taken_out.append(dose)
                continue
            prefix = f"dose-{dose.pk}"
            block.rows.append(
                DoseRow(
                    dose,
                    _dressed(_kept(refusal, prefix) or DoseForm(instance=dose, prefix=prefix)),
                    others.get(dose.exercise.easier),
                    others.get(dose.exercise.harder),
                    differing.get(dose.pk),
                )
            )
        blocks.append(block)
    return blocks


def _kept(refusal: Refusal, prefix: str) -> Any:
    """The form as it was filled in, if it is the one that was not taken."""
    form = refusal.form
    return form if form is not None and form.prefix == prefix else None


def _dressed(form: Any) -> Any:
    dress(form)
    return form


def _by_kind(library: Iterable[Exercise]) -> list[tuple[str, list[Exercise]]]:
    found: dict[str, list[Exercise]] = {}
    for exercise in library:
        found.setdefault(exercise.get_kind_display(), []).append(exercise)
    return sorted(found.items())


def _candidates(
    row: Covered, library: Iterable[Exercise], blocks: Sequence[StageBlock]
) -> list[tuple[Exercise, ProgramStage]]:
    """For a deficit without an exercise: what the library has for it, each for the first stage."""
    if row.has_exercise or not blocks:
        return []
    suited = [exercise for exercise in library if row.group in exercise.strengthens]
    suited.sort(key=lambda exercise: (len(exercise.muscle_groups), exercise.name))
    return [(exercise, blocks[0].stage) for exercise in suited[:CANDIDATES]]


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
