"""Assign a program, the individual copy of a template: at once, or prepared first and then sent. End one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction

from clinic.errors import FieldError
from clinic.models import User
from clinic.roles import Capability, require
from patients.models import Assessment, Episode, Patient
from patients.services import require_consent
from programs.models import Alert, Pause, Program, ProgramDose, ProgramStage, Template
from programs.models.library import DoseText, StageText
from programs.rules.matching import refusals
from programs.services import invitations
from programs.services.checkins import schedule_next
from programs.services.coverage import coverage, write_reasons

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
    """Copy the template into the case's program, at once; an active one is ended as replaced.

    To adjust it to the person first: ``prepare_program``, then ``send_program``.

    The stall clock goes on from the case's first program, unless ``fair_trial_reason`` declares a new
    fair trial, once per case.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AssignError: closed case, open red flag, foreign diagnosis, wrong date, second fair trial.
        ConsentMissing: under 18, and no guardian's consent is on record.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    episode = _lock(episode.pk)
    _check_template(episode, template)
    program = Program(episode=episode, template=template, assigned_by=by, asleep=asleep)
    replaced = _make_room(program, started_on or today, today, fair_trial_reason)
    _copy(template, program)
    _keep_days_off(replaced, program)
    schedule_next(program=program, now=now)
    return program


