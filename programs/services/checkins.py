"""Check-ins: ask at the patient's local time, remind once, count as missed. Due dates are rows.

Each sweep takes what is due one by one, under a lock that others skip: two at once do the work of one;
one broken row does not stop the others; after a long stop one current question is asked. What a sweep has
no time for stays due.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial

from django.db.models import Exists, Model, OuterRef

from clinic import attempts, outbox
from patients.models import Episode, Patient
from patients.vocabulary import RunningTrack
from programs import emails
from programs.emails import Email
from programs.models import CheckInRequest, Pause, Program, RelapseWatch
from programs.models.plan import ProgramQuerySet
from programs.rules.schedule import (
    CheckInPlan,
    Slot,
    after_downtime,
    local_date,
    missed_at,
    next_slot,
    recall_days,
    reminder_at,
)
from programs.services.deadline import SWEEP_LIMIT, Deadline

logger = logging.getLogger(__name__)

State = CheckInRequest.State
BATCH = 100
ASKING, REMINDING = "ask_check_ins", "remind_check_ins"


class CheckInSweepError(Exception):
    """Some rows could not be handled (a broken setting, say); all the others were."""


def schedule_next(*, program: Program, now: datetime) -> None:
    """Set when to ask next: after assigning, waking, or editing days, time, zone or the daily gate test.

    A slot that is due already stays due, for the sweep to ask. An ended or sleeping program is not asked.
    """
    if not program.is_active or program.asleep:
        program.next_check_in_at = None
    elif program.next_check_in_at is None or program.next_check_in_at > now:
        slot = next_slot(check_in_plan(program), after=now, last_date=_last_date(program))
        program.next_check_in_at = slot.at
    program.save(update_fields=["next_check_in_at"])


def ask_due(*, now: datetime, batch: int = BATCH, limit: timedelta = SWEEP_LIMIT) -> int:
    """Ask every program whose slot has passed, by e-mail where there is an address; returns how many.

    Slots that passed during a stop become missed requests, without an e-mail. Paused days are not asked.

    Raises:
        CheckInSweepError: some could not be asked; raised after all the others were.
    """

    def due(after: int) -> list[int]:
        programs = attempts.to_try(ASKING, askable().filter(next_check_in_at__lte=now, pk__gt=after), now)
        return list(programs.order_by("pk").values_list("pk", flat=True)[:batch])

    return sweep(ASKING, Program, due, _ask, now, limit)


def remind_due(*, now: datetime, batch: int = BATCH, limit: timedelta = SWEEP_LIMIT) -> int:
    """Remind, once, of questions that are still open; returns how many e-mails that makes.

    Nobody is reminded during a pause, without a working address, or where the next question is there already.

    Raises:
        CheckInSweepError: some could not be handled; raised after all the others were.
    """

    def due(after: int) -> list[int]:
        open_ones = CheckInRequest.objects.open().filter(remind_at__lte=now, pk__gt=after)
        requests = attempts.to_try(REMINDING, open_ones, now)
        return list(requests.order_by("pk").values_list("pk", flat=True)[:batch])

    return sweep(REMINDING, CheckInRequest, due, _remind, now, limit)


def mark_missed(*, now: datetime) -> int:
    """Count as missed what is unanswered after its time; returns how many."""
    overdue = CheckInRequest.objects.open().filter(missed_at__lte=now)
    return overdue.update(state=State.MISSED, remind_at=None)


def sweep(
    name: str,
    model: type[Model],
    due: Callable[[int], list[int]],
    handle: Callable[[int, datetime], bool],
    now: datetime,
    limit: timedelta,
) -> int:
    """Handle what is due in the order of ids while there is time; returns how often ``handle`` said yes."""
    done, failed, deadline = 0, list[int](), Deadline(limit)
    for pk in _in_batches(due):
        try:
            done += bool(
                attempts.attempt(sweep=name, model=model, key=pk, now=now, work=partial(handle, pk, now))
            )
        except Exception:
            logger.exception("%s: row %s failed", name, pk)
            failed.append(pk)
        if deadline.has_passed:
            break
    if failed:
        raise CheckInSweepError(f"{len(failed)} rows failed, first of them {failed[0]}; {done} were handled")
    return done


def _in_batches(due: Callable[[int], list[int]]) -> Iterator[int]:
    """The ids that ``due`` finds after the last one, until there are none."""
    last = 0
    while batch := due(last):
        yield from batch
        last = batch[-1]


def _ask(pk: int, now: datetime) -> bool:
    program = _claimed(pk, now)
    if program is None or program.next_check_in_at is None:  # another sweep has it, or was faster
        return False
    plan = check_in_plan(program)
    due = after_downtime(plan, due_at=program.next_check_in_at, now=now, last_date=_last_date(program))
    days = recall_days(daily=plan.daily, thresholds=program.thresholds)
    pauses = list(program.pauses.all())
    _store_missed(program, [slot for slot in due.missed if not _is_off(pauses, slot.on)], days)
    asked = due.ask is not None and not _is_off(pauses, due.ask.on) and _open(program, due.ask, days, now)
    Program.objects.filter(pk=pk).update(next_check_in_at=due.following.at)
    return asked


def _claimed(pk: int, now: datetime) -> Program | None:
    """The program, locked, if its question still is due; its case is read once that is known."""
    free = Program.objects.active().select_for_update(skip_locked=True, no_key=True)
    program: Program | None = free.filter(pk=pk, asleep=False, next_check_in_at__lte=now).first()
    if program is None:
        return None
    case = Episode.objects.open().filter(pk=program.episode_id, clinic__is_active=True)
    episode = case.select_related("clinic__policy", "patient__clinic").first()
    if episode is None:
        return None
    program.episode = episode
    return program


def _open(program: Program, slot: Slot, days: int, now: datetime) -> bool:
    """The request of the slot's date and its e-mail; false if the date has one already."""
    thresholds = program.thresholds
    request, created = CheckInRequest.objects.get_or_create(
        program=program,
        local_date=slot.on,
        defaults={
            "clinic_id": program.clinic_id,
            "due_at": slot.at,
            "recall_days": days,
            # From now on, not from the slot: who is asked late has as long to answer.
            "remind_at": reminder_at(now, thresholds),
            "missed_at": missed_at(now, thresholds),
        },
    )
    if created and is_reachable(program.episode.patient):
        mail_question(request, "check_in", emails.check_in(request=request), now)
    return created


