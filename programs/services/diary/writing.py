"""Storing a report, with all that follows from it in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from patients.models import Patient
from programs.models import (
    Answer,
    CheckInRequest,
    Exercise,
    ProgramDose,
    Run,
    Session,
    SessionExercise,
)
from programs.rules import pain, red_flags
from programs.rules.progression import Terrain, against
from programs.rules.schedule import UNASKED_RECALL_DAYS, local_date
from programs.services import advice, lights, running, watches
from programs.services.diary import placing
from programs.services.diary.placing import DiaryConflict, DiaryError, DiaryNotFound, Place
from programs.services.diary.reports import (
    AnswerReport,
    EffortReport,
    ExerciseDone,
    Report,
    RunReport,
    SessionReport,
    fingerprint,
)
from programs.services.due import review_again
from programs.services.red_flags import raise_red_flag
from programs.services.running_words import AGAINST

STRENGTH_KINDS = (Exercise.Kind.STRENGTH, Exercise.Kind.ISOMETRIC, Exercise.Kind.PLYOMETRIC)
"""Exercises that make a session count as a strength session."""


@dataclass(frozen=True, slots=True)
class Recorded[Row: (Answer, Session, Run)]:
    """The stored row; ``created`` is False for a retry.

    ``advice`` is what the patient must read now; ``light`` is None for an answer. ``against`` is what a run
    went against (a hold, a locked terrain), in the patient's words.
    """

    row: Row
    created: bool
    advice: advice.Advice | None
    light: lights.PatientLight | None
    against: Sequence[str] = ()


@transaction.atomic
def record_answer(
    *, patient: Patient, client_id: UUID, report: AnswerReport, now: datetime
) -> Recorded[Answer]:
    """Store an answer; it answers its check-in, also a missed one, and its red flags raise the alert.

    Raises:
        DiaryConflict: another report is stored under this UUID.
        DiaryNotFound: the check-in or the corrected answer is not this patient's.
        DiaryError: neither worst pain nor a red flag, usual above worst, or no case was open at that time.
    """
    patient = placing.lock(patient)
    if stored := placing.stored_row(Answer, patient, client_id, report):
        return _recorded(patient, stored, created=False)
    corrected = placing.corrected_row(Answer, patient, report.corrects)
    named = report.request or (corrected.request_id if corrected else None)
    asked = placing.request_named(patient, named)
    named_program = asked.program if asked else None
    by_watch = bool(asked and asked.watch_id)
    place = placing.place(patient, report.occurred_at, now, named_program, watched=True, by_watch=by_watch)
    _check_scores(report, place)
    request = asked or placing.request_of_day(place)
    answer = Answer.objects.create(
        **_shared(place, client_id, report, corrected, now),
        request=request,
        worst_left=report.worst_left,
        worst_right=report.worst_right,
        usual_left=report.usual_left,
        usual_right=report.usual_right,
        locations_left=_codes(report.locations_left),
        locations_right=_codes(report.locations_right),
        back_to_activity=None if report.active is None else report.active == "yes",
        recall_days=_recall_days(report, asked, corrected),
    )
    if request is not None:
        _mark_answered(request, now)
    watches.judge_answer(answer=answer, now=now)
    return _raised(patient, answer, f"check-in of {place.on:%-d %b %Y}", now)


@transaction.atomic
def record_session(
    *, patient: Patient, client_id: UUID, report: SessionReport, now: datetime
) -> Recorded[Session]:
    """Store an exercise session with the exercises done.

    Raises:
        DiaryConflict: another report is stored under this UUID.
        DiaryNotFound: a dose or the corrected session is not this patient's.
        DiaryError: doses of two programs or twice the same one, no case open at that time, or a next morning
            that has not come yet.
    """
    patient = placing.lock(patient)
    if stored := placing.stored_row(Session, patient, client_id, report):
        return _recorded(patient, stored, created=False)
    corrected = placing.corrected_row(Session, patient, report.corrects)
    doses = _doses(patient, report.exercises)
    program = next(iter(doses.values())).stage.program
    place = placing.place(patient, report.occurred_at, now, program)
    session = Session.objects.create(
        **_shared(place, client_id, report, corrected, now),
        **_effort(place, report, now),
        is_strength=any(dose.exercise.kind in STRENGTH_KINDS for dose in doses.values()),
    )
    SessionExercise.objects.bulk_create(
        SessionExercise(
            clinic_id=session.clinic_id,
            session=session,
            dose=doses[done.dose],
            sets_done=done.sets_done,
            reps_done=done.reps_done,
            seconds_done=done.seconds_done,
            load_kg=done.load_kg,
        )
        for done in report.exercises
    )
    return _raised(patient, session, f"session of {place.on:%-d %b %Y}", now)


@transaction.atomic
def record_run(*, patient: Patient, client_id: UUID, report: RunReport, now: datetime) -> Recorded[Run]:
    """Store a run, on the ladder step that the program is at.

    Raises:
        DiaryConflict: another report is stored under this UUID.
        DiaryNotFound: the corrected run is not this patient's.
        DiaryError: no case open at that time, or a next morning that has not come yet.
    """
    patient = placing.lock(patient)
    if stored := placing.stored_row(Run, patient, client_id, report):
        return _recorded(patient, stored, created=False)
    corrected = placing.corrected_row(Run, patient, report.corrects)
    place = placing.place(patient, report.occurred_at, now)
    run = Run.objects.create(
        **_shared(place, client_id, report, corrected, now),
        **_effort(place, report, now),
        distance_km=report.distance_km,
        minutes=report.minutes,
        terrain=_codes(report.terrain),
        **_on_the_ladder(place, report, corrected),
    )
    return _raised(patient, run, f"run of {place.on:%-d %b %Y}", now)


@transaction.atomic
def add_next_morning[Effort: (Session, Run)](
    *, patient: Patient, kind: type[Effort], client_id: UUID, pain_next_morning: Decimal, now: datetime
) -> Recorded[Effort]:
    """Fill in how the knee was on the morning after; the same value again changes nothing.

    Raises:
        DiaryNotFound: no such session or run of this patient.
        DiaryConflict: another value is stored, or the row was corrected by a later one.
        DiaryError: the next morning has not come yet.
    """
    patient = placing.lock(patient)
    row = placing.find(kind, patient, client_id)
    if row is None:
        raise DiaryNotFound("client_id")
    if row.pain_next_morning is not None:
        if row.pain_next_morning != pain_next_morning:
            raise DiaryConflict("pain_next_morning", "Another value is stored. It was not changed.")
        return _recorded(patient, row, created=False)
    if (by := getattr(row, "corrected_by", None)) is not None:
        raise DiaryConflict("client_id", f"Corrected by {by.client_id}: add it to that one.")
    _check_next_morning(patient, row.local_date, now)
    row.pain_next_morning = pain_next_morning
    row.save(update_fields=["pain_next_morning"])
    review_again(episode=row.episode, now=now, patient=patient)
    return _recorded(patient, row, created=False)


def advice_on_refusal(
    *, patient: Patient, ticked: Sequence[str], limping: bool, now: datetime
) -> advice.Advice | None:
    """What to read when a report with these symptoms was refused; None without any.

    A wrong time makes a symptom no less urgent, and nobody is told of it but the patient.
    """
    on = local_date(now, patient.timezone)
    return advice.on_refusal(patient, _flags(patient, ticked, limping=limping, on=on))


def _shared(place: Place, client_id: UUID, report: Report, corrected: Any, now: datetime) -> dict[str, Any]:
    return {
        "clinic_id": place.patient.clinic_id,
        "patient": place.patient,
        "episode": place.episode,
        "program": place.program,
        "client_id": client_id,
        "body_hash": fingerprint(report),
        "occurred_at": place.at,
        "local_date": place.on,
        "received_at": now,
        "corrects": corrected,
        "red_flags": _codes((*report.red_flags, *report.worse_red_flags)),
        "worse_red_flags": _codes(report.worse_red_flags),
        "limping": report.limping,
        "note": report.note,
    }


def _recall_days(report: AnswerReport, asked: CheckInRequest | None, corrected: Answer | None) -> int:
    """As far as the question that was put looks back; a correction as far as what it corrects."""
    if report.request is None and corrected is not None:
        return int(corrected.recall_days)
    return int(asked.recall_days) if asked is not None else UNASKED_RECALL_DAYS


def _effort(place: Place, report: EffortReport, now: datetime) -> dict[str, Any]:
    if report.pain_next_morning is not None:
        _check_next_morning(place.patient, place.on, now)
    return {
        "pain_before": report.pain_before,
        "pain_during": report.pain_during,
        "pain_next_morning": report.pain_next_morning,
        "pain_rising": report.pain_rising,
    }


def _on_the_ladder(place: Place, report: RunReport, corrected: Run | None) -> dict[str, Any]:
    """The step it was, and what it went against: by what is open at the moment it is told."""
    program = place.program
    if program is None or not program.is_active:
        return {"ladder_step": program.ladder_step if program else None}
    around = timedelta(days=7)
    others = Run.objects.current().filter(
        program=program, local_date__gt=place.on - around, local_date__lt=place.on + around
    )
    found = against(
        running.ground_of(program),
        on=place.on,
        terrain=[Terrain(code) for code in report.terrain],
        other_runs=list(
            others.exclude(pk=corrected.pk if corrected else None).values_list("local_date", flat=True)
        ),
        on_hold=program.holds.filter(cleared_at=None).exists(),
        thresholds=place.episode.thresholds,
    )
    return {"ladder_step": program.ladder_step, "against": [code.value for code in found]}


def _check_scores(report: AnswerReport, place: Place) -> None:
    """A red flag is heard without a number, also one that only a limp tells: whoever has it rates no knee."""
    ticked = _codes((*report.red_flags, *report.worse_red_flags))
    told = _flags(place.patient, ticked, limping=report.limping, on=place.on)
    if report.worst_left is None and report.worst_right is None and not told:
        raise DiaryError("worst_left", "Give the worst pain of one knee at least.")
    for side in ("left", "right"):
        worst, usual = getattr(report, f"worst_{side}"), getattr(report, f"usual_{side}")
        if worst is not None and usual is not None and usual > worst:
            raise DiaryError(f"usual_{side}", f"Usual pain can't be above the worst ({pain.figure(worst)}).")


def _check_next_morning(patient: Patient, on: date, now: datetime) -> None:
    """An evening's guess would turn a session green that nobody has slept on."""
    if local_date(now, patient.timezone) <= on:
        raise DiaryError("pain_next_morning", f"Can be told from the morning after {on}.")


