"""What can be changed on the page of a program, one change a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils import timezone

from clinic.errors import FieldError
from clinic.models import User
from clinic.thresholds import PolicyError
from patients.models import Episode
from programs.admin.adjusting.forms import DoseForm, GreensForm, ProgramForm, StageForm
from programs.models import Exercise, Program, ProgramDose, ProgramStage
from programs.services import adjust, cases

GREENS = "greens_to_progress"


@dataclass(slots=True)
class Refusal:
    """A form that was sent and not taken, by the name it has on the page; or a text for the top."""

    form: forms.BaseForm | None = None
    text: str = ""

    def of_service(self, error: FieldError) -> None:
        self.text = error.message
        if self.form is not None and error.field in self.form.fields:
            self.form.add_error(error.field, error.message)


def make_change(request: HttpRequest, program: Program, user: User, refusal: Refusal) -> str | None:
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
        refusal.of_service(error)
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
        """What was changed on the page, if it can be taken."""
        self.refusal.form = form
        if form.is_valid():
            return {name: form.cleaned_data[name] for name in form.changed_data}
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


def _change_dose(asked: _Asked) -> str | None:
    dose = asked.dose()
    form = DoseForm(asked.request.POST, instance=dose, prefix=f"dose-{dose.pk}")
    values = asked.values(form)
    if values is None:
        return None
    return f"#dose-{adjust.change_dose(dose=asked.dose(), by=asked.by, values=values).pk}"


def _change_stage(asked: _Asked) -> str | None:
    stage = asked.stage()
    form = StageForm(asked.request.POST, instance=stage, prefix=f"stage-{stage.pk}")
    values = asked.values(form)
    if values is None:
        return None
    return f"#stage-{adjust.change_stage(stage=asked.stage(), by=asked.by, values=values).pk}"


def _change_program(asked: _Asked) -> str | None:
    values = asked.values(ProgramForm(asked.request.POST, instance=asked.program, prefix="program"))
    if values is None:
        return None
    adjust.change_program(program=asked.program, by=asked.by, values=values)
    return "#settings"


def _change_greens(asked: _Asked) -> str | None:
    values = asked.values(GreensForm(asked.request.POST))
    if values is None:
        return None
    case = Episode.objects.select_for_update(no_key=True).get(pk=asked.program.episode_id)
    own = {**case.policy_overrides, GREENS: values["greens"]}
    cases.set_case_policy(episode=case, by=asked.by, values=own, now=timezone.now())
    return "#settings"


def _give_reasons(asked: _Asked) -> str:
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
    "dose": _change_dose,
    "stage": _change_stage,
    "program": _change_program,
    "greens": _change_greens,
    "reasons": _give_reasons,
}