def _store_missed(program: Program, slots: Iterable[Slot], days: int) -> None:
    """Requests that were never asked; they count where half of what was due must be answered."""
    CheckInRequest.objects.bulk_create(
        [
            CheckInRequest(
                clinic_id=program.clinic_id,
                program=program,
                local_date=slot.on,
                due_at=slot.at,
                missed_at=missed_at(slot.at, program.thresholds),
                recall_days=days,
                state=State.MISSED,
            )
            for slot in slots
        ],
        ignore_conflicts=True,
    )


def _remind(pk: int, now: datetime) -> bool:
    newer = CheckInRequest.objects.filter(program=OuterRef("program"), local_date__gt=OuterRef("local_date"))
    request = (
        CheckInRequest.objects.open()
        .select_for_update(skip_locked=True, of=("self",), no_key=True)
        .select_related("program__episode__patient__clinic")
        .annotate(
            followed=Exists(newer),
            askable=Exists(askable().filter(pk=OuterRef("program"))),
            watched=Exists(RelapseWatch.objects.running().filter(pk=OuterRef("watch"))),
        )
        .filter(pk=pk, remind_at__lte=now)
        .first()
    )
    if request is None:
        return False
    CheckInRequest.objects.filter(pk=pk).update(remind_at=None)
    if not (request.askable or request.watched) or request.followed or request.missed_at <= now:
        return False
    program = request.program
    if not is_reachable(program.episode.patient):
        return False
    if request.watched:
        mail_question(request, "watch_reminder", emails.watch_reminder(request=request), now)
        return True
    if _is_about_to_ask(program, now) or _is_paused(program, now):
        return False
    mail_question(request, "reminder", emails.reminder(request=request), now)
    return True


def mail_question(request: CheckInRequest, kind: str, email: Email, now: datetime) -> None:
    """Put the e-mail of a question into the outbox, once."""
    patient = request.program.episode.patient
    outbox.put(
        clinic=patient.clinic,
        kind=kind,
        dedupe_key=f"{kind}:{request.pk}",
        to_email=patient.email,
        subject=email.subject,
        text=email.text,
        html=email.html,
        patient_key=patient.pk,
        now=now,
    )


def askable() -> ProgramQuerySet:
    """Programs whose patient is asked at all."""
    return Program.objects.awake().filter(episode__closed_on=None)


def is_reachable(patient: Patient) -> bool:
    """Whether there is an address that did not bounce."""
    return bool(patient.email) and patient.email_bounced_at is None


def _is_about_to_ask(program: Program, now: datetime) -> bool:
    return program.next_check_in_at is not None and program.next_check_in_at <= now


def _is_paused(program: Program, now: datetime) -> bool:
    return _is_off(program.pauses.all(), local_date(now, program.episode.patient.timezone))


def _is_off(pauses: Iterable[Pause], day: date) -> bool:
    return any(pause.covers(day) for pause in pauses)


def check_in_plan(program: Program) -> CheckInPlan:
    """When the patient is asked: the program's own days and time, else those in force for the case."""
    thresholds = program.thresholds
    weekdays: Sequence[int] = program.check_in_weekdays or thresholds.check_in_weekdays
    return CheckInPlan(
        weekdays=tuple(weekdays),
        at=program.check_in_time or thresholds.check_in_time,
        zone=program.episode.patient.timezone,
        daily=program.testing_run_gate or waits_to_run(program),
    )


def waits_to_run(program: Program) -> bool:
    """Whether the symptom-free days are to be met: who stopped running and is not on the ladder, from the
    stage before running on; at any time where the program has no such stage, as the ladder opens there.

    They are asked every day; with the usual check-ins those days could never be met.
    """
    if program.episode.running_track != RunningTrack.STOPPED or program.ladder_step is not None:
        return False
    running = program.stages.filter(is_running=True).values_list("number", flat=True)
    return not running or not {program.current_stage, program.current_stage + 1}.isdisjoint(running)


def _last_date(program: Program) -> date:
    """The date last asked for: only later ones can come. The day before the start, if none was."""
    last = program.requests.order_by("-local_date").values_list("local_date", flat=True).first()
    before = program.started_on - timedelta(days=1)
    return max(last, before) if last else before
