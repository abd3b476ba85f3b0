"""Edits field by field, as a tool makes them: what the admin's forms check is checked here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Model

from clinic.models import Clinic, User
from clinic.roles import Capability, Denied, require
from patients.models import Episode, Patient
from patients.services import CaseError, check_onset, open_episode, register_patient
from programs.models import Answer, Exercise, Program, Template
from programs.rules.schedule import local_date
from programs.services.assign import AssignError
from programs.services.cases import change_contact
from programs.services.checkins import schedule_next
from programs.services.due import review_again, review_at_once
from programs.services.library import (
    changing_template,
    check_drivers,
    check_neighbours,
    put_stages,
    raise_exercise_version,
)

CONTACT_FIELDS = (
    *("given_name", "family_name", "email", "phone", "birth_date", "sex", "timezone"),
    *("guardian_name", "guardian_consented_on"),
)
CASE_FIELDS = ("diagnosis", "index_side", "both_knees", "onset_on", "onset_kind", "running_track")
PROGRAM_FIELDS = ("name", "strength_per_week", "check_in_weekdays", "check_in_time", "testing_run_gate")
EXERCISE_FIELDS = (
    *("name", "kind", "muscle_groups", "tags", "cues", "equipment", "per_side", "easier", "harder", "source"),
)
TEMPLATE_FIELDS = (
    *("name", "summary", "diagnoses", "drivers", "strength_per_week", "quadriceps_only", "deep_flexion"),
    *("maintenance", "is_active"),
)
ASKED_BY = {"check_in_weekdays", "check_in_time", "testing_run_gate"}
"""Other days or another hour move the next check-in."""


@transaction.atomic
def take_on(
    *, clinic: Clinic, by: User, contact: Mapping[str, Any], case: Mapping[str, Any] | None, now: datetime
) -> Patient:
    """A new patient and, if ``case`` says which, the first case: both, or neither.

    Raises:
        Denied, ValidationError, CaseError: as ``register_patient`` and ``open_episode``.
    """
    today = now.astimezone(ZoneInfo(clinic.timezone)).date()
    patient = register_patient(clinic=clinic, by=by, today=today, **contact)
    if case is not None:
        today = local_date(now, patient.timezone)
        open_episode(patient=patient, by=by, today=today, **{"opened_on": today, **case})
    return patient


@transaction.atomic
def edit_contact(*, patient: Patient, values: Mapping[str, Any], by: User, now: datetime) -> Patient:
    """Give the patient's contact data these values, with what follows from them (``change_contact``).

    Raises:
        Denied: ``by`` may not write contact data here.
        ValidationError: a value is not valid, by name.
    """
    require(by, Capability.WRITE_CONTACT, patient.clinic_id)
    return change_contact(patient=patient, changed=_set(patient, values), by=by, now=now)


@transaction.atomic
def edit_case(*, episode: Episode, values: Mapping[str, Any], by: User, now: datetime) -> Episode:
    """Correct what is known of the problem itself. The case is reviewed again.

    Raises:
        Denied: ``by`` may do no clinical work here.
        CaseError: the case is closed; another knee (``check_side``); or another running track while a
            program is under way: that is switched with a reason, and ends a ladder (``running.set_track``).
        ValidationError: a value is not valid, by name.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    if not episode.is_open:
        raise CaseError("episode", "This case is closed: it stays as it was.")
    track = values.get("running_track", episode.running_track)
    if track != episode.running_track and Program.objects.active().filter(episode=episode).exists():
        raise CaseError("running_track", "A program is under way: switch its track, with a reason.")
    check_side(episode=episode, side=values.get("index_side", episode.index_side))
    if changed := _set(episode, values):
        check_onset(values.get("onset_on"), today=local_date(now, episode.patient.timezone))
        episode.save(update_fields=changed)
        review_again(episode=episode, now=now)
    return episode


def check_side(*, episode: Episode, side: str) -> None:
    """A slip is corrected; once the patient has answered, the course is that knee's. Raises CaseError."""
    stored = Episode.objects.values_list("index_side", flat=True).get(pk=episode.pk)
    if side != stored and Answer.objects.filter(episode=episode).exists():
        raise CaseError(
            "index_side",
            f"The patient has answered: the course is the {stored} knee's. Discharge, and open a case for "
            "the other one.",
        )


@transaction.atomic
def edit_program(*, program: Program, values: Mapping[str, Any], by: User, now: datetime) -> Program:
    """Change a running program's name, frequency and check-ins; its ladder has services of its own. With
    another frequency the case is reviewed again.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AssignError: the program has ended.
        ValidationError: a value is not valid, by name.
    """
    require(by, Capability.WRITE_CLINICAL, program.clinic_id)
    if not program.is_active:
        raise AssignError("program", "This program has ended.")
    if changed := _set(program, values):
        program.save(update_fields=changed)
    if ASKED_BY & set(changed):
        schedule_next(program=program, now=now)
    if "strength_per_week" in changed:
        review_at_once(program=program)
    return program


def check_own(*, row: Exercise | Template, by: User) -> None:
    """Only what is the clinic's own is edited.

    Raises:
        Denied: the row is the starter library's, or ``by`` may do no clinical work in its clinic.
    """
    if row.clinic_id is None:
        raise Denied("The starter library stays as it is: copy it to your own first.")
    require(by, Capability.WRITE_CLINICAL, row.clinic_id)


@transaction.atomic
def edit_exercise(*, exercise: Exercise, values: Mapping[str, Any], by: User) -> Exercise:
    """Change the clinic's own exercise, by ``EXERCISE_FIELDS``: one version more, if that changes it.

    Raises:
        Denied: as ``check_own``.
        LibraryRefused: no other exercise that the clinic may use has the slug in ``easier`` or ``harder``.
        ValidationError: a value is not valid, by name.
    """
    check_own(row=exercise, by=by)
    check_neighbours(exercise, values)
    if changed := _set(exercise, values):
        exercise.save(update_fields=changed)
        raise_exercise_version(exercise)
    return exercise


@transaction.atomic
def edit_template(*, template: Template, values: Mapping[str, Any], by: User) -> Template:
    """Change the clinic's own template, by ``TEMPLATE_FIELDS``; ``stages`` replace those it has.

    One version more, if its content changes: being offered or not is none of it.

    Raises:
        Denied: as ``check_own``.
        LibraryRefused: a driver that there is not, or a weight that is not 1-3.
        ValidationError: a value is not valid, by its path.
    """
    check_own(row=template, by=by)
    head = {name: value for name, value in values.items() if name != "stages"}
    check_drivers(head.get("drivers", {}))
    with changing_template(template, by=by):
        if changed := _set(template, head):
            template.save(update_fields=changed)
        if "stages" in values:
            put_stages(template, values["stages"])
    return template


def _set(row: Model, values: Mapping[str, Any]) -> list[str]:
    """Set what differs, and check it; the names of what does."""
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        others = {field.name for field in row._meta.concrete_fields} - set(changed)
        row.full_clean(exclude=others)
    return changed
