"""Where a report belongs: its patient's case, program and check-in, on which local date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from clinic.errors import FieldError
from patients.models import Episode, Patient
from programs.models import Answer, CheckInRequest, Program, RelapseWatch, Run, Session
from programs.rules.schedule import local_date
from programs.services.diary.reports import Report, fingerprint

FAST_CLOCK = timedelta(hours=24)
"""How far ahead a device's clock may be: a red flag must not be lost to it."""


class DiaryError(FieldError):
    """The report cannot be so."""


class DiaryConflict(DiaryError):
    """Something else is stored already; it stands."""


class DiaryNotFound(DiaryError):
    """``field`` names something that is not there, or not this patient's: the same answer for both."""

    def __init__(self, field: str) -> None:
        super().__init__(field, "Not found.")


@dataclass(frozen=True, slots=True)
class Place:
    """Whose day a report counts on, and the instant it is stored with."""

    patient: Patient
    episode: Episode
    program: Program | None
    on: date
    at: datetime


def lock(patient: Patient) -> Patient:
    """The patient, so locked that their reports come one after the other; others may still refer to them.

    Raises:
        DiaryNotFound: they were erased while the report was on its way.
    """
    rows = Patient.objects.select_for_update(of=("self",), no_key=True).select_related("clinic__policy")
    locked: Patient | None = rows.filter(pk=patient.pk).first()
    if locked is None:
        raise DiaryNotFound("patient")
    return locked


def stored_row[Row: (Answer, Session, Run)](
    kind: type[Row], patient: Patient, client_id: UUID, report: Report
) -> Row | None:
    """The row stored under this UUID. Raises DiaryConflict if it was made by another report."""
    if not kind.objects.filter(patient=patient, client_id=client_id).exists():
        return None  # as a rule: no need for all that ``find`` joins
    row = find(kind, patient, client_id)
    if row is not None and row.body_hash != fingerprint(report):
        raise DiaryConflict("client_id", "Used before with another body. What is stored was not changed.")
    return row


def find[Row: (Answer, Session, Run)](kind: type[Row], patient: Patient, client_id: UUID) -> Row | None:
    """The patient's own row of this UUID, with what its verdict needs."""
    rows = kind.objects.select_related("episode__clinic__policy", "corrects", "corrected_by")
    return rows.filter(patient=patient, client_id=client_id).first()


def corrected_row[Row: (Answer, Session, Run)](
    kind: type[Row], patient: Patient, client_id: UUID | None
) -> Row | None:
    """The row a correction names.

    Raises:
        DiaryNotFound: there is none.
        DiaryError: it was corrected before; the correction itself may be corrected.
    """
    if client_id is None:
        return None
    row = find(kind, patient, client_id)
    if row is None:
        raise DiaryNotFound("corrects")
    if (by := getattr(row, "corrected_by", None)) is not None:
        raise DiaryError("corrects", f"Corrected before, by {by.client_id}: correct that one.")
    return row


def place(
    patient: Patient,
    occurred_at: datetime,
    now: datetime,
    program: Program | None = None,
    *,
    watched: bool = False,
    by_watch: bool = False,
) -> Place:
    """The day, and the case and program it falls into; ``program`` where the report names it.

    What a fast clock puts into the future happened now. ``watched``: a closed case under a relapse watch
    takes it too, where no case was open, and to its own question (``by_watch``) after the watch is over;
    and where the program's case takes nothing any more, as after it was re-opened, the case that was open
    or under watch does: a red flag must not be lost to an old link.

    Raises:
        DiaryError: more than a day in the future, or when no case of the patient was open.
    """
    if occurred_at > now + FAST_CLOCK:
        raise DiaryError("occurred_at", "Lies in the future.")
    at = min(occurred_at, now)
    try:
        on = local_date(at, patient.timezone)
        clinic_day = local_date(at, patient.clinic.timezone)
    except OverflowError:
        raise DiaryError("occurred_at", "Out of range.") from None
    episode = _open_case(patient, clinic_day, program)
    if episode is None and watched:
        episode = _watched_case(patient, clinic_day, at, program, late=by_watch)
    if episode is None and watched and program is not None:
        program = None
        episode = _open_case(patient, clinic_day, None) or _watched_case(
            patient, clinic_day, at, None, late=False
        )
    if episode is None:
        raise DiaryError("occurred_at", f"No case of yours was open on {clinic_day}.")
    return Place(patient, episode, program or _program_on(episode, on), on, at)


