"""From a checked diary to rows: patient, case, intake, sleeping program, requests and answers.

Every id a client would make is derived from clinic, case and date, so that importing again changes nothing.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import batched
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction

from clinic.data_keys import prepare
from clinic.models import Clinic, User
from clinic.roles import Capability, require
from patients.models import Assessment, Episode, Patient
from patients.services import numbers_put_away, require_clinician
from patients.vocabulary import AssessmentKind, Side
from programs.models import Answer, CheckInRequest, Program, ProgramDose, ProgramStage, Template
from programs.rules.schedule import local_date, missed_at, slot_at
from programs.services.assign import DOSE_FIELDS, STAGE_FIELDS
from programs.services.imports.reading import Diary, Problem, Row, read

NAMESPACE = UUID("3d1f0c0e-6b1f-5a53-9a0e-5f5d2c1b7a46")
CHUNK = 50
LONGEST_EVERY = 28

SIDE = Side.LEFT
NOTE = "Imported from a pain diary, which names no knee: recorded as the left one. Check before waking it."


class ImportRefused(ValueError):
    """Nothing was imported; ``problems`` says why, one a row (or one of the import as a whole)."""

    def __init__(self, *problems: Problem | str) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Imported:
    """What the file held, how much of it was new, and the rows that were left out."""

    cases: int
    scores: int
    new_cases: int
    new_scores: int
    left_out: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Import:
    """What is the same for every case."""

    clinic: Clinic
    clinician: User
    template: Template
    every: int
    until: date
    at: time
    now: datetime

    def instant(self, day: date) -> datetime:
        """When a check-in of that day is asked here."""
        return slot_at(day, self.at, self.clinic.timezone) or datetime.combine(day, self.at, UTC)


@dataclass(frozen=True, slots=True)
class _Known:
    """A case that was imported before: its program, and the score of each day."""

    program: Program
    scores: dict[date, Any]


Cases = dict[str, list[Row]]
Requests = dict[tuple[int, date], int]


@transaction.atomic
def import_diary(
    *,
    content: bytes,
    clinic: Clinic,
    clinician: User,
    template: Template,
    every: int,
    now: datetime,
    skip_invalid: bool = False,
    report: Callable[[int, int], object] = lambda done, total: None,
) -> Imported:
    """Import a diary; the programs sleep until a clinician wakes them.

    The first row of a case is its intake and starts the program, the others are answers; a request lies on
    every ``every``-th day from the start until the file's last date, answered by the first row before the
    next one. ``report`` is told the cases done, and how many there are.

    Raises:
        ImportRefused: a row is not valid and ``skip_invalid`` is not set, or clinic, template or interval
            don't fit.
        DiaryFileError: the file is no diary.
        Denied, CaseError: the clinician may not treat in this clinic.
    """
    Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)  # one import at a time
    _check_arguments(clinic, clinician, template, every)
    diary = read(content, today=local_date(now, clinic.timezone))
    known = _known_cases(clinic, _by_case(diary.rows))
    problems = _problems(clinic, diary, known)
    if problems and not skip_invalid:
        raise ImportRefused(*problems)
    wrong = {problem.line for problem in problems}
    good = _by_case(row for row in diary.rows if row.line not in wrong)
    last = max((row.on for rows in good.values() for row in rows), default=date.min)
    at = clinic.thresholds().check_in_time
    job = _Import(clinic, clinician, template, every, until=last, at=at, now=now)
    return Imported(
        cases=len(good),
        scores=sum(len(rows) for rows in good.values()),
        new_cases=len(good.keys() - known.keys()),
        new_scores=_write_all(job, good, known, report),
        left_out=problems,
    )


def _check_arguments(clinic: Clinic, clinician: User, template: Template, every: int) -> None:
    require(clinician, Capability.WRITE_CLINICAL, clinic.pk)
    require_clinician(clinician, clinic.pk)
    if not 1 <= every <= LONGEST_EVERY:
        raise ImportRefused(f"--every: expected 1 to {LONGEST_EVERY} days, got {every}")
    usable = Template.objects.usable_by(clinic).filter(pk=template.pk, is_active=True).exists()
    if not usable or not template.diagnoses:
        raise ImportRefused(f"--template: {template.slug} is not in this clinic's library")


def _by_case(rows: Iterable[Row]) -> Cases:
    """The rows of each case in the order of their dates."""
    cases: Cases = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.case, row.on)):
        cases[row.case].append(row)
    return dict(cases)


def _known_cases(clinic: Clinic, cases: Cases) -> dict[str, _Known]:
    """Those of the cases that an earlier import wrote."""
    patients = {_patient_id(clinic, case): case for case in cases}
    programs = Program.objects.filter(episode__patient__in=patients).select_related("episode")
    first = {program.episode.patient_id: program for program in programs.order_by("-started_on", "-pk")}
    scores: dict[UUID, dict[date, Any]] = defaultdict(dict)
    intakes = Assessment.objects.filter(episode__patient__in=patients, kind=AssessmentKind.INTAKE)
    for patient, day, worst in intakes.values_list("episode__patient", "assessed_on", "worst_pain"):
        scores[patient][day] = worst
    answers = Answer.objects.filter(patient__in=patients)
    for answer in answers:
        if answer.client_id == _client_id(clinic, patients[answer.patient_id], answer.local_date):
            scores[answer.patient_id][answer.local_date] = getattr(answer, f"worst_{SIDE}")
    return {patients[patient]: _Known(program, scores[patient]) for patient, program in first.items()}


def _problems(clinic: Clinic, diary: Diary, known: dict[str, _Known]) -> tuple[Problem, ...]:
    """What is wrong with the file, and what contradicts the record, in the order of the lines."""
    problems = [*diary.problems, *_conflicts(clinic, _by_case(diary.rows), known)]
    return tuple(sorted(problems, key=lambda problem: problem.line))


def _conflicts(clinic: Clinic, cases: Cases, known: dict[str, _Known]) -> list[Problem]:
    """Rows that contradict what the clinic has."""
    new = [case for case in cases if case not in known]
    taken = Episode.objects.filter(clinic=clinic, case_number__in=new).values_list("case_number", flat=True)
    told = dict.fromkeys(taken, "is a case of this clinic already")
    told |= dict.fromkeys(numbers_put_away(clinic=clinic, among=new), "was that of someone erased")
    problems = [
        Problem(row.line, "case", f"expected a new case number, {case} {what}")
        for case, what in told.items()
        for row in cases[case]
    ]
    for case, found in known.items():
        problems += [problem for row in cases[case] if (problem := _conflict(row, found))]
    return problems


def _conflict(row: Row, known: _Known) -> Problem | None:
    program, stored = known.program, known.scores.get(row.on)
    if stored is not None and stored != row.worst:
        return Problem(row.line, "worst_pain", f"expected {stored} as imported before, got {row.worst}")
    if stored is not None:
        return None
    if row.on < program.started_on:
        text = f"expected a date after {program.started_on}, when case {row.case} was started, got {row.on}"
        return Problem(row.line, "date", text)
    if not (program.is_active and program.asleep):
        return Problem(row.line, "case", f"expected no new rows: case {row.case} was woken or ended since")
    return None


def _write_all(
    job: _Import, cases: Cases, known: dict[str, _Known], report: Callable[[int, int], object]
) -> int:
    """Store chunk by chunk; returns how many scores were new."""
    new_scores = 0
    for number, chunk in enumerate(batched(cases.items(), CHUNK, strict=False), 1):
        new_scores += _write(job, dict(chunk), known)
        report(min(number * CHUNK, len(cases)), len(cases))
    return new_scores


def _write(job: _Import, cases: Cases, known: dict[str, _Known]) -> int:
    """Store a chunk of cases; returns how many scores of it were new."""
    new = {case: rows for case, rows in cases.items() if case not in known}
    programs = {case: known[case].program for case in cases if case in known} | _open_cases(job, new)
    answers = {case: _later(rows, programs[case], known.get(case)) for case, rows in cases.items()}
    requests = _write_requests(job, cases, programs)
    Answer.objects.bulk_create(
        _answer(job, programs[case], row, requests) for case, rows in answers.items() for row in rows
    )
    return len(new) + sum(len(rows) for rows in answers.values())


def _later(rows: Sequence[Row], program: Program, known: _Known | None) -> list[Row]:
    """The rows that are answers and not stored yet: all but the intake."""
    stored = known.scores if known else {}
    return [row for row in rows if row.on != program.started_on and row.on not in stored]


def _open_cases(job: _Import, cases: Cases) -> dict[str, Program]:
    """A patient, a case, an intake and a sleeping program for each."""
    patients = Patient.objects.bulk_create(_patient(job, case) for case in cases)
    episodes = Episode.objects.bulk_create(
        _episode(job, patient, case, rows[0].on)
        for patient, (case, rows) in zip(patients, cases.items(), strict=True)
    )
    prepare({patient.pk: patient.clinic_id for patient in patients})
    Assessment.objects.bulk_create(
        _intake(job, episode, rows[0]) for episode, rows in zip(episodes, cases.values(), strict=True)
    )
    programs = Program.objects.bulk_create(_program(job, episode) for episode in episodes)
    _copy_stages(job, programs)
    return dict(zip(cases, programs, strict=True))


def _patient(job: _Import, case: str) -> Patient:
    return Patient(
        id=_patient_id(job.clinic, case),
        clinic=job.clinic,
        given_name="Case",
        family_name=case,
        timezone=job.clinic.timezone,
    )


def _episode(job: _Import, patient: Patient, case: str, opened_on: date) -> Episode:
    return Episode(
        clinic=job.clinic,
        patient=patient,
        case_number=case,
        clinician=job.clinician,
        diagnosis=job.template.diagnoses[0],
        index_side=SIDE,
        opened_on=opened_on,
    )


def _intake(job: _Import, episode: Episode, row: Row) -> Assessment:
    return Assessment(
        clinic=job.clinic,
        episode=episode,
        kind=AssessmentKind.INTAKE,
        assessed_on=row.on,
        assessed_by=job.clinician,
        worst_pain=row.worst,
        notes=NOTE,
    )


def _program(job: _Import, episode: Episode) -> Program:
    return Program(
        clinic=job.clinic,
        episode=episode,
        template=job.template,
        name=job.template.name,
        assigned_by=job.clinician,
        started_on=episode.opened_on,
        stage_started_on=episode.opened_on,
        strength_per_week=job.template.strength_per_week,
        asleep=True,
    )


def _copy_stages(job: _Import, programs: Sequence[Program]) -> None:
    """The template's stages and doses for all programs in two statements."""
    templates = list(job.template.stages.prefetch_related("doses"))
    pairs = [(program, stage) for program in programs for stage in templates]
    copies = ProgramStage.objects.bulk_create(
        ProgramStage(
            clinic=job.clinic, program=program, **{name: getattr(stage, name) for name in STAGE_FIELDS}
        )
        for program, stage in pairs
    )
    ProgramDose.objects.bulk_create(
        ProgramDose(
            clinic=job.clinic,
            stage=copy,
            exercise_id=dose.exercise_id,
            **{name: getattr(dose, name) for name in DOSE_FIELDS},
        )
        for copy, (_, stage) in zip(copies, pairs, strict=True)
        for dose in stage.doses.all()
    )