@transaction.atomic
def prepare_program(*, episode: Episode, template: Template, by: User, today: date) -> Program:
    """Copy the template into a draft: nothing is asked, judged or shown for it, and a running program goes
    on, until it is sent.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AssignError: closed case, open red flag, unexamined hip under 18, foreign diagnosis, another draft.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    episode = _lock(episode.pk)
    _check_case(episode, today)
    _check_template(episode, template)
    draft = draft_of(episode)
    if draft is not None:
        raise AssignError("template", f"{draft} is being prepared for this case: send or discard it first.")
    program = Program(episode=episode, template=template, assigned_by=by, started_on=today, is_draft=True)
    _copy(template, program)
    return program


@transaction.atomic
def send_program(
    *,
    program: Program,
    by: User,
    now: datetime,
    today: date,
    started_on: date | None = None,
    fair_trial_reason: str = "",
    reasons: Mapping[str, str] | None = None,
    invite: bool = False,
) -> Program:
    """The prepared program becomes the case's active one, from ``started_on`` on; the one before it is ended
    as replaced. The stall clock and ``fair_trial_reason`` are as in ``assign``. ``reasons`` say, by muscle
    group, why a measured deficit has no exercise; those given earlier hold. ``invite``: in the same step, a
    patient without an account is invited to the app.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AssignError: sent before, closed case, open red flag, unexamined hip under 18, another diagnosis
            meanwhile, wrong date, second fair trial; or ``reason_<what it is of>``: a measured finding has
            neither an exercise nor a written reason.
        ConsentMissing: under 18, and no guardian's consent is on record.
        ReasonError: there is no such thing to treat, or a text that is too long.
        ValidationError: the patient to be invited has no e-mail.
    """
    require(by, Capability.WRITE_CLINICAL, program.clinic_id)
    if invite:  # first, as who changes the address does: in the other order the two would block each other
        Patient.objects.select_for_update(no_key=True).get(pk=program.episode.patient_id)
    episode = _lock(program.episode_id)
    draft = draft_of(episode)
    if draft is None or draft.pk != program.pk:
        raise AssignError("program", "This program was sent or discarded already.")
    draft.episode = episode
    if draft.template is not None:
        _check_diagnosis(episode, draft.template)
    write_reasons(draft, reasons or {})
    _check_exercises(draft)
    replaced = _make_room(draft, started_on or today, today, fair_trial_reason)
    draft.is_draft, draft.assigned_by = False, by
    draft.stage_started_on = draft.started_on
    draft.save()
    _keep_days_off(replaced, draft)
    schedule_next(program=draft, now=now)
    if invite and episode.patient.user_id is None:
        invitations.invite(patient=episode.patient, by=by, now=now)
    return draft


@transaction.atomic
def discard_draft(*, program: Program, by: User) -> None:
    """Throw a prepared program away; it never reached the patient, and the audit trail keeps what it was.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AssignError: it was sent or discarded already.
    """
    require(by, Capability.WRITE_CLINICAL, program.clinic_id)
    _lock(program.episode_id)
    deleted, _ = Program.with_drafts.drafts().filter(pk=program.pk).delete()
    if not deleted:
        raise AssignError("program", "This program was sent or discarded already.")


def draft_of(episode: Episode) -> Program | None:
    """The program that is being prepared for this case."""
    drafts = Program.with_drafts.drafts().filter(episode=episode)
    draft: Program | None = drafts.select_related("template").first()
    return draft


def wake(*, program: Program, by: User, now: datetime, today: date) -> Program:
    """An imported program starts to ask and to alert; an awake one is left as it is.

    Raises:
        Denied: ``by`` may do no clinical work here.
        ConsentMissing: under 18, and no guardian's consent is on record.
        AssignError: the program has ended.
    """
    require(by, Capability.WRITE_CLINICAL, program.clinic_id)
    require_consent(program.episode.patient, today=today)
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


def hand_out(*, episode: Episode, template: Template, by: User, today: date) -> Program:
    """A copy of a maintenance template for after discharge: to look at, over as it begins, never reviewed.

    Raises:
        AssignError: not a template for maintenance, or not one of this clinic and diagnosis.
        ConsentMissing: under 18, and no guardian's consent is on record.
    """
    _check_template(episode, template)
    require_consent(episode.patient, today=today)
    if not template.maintenance:
        raise AssignError("maintenance", f"{template.name} is no program for after discharge.")
    program = Program(
        episode=episode,
        template=template,
        assigned_by=by,
        started_on=today,
        ended_on=today,
        end_reason="To keep up after discharge",
        is_maintenance=True,
    )
    _copy(template, program)
    return program


def check_fair_trial(episode: Episode) -> None:
    """Raise AssignError if this case already had its one new fair trial."""
    if episode.programs.exclude(fair_trial_on=None).exists():
        raise AssignError("fair_trial_reason", "A new fair trial was already declared for this case.")


def _lock(episode_id: int) -> Episode:
    episodes = Episode.objects.select_for_update(of=("self",), no_key=True)
    episode: Episode = episodes.select_related("clinic__policy", "patient").get(pk=episode_id)
    return episode


def _make_room(program: Program, started_on: date, today: date, fair_trial_reason: str) -> Program | None:
    """Start the program on that day, in place of the active one, which is returned."""
    episode = program.episode
    active = episode.programs.active().select_for_update(no_key=True).first()
    _check_case(episode, today)
    require_consent(episode.patient, today=today)
    _check_start(episode, active, started_on, today)
    if fair_trial_reason:
        check_fair_trial(episode)
    if active:
        end_program(program=active, reason="Replaced", on=today)
    program.started_on, program.next_review_on = started_on, today
    program.fair_trial_on = started_on if fair_trial_reason else None
    program.fair_trial_reason = fair_trial_reason
    return active


def _keep_days_off(replaced: Program | None, program: Program) -> None:
    """A holiday stays one under the new program, up to the day the patient is back: only a pause without an
    end is over with the program it was of.
    """
    start = program.started_on
    for pause in replaced.pauses.filter(ends_on__gt=start) if replaced else ():
        if pause.starts_on < start:
            Pause.objects.filter(pk=pause.pk).update(ends_on=start)
            pause.pk, pause.starts_on = None, start
        pause.program = program
        pause.save()


def _check_case(episode: Episode, today: date) -> None:
    if not episode.is_open:
        raise AssignError("episode", "This case is closed. Open a new case for this patient.")
    if flag := Alert.objects.red_flags_of(episode.patient_id).select_related("episode").first():
        where = "" if flag.episode_id == episode.pk else f" in case {flag.episode.case_number}"
        raise AssignError("template", f"A red flag is open{where}: refer, or clear it with a finding first.")
    examined = Assessment.objects.filter(episode=episode, hip_examined=True)
    latest = examined.order_by("-assessed_on", "-pk").first()
    refused = refusals(
        age=episode.patient.age_on(today),
        hip_examined=latest is not None,
        hip_findings=latest is not None and latest.hip_findings,
    )
    if refused:
        raise AssignError("template", f"{'. '.join(refused)}.")


def _check_exercises(draft: Program) -> None:
    for deficit in coverage(program=draft):
        if deficit.is_open:
            raise AssignError(
                f"reason_{deficit.group}",
                f"{'; '.join(deficit.deficits)}: no exercise targets it. Add one, or write down why not.",
            )


def _check_start(episode: Episode, active: Program | None, started_on: date, today: date) -> None:
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
    _check_diagnosis(episode, template)


def _check_diagnosis(episode: Episode, template: Template) -> None:
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