def request_named(patient: Patient, request_id: int | None) -> CheckInRequest | None:
    """The check-in a report names. Raises DiaryNotFound unless it is the patient's."""
    if request_id is None:
        return None
    requests = CheckInRequest.objects.of_patient(patient).select_related("program")
    request: CheckInRequest | None = requests.filter(pk=request_id).first()
    if request is None:
        raise DiaryNotFound("request")
    return request


def request_of_day(place: Place) -> CheckInRequest | None:
    """The check-in that an unprompted answer of that day answers, if there was one; a missed one too. Of a
    relapse watch it is the last one that is not answered, whenever it was asked.
    """
    if not place.episode.is_open and (asked := _asked_by_watch(place.episode)):
        return asked
    return CheckInRequest.objects.filter(program__episode=place.episode, local_date=place.on).first()


def _asked_by_watch(episode: Episode) -> CheckInRequest | None:
    asked = CheckInRequest.objects.filter(program__episode=episode, watch__ended_at=None, watch__isnull=False)
    found: CheckInRequest | None = (
        asked.exclude(state=CheckInRequest.State.ANSWERED).order_by("-local_date").first()
    )
    return found


def _open_on(patient: Patient, day: date) -> QuerySet[Episode]:
    cases = Episode.objects.filter(patient=patient, opened_on__lte=day)
    return cases.filter(Q(closed_on=None) | Q(closed_on__gte=day))


def _open_case(patient: Patient, day: date, program: Program | None) -> Episode | None:
    """The case that was open on that day at the clinic; of several the one with an active program."""
    cases = _open_on(patient, day)
    if program is not None:
        cases = cases.filter(pk=program.episode_id)
    active = Exists(Program.objects.active().filter(episode=OuterRef("pk")))
    ranked = cases.alias(active=active).order_by("-active", "-opened_on", "-pk")
    found: Episode | None = ranked.first()
    if found is not None:
        found.clinic = patient.clinic  # with its policy: no need to read them again
    return found


def _watched_case(
    patient: Patient, day: date, at: datetime, program: Program | None, *, late: bool
) -> Episode | None:
    """The closed case whose relapse watch ran at that instant, the last of several; ``late``: or did before.

    Not one that had gone on as another by that day: what is told counts in the one whose program it holds.
    """
    cases = Episode.objects.filter(patient=patient, closed_on__lte=day, relapse_watch__starts_on__lte=day)
    listens = Q(relapse_watch__ended_at=None) | Q(relapse_watch__ended_at__gt=at)
    if late:
        listens |= ~Q(relapse_watch__end_reason=RelapseWatch.End.REOPENED)
    cases = cases.filter(listens).exclude(relapse_watch__reopened_as__in=_open_on(patient, day))
    cases = cases.exclude(pk__in=Episode.objects.filter(patient=patient).followed(by=day))
    if program is not None:
        cases = cases.filter(pk=program.episode_id)
    found: Episode | None = cases.order_by("-closed_on", "-pk").first()
    if found is not None:
        found.clinic = patient.clinic
    return found


def _program_on(episode: Episode, day: date) -> Program | None:
    """The program of that day; on the day it was replaced the new one."""
    programs = episode.programs.filter(started_on__lte=day)
    programs = programs.filter(Q(ended_on=None) | Q(ended_on__gte=day))
    return programs.order_by("-started_on", "-pk").first()