def _doses(patient: Patient, exercises: Iterable[ExerciseDone]) -> Mapping[int, ProgramDose]:
    """The doses by id, all of one program of the patient, none twice."""
    ids = [done.dose for done in exercises]
    if not ids:
        raise DiaryError("exercises", "Name one exercise at least.")
    rows = ProgramDose.objects.of_patient(patient).filter(stage__program__is_draft=False)
    rows = rows.select_related("exercise", "stage__program")
    doses: dict[int, ProgramDose] = rows.in_bulk(ids)
    for index, pk in enumerate(ids):
        field = f"exercises.{index}.dose"
        if pk not in doses:
            raise DiaryNotFound(field)
        if pk in ids[:index]:
            raise DiaryError(field, "Named twice.")
        if doses[pk].stage.program_id != doses[ids[0]].stage.program_id:
            raise DiaryError(field, "Belongs to another program than the first.")
    return doses


def _mark_answered(request: CheckInRequest, now: datetime) -> None:
    """By condition, not by what was read: the sweep may be marking it missed right now."""
    CheckInRequest.objects.filter(pk=request.pk).exclude(state=CheckInRequest.State.ANSWERED).update(
        state=CheckInRequest.State.ANSWERED, answered_at=now, remind_at=None
    )


def _raised[Row: (Answer, Session, Run)](
    patient: Patient, row: Row, source: str, now: datetime
) -> Recorded[Row]:
    """Raise what the new row reports; backdated ones too."""
    codes = _flags_of(patient, row)
    if codes:
        raise_red_flag(
            episode=row.episode,
            codes=codes,
            source=source,
            evidence=[{"kind": row._meta.model_name, "id": row.pk, "on": row.local_date.isoformat()}],
            now=now,
            worse=row.worse_red_flags,
            reported_at=row.occurred_at,
        )
    review_again(episode=row.episode, now=now, patient=patient)
    return _recorded(patient, row, created=True)


