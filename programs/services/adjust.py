"""Adjust a program to the person, a draft or the running one: exercises, doses, stages, gates, reasons.

Each change is one call; the template stays as it is. An exercise taken out stays on record, to be put back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from clinic.errors import FieldError
from clinic.models import User
from clinic.roles import Capability, require
from patients.models import Episode
from programs.models import Dose, Exercise, Program, ProgramDose, ProgramStage, Template
from programs.rules.differences import Difference, PlanDose, PlanStage
from programs.rules.differences import differences as compare
from programs.services.assign import DOSE_FIELDS
from programs.services.coverage import write_reasons
from programs.services.due import review_at_once

STAGE_COLUMNS = ("name", "goal", "advice", "min_days", "max_weeks")
DOSE_COLUMNS = tuple(name for name in DOSE_FIELDS if name not in ("position", "source"))
PROGRAM_COLUMNS = ("name", "strength_per_week")

# Our default for an exercise that no template of the clinic doses.
USUAL_SETS, USUAL_REPS, USUAL_SECONDS = 3, 10, 30
HELD = (Exercise.Kind.ISOMETRIC, Exercise.Kind.STRETCH)


class AdjustError(FieldError):
    """The program cannot be changed like that."""


@transaction.atomic
def add_exercise(*, stage: ProgramStage, exercise: Exercise, by: User) -> ProgramDose:
    """Put the exercise at the end of the stage, dosed as the library doses it.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AdjustError: ended, not in the clinic's library, or in this stage already.
    """
    program = _lock(stage.program_id, by)
    last = stage.doses.order_by("-position").first()
    return _enter(program, stage, exercise, last.position + 1 if last else 1)


@transaction.atomic
def take_out(*, dose: ProgramDose, by: User) -> ProgramDose:
    """Take the exercise out of its stage; ``put_back`` undoes it. Raises Denied, AdjustError."""
    return _switch(dose, by, on=False)


@transaction.atomic
def put_back(*, dose: ProgramDose, by: User) -> ProgramDose:
    """Undo ``take_out``. Raises Denied, AdjustError."""
    return _switch(dose, by, on=True)


@transaction.atomic
def replace_exercise(*, dose: ProgramDose, exercise: Exercise, by: User) -> ProgramDose:
    """Another exercise in its place, such as the easier or harder one, dosed as the library doses it.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AdjustError: ended, taken out, not in the clinic's library, or in this stage already.
    """
    program = _lock(dose.stage.program_id, by)
    dose.refresh_from_db()
    if not dose.is_active:
        raise AdjustError("exercise", f"{dose.exercise} was taken out of this stage.")
    entered = _enter(program, dose.stage, exercise, dose.position)
    dose.is_active = False
    dose.save(update_fields=["is_active"])
    return entered


@transaction.atomic
def change_dose(*, dose: ProgramDose, by: User, values: Mapping[str, Any]) -> ProgramDose:
    """Sets, repetitions or seconds, sides, times a week, tempo, note.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AdjustError: ended, or a field that is none of a dose.
        ValidationError: a value out of its range, by field.
    """
    _lock(dose.stage.program_id, by)
    dose.refresh_from_db()
    _change(dose, DOSE_COLUMNS, values)
    return dose


@transaction.atomic
def move_exercise(*, dose: ProgramDose, up: bool, by: User) -> None:
    """One place up or down among the exercises of its stage; at the end it stays.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AdjustError: ended, or taken out.
    """
    _lock(dose.stage.program_id, by)
    rows = list(ProgramDose.objects.filter(stage=dose.stage_id, is_active=True).select_for_update())
    keys = [row.pk for row in rows]
    if dose.pk not in keys:
        raise AdjustError("dose", f"{dose.exercise} was taken out of this stage.")
    here = keys.index(dose.pk)
    there = here - 1 if up else here + 1
    if not 0 <= there < len(rows):
        return
    if len({row.position for row in rows}) < len(rows):
        _renumber(rows)
    rows[here].position, rows[there].position = rows[there].position, rows[here].position
    ProgramDose.objects.bulk_update(rows, ["position"])


@transaction.atomic
def change_stage(*, stage: ProgramStage, by: User, values: Mapping[str, Any]) -> ProgramStage:
    """Name, goal, advice, least days and most weeks of a stage.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AdjustError: ended, a field that is none of a stage, or fewer weeks at most than days at least.
        ValidationError: a value out of its range, by field.
    """
    _lock(stage.program_id, by)
    stage.refresh_from_db()
    _change(stage, STAGE_COLUMNS, values)
    if stage.max_weeks is not None and stage.max_weeks * 7 < stage.min_days:
        raise AdjustError("max_weeks", f"At least the {stage.min_days} days before the next stage.")
    return stage


@transaction.atomic
def change_program(*, program: Program, by: User, values: Mapping[str, Any]) -> Program:
    """Its name, and how often a week strength is trained.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AdjustError: ended, or another field.
        ValidationError: a value out of its range, by field.
    """
    program = _lock(program.pk, by)
    _change(program, PROGRAM_COLUMNS, values)
    return program


@transaction.atomic
def give_reasons(*, program: Program, by: User, reasons: Mapping[str, str]) -> Program:
    """Write down why a measured deficit has no exercise, by muscle group; an empty text takes it back.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AdjustError: ended.
        ReasonError: there is no such thing to treat, or a text that is too long.
    """
    program = _lock(program.pk, by)
    write_reasons(program, reasons)
    return program


def differences(program: Program) -> tuple[Difference, ...]:
    """How it differs from its template as that is now; nothing where the template is gone."""
    if program.template is None:
        return ()
    template = program.template.stages.prefetch_related("doses__exercise")
    own = program.stages.prefetch_related("doses__exercise")
    return compare([_plan(stage) for stage in template], [_plan(stage) for stage in own])


def neighbours(doses: Sequence[ProgramDose], clinic: Any) -> dict[str, Exercise]:
    """The easier and harder exercises of these, by slug; the clinic's own before the starter library's."""
    slugs = {slug for dose in doses for slug in (dose.exercise.easier, dose.exercise.harder) if slug}
    usable = Exercise.objects.usable_by(clinic).filter(slug__in=slugs)
    return {exercise.slug: exercise for exercise in sorted(usable, key=lambda e: e.clinic_id is not None)}


def _lock(program_id: int, by: User) -> Program:
    """The program, a draft or an active one, locked with its case to be changed.

    What was untreated, or too much, may be so no longer: the next sweep makes today's verdict again.
    """
    cases = Episode.objects.select_for_update(of=("self",), no_key=True)
    case = cases.filter(programs=program_id).first()
    programs = Program.with_drafts.select_related("episode__clinic__policy", "episode__patient", "template")
    program: Program | None = programs.filter(pk=program_id).first() if case else None
    if program is None:
        raise AdjustError("program", "This program was thrown away meanwhile.")
    require(by, Capability.WRITE_CLINICAL, program.clinic_id)
    if program.ended_on is not None:
        raise AdjustError("program", "This program has ended.")
    review_at_once(program=program)
    return program


def _switch(dose: ProgramDose, by: User, *, on: bool) -> ProgramDose:
    _lock(dose.stage.program_id, by)
    if on:
        _check_once(dose.stage, dose.exercise, but=dose.pk)
    dose.is_active = on
    dose.save(update_fields=["is_active"])
    return dose


def _enter(program: Program, stage: ProgramStage, exercise: Exercise, position: int) -> ProgramDose:
    """The exercise at that position: as it was, where it was taken out of this stage before."""
    if not Exercise.objects.usable_by(program.clinic_id).filter(pk=exercise.pk).exists():
        raise AdjustError("exercise", "This exercise is not in your library.")
    _check_once(stage, exercise)
    dose = stage.doses.filter(exercise=exercise).first()
    if dose is None:
        dose = ProgramDose(
            clinic_id=program.clinic_id, stage=stage, exercise=exercise, **_usual(program, stage, exercise)
        )
    dose.position, dose.is_active = position, True
    dose.save()
    return dose


def _check_once(stage: ProgramStage, exercise: Exercise, but: int | None = None) -> None:
    if stage.doses.filter(exercise=exercise, is_active=True).exclude(pk=but).exists():
        raise AdjustError("exercise", f"{exercise} is in stage {stage.number} already.")


def _usual(program: Program, stage: ProgramStage, exercise: Exercise) -> dict[str, Any]:
    """The dose of the program's own template, else of another one, of the nearest stage."""
    usable = Template.objects.usable_by(program.clinic_id).filter(is_active=True)
    doses = Dose.objects.filter(exercise=exercise, stage__template__in=usable).select_related("stage")
    if doses:
        nearest = min(
            doses,
            key=lambda dose: (
                dose.stage.template_id != program.template_id,
                abs(dose.stage.number - stage.number),
                dose.pk,
            ),
        )
        return {name: getattr(nearest, name) for name in DOSE_FIELDS}
    amount = {"seconds_low": USUAL_SECONDS} if exercise.kind in HELD else {"reps_low": USUAL_REPS}
    return {"sets": USUAL_SETS, "per_side": exercise.per_side, **amount}


def _renumber(rows: Sequence[ProgramDose]) -> None:
    for position, row in enumerate(rows, start=1):
        row.position = position


def _change(row: Any, columns: Sequence[str], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in columns:
            raise AdjustError(name, f"expected one of {', '.join(columns)}.")
        setattr(row, name, value)
    others = {field.name for field in row._meta.fields} - set(values)
    row.clean_fields(exclude=others)
    row.clean()
    row.save(update_fields=sorted(values))


def _plan(stage: Any) -> PlanStage:
    """A stage of a template or of a program."""
    most = f", at most {stage.max_weeks} weeks" if stage.max_weeks else ""
    return PlanStage(
        number=stage.number,
        name=stage.name,
        gate=f"At least {stage.min_days} days{most}",
        words=(stage.goal, stage.advice),
        doses=tuple(
            PlanDose(dose.exercise_id, dose.exercise.name, _dosed(dose), dose.position, dose.pk)
            for dose in stage.doses.all()
            if getattr(dose, "is_active", True)
        ),
    )


def _dosed(dose: Any) -> str:
    return ", ".join(part for part in (dose.text, dose.frequency, dose.tempo, dose.note) if part)