def _write_requests(job: _Import, cases: Cases, programs: dict[str, Program]) -> Requests:
    """Lay the requests that are missing, and answer those that a new row answers; ids by program and date."""
    ids = [program.pk for program in programs.values()]
    stored = CheckInRequest.objects.filter(program__in=ids)
    states = {(request.program_id, request.local_date): request.state for request in stored}
    wanted = [
        request
        for case, rows in cases.items()
        if programs[case].asleep
        for request in _requests(job, programs[case], rows)
    ]
    answered = CheckInRequest.State.ANSWERED
    CheckInRequest.objects.bulk_create(
        [
            request
            for request in wanted
            if (state := states.get((request.program_id, request.local_date))) is None
            or (request.state == answered and state != answered)
        ],
        update_conflicts=True,
        unique_fields=["program", "local_date"],
        update_fields=["state", "answered_at"],
    )
    rows = CheckInRequest.objects.filter(program__in=ids).values_list("program_id", "local_date", "pk")
    return {(program, day): pk for program, day, pk in rows}


def _requests(job: _Import, program: Program, rows: Sequence[Row]) -> Iterable[CheckInRequest]:
    answered: dict[date, date] = {}
    for row in rows:
        if row.on != program.started_on:
            answered.setdefault(_slot(job, program, row.on), row.on)
    t = job.clinic.thresholds()
    for number in range(1, (job.until - program.started_on).days // job.every + 1):
        day = program.started_on + timedelta(days=number * job.every)
        due = job.instant(day)
        missed = missed_at(due, t)
        state = CheckInRequest.State.MISSED if missed <= job.now else CheckInRequest.State.OPEN
        if day in answered:
            state = CheckInRequest.State.ANSWERED
        yield CheckInRequest(
            clinic=job.clinic,
            program=program,
            local_date=day,
            due_at=due,
            missed_at=missed,
            state=state,
            answered_at=job.instant(answered[day]) if day in answered else None,
        )


def _slot(job: _Import, program: Program, day: date) -> date:
    """The day of the request that a row of ``day`` answers: the latest one until then."""
    return day - timedelta(days=(day - program.started_on).days % job.every)


def _answer(job: _Import, program: Program, row: Row, requests: Requests) -> Answer:
    return Answer(
        clinic=job.clinic,
        patient_id=_patient_id(job.clinic, row.case),
        episode_id=program.episode_id,
        program=program,
        request_id=requests.get((program.pk, _slot(job, program, row.on))),
        client_id=_client_id(job.clinic, row.case, row.on),
        body_hash=hashlib.sha256(f"{row.case},{row.on},{row.worst}".encode()).hexdigest(),
        occurred_at=job.instant(row.on),
        local_date=row.on,
        **{f"worst_{SIDE}": row.worst},
    )


def _patient_id(clinic: Clinic, case: str) -> UUID:
    return uuid5(NAMESPACE, f"{clinic.pk}/{case}")


def _client_id(clinic: Clinic, case: str, day: date) -> UUID:
    return uuid5(NAMESPACE, f"{clinic.pk}/{case}/{day}")
