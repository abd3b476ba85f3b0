"""Change a running program: move a stage, pause and resume, declare a new fair trial."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction

from clinic.errors import FieldError
from clinic.models import User
from clinic.roles import Capability, require
from patients.models import Episode
from programs.models import Hold, Pause, Program, StageMove
from programs.rules.schedule import local_date
from programs.services.assign import check_fair_trial
from programs.services.checkins import check_in_plan, schedule_next
from programs.services.due import review_again
from programs.services.gates import gate

LONGEST_PAUSE = timedelta(days=366)


class PlanError(FieldError):
    """The program cannot be changed like that."""


@transaction.atomic
def move_stage(
    *, program: Program, to_stage: int, by: User, now: datetime, today: date, override_reason: str = ""
) -> StageMove:
    """Move one stage on, or back to any earlier one, where a daily question set by hand ends. Stages are not
    skipped (S0).

    Raises:
        Denied: ``by`` may do no clinical work here.
        PlanError: ended, on hold, no such stage, or unmet criteria without a written reason.
    """
    program = lock(program, by)
    check_not_held(program, "to_stage")
    if not program.stages.filter(number=to_stage).exists() or to_stage == program.current_stage:
        raise PlanError("to_stage", "There is no such stage to move to.")
    if to_stage > program.current_stage + 1:
        raise PlanError("to_stage", "Stages are not skipped: move one stage at a time.")
    unmet: list[str] = []
    if to_stage > program.current_stage:
        unmet = [criterion.text for criterion in gate(program=program, today=today).unmet]
    if unmet and not override_reason.strip():
        raise PlanError(
            "override_reason", f"Not met yet: {'; '.join(unmet)}. To move all the same, write down why."
        )
    move = StageMove.objects.create(
        clinic=program.clinic,
        program=program,
        from_stage=program.current_stage,
        to_stage=to_stage,
        moved_on=today,
        moved_by=by,
        unmet=unmet,
        override_reason=override_reason.strip(),
    )
    asked = check_in_plan(program)
    program.current_stage, program.stage_started_on, program.next_review_on = to_stage, today, today
    program.testing_run_gate &= to_stage > move.from_stage
    program.save(update_fields=["current_stage", "stage_started_on", "next_review_on", "testing_run_gate"])
    if check_in_plan(program) != asked:
        schedule_next(program=program, now=now)
    return move


@transaction.atomic
def pause(
    *,
    program: Program,
    kind: str,
    starts_on: date,
    by: User,
    now: datetime,
    ends_on: date | None = None,
    note: str = "",
) -> Pause:
    """Days that do not count, from ``starts_on`` until the day before ``ends_on``, the first day back.

    It may lie ahead, or be entered afterwards within ``pause_backdate_days``.

    Raises:
        Denied: ``by`` may do no clinical work here.
        PlanError: ended, or as ``check_pause``.
    """
    program = lock(program, by)
    check_pause(program=program, kind=kind, starts_on=starts_on, ends_on=ends_on, now=now)
    created = Pause.objects.create(
        clinic=program.clinic,
        program=program,
        kind=kind,
        starts_on=starts_on,
        ends_on=ends_on,
        note=note,
        paused_by=by,
    )
    _days_changed(program, now)
    return created


@transaction.atomic
def change_pause(
    *,
    pause: Pause,
    kind: str,
    starts_on: date,
    by: User,
    now: datetime,
    ends_on: date | None = None,
    note: str = "",
) -> Pause:
    """Other dates, kind or note. What began long ago keeps its first day, however far back that is.

    Raises:
        Denied: ``by`` may do no clinical work here.
        PlanError: as ``pause``, or the pause was taken back in the meantime.
    """
    program = lock(pause.program, by)
    stored: Pause | None = program.pauses.filter(pk=pause.pk).first()
    if stored is None:
        raise PlanError("pause", "This pause was taken back in the meantime.")
    check_pause(program=program, kind=kind, starts_on=starts_on, ends_on=ends_on, now=now, changed=stored)
    stored.kind, stored.starts_on, stored.ends_on, stored.note = kind, starts_on, ends_on, note
    stored.save(update_fields=["kind", "starts_on", "ends_on", "note"])
    _days_changed(program, now)
    return stored


@transaction.atomic
def cancel_pause(*, pause: Pause, by: User, now: datetime) -> None:
    """Take a pause back altogether: its days count again. Twice is the same as once.

    Raises:
        Denied: ``by`` may do no clinical work here.
        PlanError: the program has ended.
    """
    program = lock(pause.program, by)
    program.pauses.filter(pk=pause.pk).delete()
    _days_changed(program, now)


@transaction.atomic
def resume(*, program: Program, on: date, by: User, now: datetime) -> None:
    """End the pause that lasts; ``on`` is the first day back, before its end if it has one. A pause of no day
    at all is removed.

    Raises:
        Denied: ``by`` may do no clinical work here.
        PlanError: not paused, before the pause began, or after its end.
    """
    program = lock(program, by)
    present = pause_to_end(program, on)
    if present is None:
        raise PlanError("on", "The program is not paused.")
    if on < present.starts_on:
        raise PlanError("on", f"The pause starts on {present.starts_on}.")
    if on == present.starts_on:
        present.delete()
    else:
        present.ends_on = on
        present.save(update_fields=["ends_on"])
    _days_changed(program, now)


def pause_to_end(program: Program, on: date) -> Pause | None:
    """The pause that resuming on that day ends: the open one, else the one that covers the day."""
    pauses = list(program.pauses.all())
    covering = next((pause for pause in pauses if pause.covers(on)), None)
    return next((pause for pause in pauses if pause.ends_on is None), covering)


def check_pause(
    *,
    program: Program,
    kind: str,
    starts_on: date,
    ends_on: date | None,
    now: datetime,
    changed: Pause | None = None,
) -> None:
    """Refuse a pause that cannot be; ``changed`` is the one whose dates these replace.

    Raises:
        PlanError: unknown kind, too far back, too long, dates in the wrong order or over another pause.
    """
    if kind not in Pause.Kind.values:
        raise PlanError("kind", f"expected one of {', '.join(Pause.Kind.values)}.")
    if starts_on < program.started_on:
        raise PlanError("starts_on", f"The program started on {program.started_on}.")
    if ends_on is not None and ends_on <= starts_on:
        raise PlanError("ends_on", "The first day back must be after the pause starts.")
    _check_length(starts_on, ends_on, changed)
    days = program.thresholds.pause_backdate_days
    earliest = local_date(now, program.episode.patient.timezone) - timedelta(days=days)
    if starts_on < earliest and (changed is None or starts_on != changed.starts_on):
        raise PlanError(
            "starts_on", f"At most {days} days back, to {earliest:%-d %b %Y}: what was judged since stays."
        )
    for other in program.pauses.all():
        if other != changed and _overlaps(other, starts_on, ends_on):
            raise PlanError("starts_on", f"It overlaps with: {other}.")


def _check_length(starts_on: date, ends_on: date | None, changed: Pause | None) -> None:
    """A slip in the year is refused; a longer one noted before keeps its dates."""
    if ends_on is None or ends_on - starts_on <= LONGEST_PAUSE:
        return
    if changed is None or (starts_on, ends_on) != (changed.starts_on, changed.ends_on):
        most = f"At most {LONGEST_PAUSE.days} days"
        raise PlanError("ends_on", f"{most}: leave the first day back empty until it is known.")


def _overlaps(other: Pause, starts_on: date, ends_on: date | None) -> bool:
    return (ends_on is None or other.starts_on < ends_on) and (
        other.ends_on is None or starts_on < other.ends_on
    )


def _days_changed(program: Program, now: datetime) -> None:
    schedule_next(program=program, now=now)
    review_again(episode=program.episode, now=now)


@transaction.atomic
def declare_fair_trial(*, program: Program, on: date, reason: str, by: User, now: datetime) -> Program:
    """Restart the stall clock on ``on``, with a reason, once per case. Success stays measured from the
    case's baseline.

    Raises:
        Denied: ``by`` may do no clinical work here.
        PlanError: no reason, or a date before the program began or ahead.
        AssignError: the case had its new fair trial.
    """
    program = lock(program, by)
    if not reason.strip():
        raise PlanError("reason", "A new fair trial needs a reason.")
    if on < program.started_on:
        raise PlanError("on", f"The program started on {program.started_on}.")
    if on > local_date(now, program.episode.patient.timezone):
        raise PlanError("on", "A new fair trial starts today or earlier.")
    check_fair_trial(program.episode)
    program.fair_trial_on, program.fair_trial_reason = on, reason.strip()
    program.save(update_fields=["fair_trial_on", "fair_trial_reason"])
    review_again(episode=program.episode, now=now)
    return program


def check_not_held(program: Program, field: str = "program") -> None:
    """Raise PlanError while a red flag holds the program."""
    if Hold.objects.filter(program=program, cleared_at=None).exists():
        raise PlanError(field, "The program is on hold for a red flag; clear it with a finding first.")


def lock(program: Program, by: User) -> Program:
    """The program, locked with its case; only while it is active."""
    require(by, Capability.WRITE_CLINICAL, program.clinic_id)
    Episode.objects.select_for_update(no_key=True).get(pk=program.episode_id)
    programs = Program.objects.select_related("episode__clinic__policy", "episode__patient")
    locked: Program = programs.get(pk=program.pk)
    check_active(locked)
    return locked


def check_active(program: Program) -> None:
    """Raise PlanError once the program has ended."""
    if not program.is_active:
        raise PlanError("program", "This program has ended.")
