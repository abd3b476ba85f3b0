"""Assign a program: the individual copy of a template. Wake an imported one; end one."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from clinic.errors import FieldError
from clinic.models import User
from clinic.roles import Capability, require
from patients.models import Episode
from programs.models import Alert, Pause, Program, ProgramDose, ProgramStage, Template
from programs.models.library import DoseText, StageText
from programs.services.checkins import schedule_next

STAGE_FIELDS = [field.name for field in StageText._meta.fields]
DOSE_FIELDS = [field.name for field in DoseText._meta.fields]


class AssignError(FieldError):
    """The program cannot be assigned."""


@transaction.atomic
def assign(
    *,
    episode: Episode,
    template: Template,
    by: User,
    now: datetime,
    today: date,
    started_on: date | None = None,
    fair_trial_reason: str = "",
    asleep: bool = False,
) -> Program:
    """Copy the template into the case's program; an active one is ended as replaced.

    The stall clock goes on from the case's first program, unless ``fair_trial_reason`` declares a new
    fair trial, once per case.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AssignError: closed case, open red flag, foreign diagnosis, wrong date, second fair trial.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    episode = (
        Episode.objects.select_for_update(of=("self",), no_key=True)
        .select_related("clinic__policy", "patient")
        .get(pk=episode.pk)
    )
    started_on = started_on or today
    active = episode.programs.active().select_for_update(no_key=True).first()
    _check_case(episode, active, started_on, today)
    _check_template(episode, template)
    if fair_trial_reason:
        check_fair_trial(episode)
    if active:
        end_program(program=active, reason="Replaced", on=today)
    program = Program(
        episode=episode,
        template=template,
        assigned_by=by,
        started_on=started_on,
        next_review_on=today,
        asleep=asleep,
        fair_trial_on=started_on if fair_trial_reason else None,
        fair_trial_reason=fair_trial_reason,
    )
    _copy(template, program)
    schedule_next(program=program, now=now)
    return program


def wake(*, program: Program, by: User, now: datetime, today: date) -> Program:
    """An imported program starts to ask and to alert; an awake one is left as it is.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AssignError: the program has ended.
    """
    require(by, Capability.WRITE_CLINICAL, program.clinic_id)
    changed = Program.objects.filter(pk=program.pk, asleep=True, ended_on=None).update(
        asleep=False, next_review_on=today
    )
    program.refresh_from_db()
    if not program.is_active:
        raise AssignError("program", "This program has ended.")
    if changed:
        schedule_next(program=program, now=now)
    return program


def end_program(*, program: Program, reason: str, on: date) -> None:
    """End the program; an open pause ends with it. An ended program keeps all that was recorded."""
    Pause.objects.filter(program=program, ends_on=None, starts_on__lt=on).update(ends_on=on)
    Pause.objects.filter(program=program, ends_on=None).delete()
    program.ended_on = max(on, program.started_on)
    program.end_reason = reason
    program.next_check_in_at = None
    program.save(update_fields=["ended_on", "end_reason", "next_check_in_at"])


def check_fair_trial(episode: Episode) -> None:
    """Raise AssignError if this case already had its one new fair trial."""
    if episode.programs.exclude(fair_trial_on=None).exists():
        raise AssignError("fair_trial_reason", "A new fair trial was already declared for this case.")


def _check_case(episode: Episode, active: Program | None, started_on: date, today: date) -> None:
    if not episode.is_open:
        raise AssignError("episode", "This case is closed. Open a new case for this patient.")
    if episode.alerts.unresolved().filter(kind=Alert.Kind.RED_FLAG).exists():
        raise AssignError("template", "A red flag is open: refer, or clear it with a finding first.")
    if started_on > today:
        raise AssignError("started_on", "A program starts today or earlier.")
    if started_on < episode.opened_on:
        raise AssignError(
            "started_on", f"The case opened on {episode.opened_on}; a program cannot start before."
        )
    if active and started_on < active.started_on:
        raise AssignError(
            "started_on",
            f"The present program started on {active.started_on}; the new one cannot start before.",
        )


def _check_template(episode: Episode, template: Template) -> None:
    if not Template.objects.usable_by(episode.clinic).filter(pk=template.pk, is_active=True).exists():
        raise AssignError("template", "This template is not in your library.")
    if episode.diagnosis not in template.diagnoses:
        raise AssignError(
            "template", f"{template.name} is not for {episode.get_diagnosis_display().lower()}."
        )


def _copy(template: Template, program: Program) -> None:
    """Save the program with the template's name, frequency, stages and doses, in its first stage."""
    program.clinic = program.episode.clinic
    program.name, program.strength_per_week = template.name, template.strength_per_week
    program.template_version = template.version
    program.current_stage, program.stage_started_on = 1, program.started_on
    program.save()
    for stage in template.stages.prefetch_related("doses"):
        copy = ProgramStage.objects.create(
            clinic=program.clinic, program=program, **{name: getattr(stage, name) for name in STAGE_FIELDS}
        )
        ProgramDose.objects.bulk_create(
            ProgramDose(
                clinic=program.clinic,
                stage=copy,
                exercise_id=dose.exercise_id,
                **{name: getattr(dose, name) for name in DOSE_FIELDS},
            )
            for dose in stage.doses.all()
        )