def _recorded[Row: (Answer, Session, Run)](patient: Patient, row: Row, *, created: bool) -> Recorded[Row]:
    words = advice.on_report(patient, row.episode_id, _flags_of(patient, row))
    if isinstance(row, Answer):
        return Recorded(row, created, words, None)
    # Whoever trains while a flag is open has not read, or not heeded, what to do.
    held = words or advice.of_patient(patient)
    against = [AGAINST[code] for code in row.against] if isinstance(row, Run) else ()
    return Recorded(row, created, held, lights.for_patient(row), against)


def _flags_of(patient: Patient, row: Answer | Session | Run) -> list[str]:
    return _flags(patient, row.red_flags, limping=row.limping, on=row.local_date)


def _flags(patient: Patient, ticked: Sequence[str], *, limping: bool, on: date) -> list[str]:
    """The symptoms ticked; under 18 a limp or hip pain with them makes it the hip until shown otherwise."""
    age = patient.age_on(on)
    hip = limping or red_flags.Symptom.GROIN_HIP in ticked
    minor = None if age is None else red_flags.screen_minor(age, hip_examined=True, hip_findings=hip)
    return [*ticked, minor.flag] if minor and minor.flag else list(ticked)


def _codes(given: Iterable[str]) -> list[str]:
    """Each once, in the order given."""
    return list(dict.fromkeys(given))
