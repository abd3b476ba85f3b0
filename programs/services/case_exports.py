"""A case, or the caseload, as one CSV that a spreadsheet opens: for the clinic's own use, by who may export.

The file is whole before its first byte leaves: what fails is refused, and no half of it lies in downloads.
UTF-8 with a byte order mark, without which Excel shows "Zoë" as "ZoÃ«".
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from operator import itemgetter
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.db import transaction
from django.db.models import Max, Q

from clinic import csv_cells
from clinic.audit import seen
from clinic.models import Clinic, User
from clinic.roles import Capability, require
from clinic.row_security import explain
from patients.models import Assessment, Episode, OutcomeScore, PrivacyEvent
from programs.models import (
    Alert,
    Answer,
    ContactLog,
    Hold,
    Pause,
    Program,
    Review,
    Run,
    Session,
    StageMove,
)
from programs.rules.red_flags import Symptom
from programs.rules.schedule import local_date, recall_words
from programs.rules.stall.labels import STATES, TRENDS, reason_label

IN_MEMORY = 1_000_000
CHUNK = 500

CASE_HEADER = ("Date", "What", "Knee", "Measure", "Value", "Unit", "Note", "By")
CASELOAD_HEADER = (
    *("Case", "Patient", "Clinician", "Diagnosis", "Index knee", "Opened on", "Closed on", "Outcome"),
    *("Program", "Program started on", "Stage", "Reviewed on", "Week", "State", "Trend", "Reason"),
    *("Suggested action", "Worst pain at the start (NPRS 0-10)", "Worst pain now (NPRS 0-10)"),
    *("Open alerts", "Last answer on"),
)
MEASUREMENTS = {
    "q_angles": "Q-angle",
    "strength_tests": "Strength",
    "flexibility_tests": "Flexibility",
    "foot_postures": "Foot posture",
    "movement_tests": "Movement",
    "aggravating_activities": "Aggravating activity",
}
SYMPTOMS = {symptom.value: symptom.label for symptom in Symptom}

type Cells = tuple[Any, ...]
"""A row, of a case its date first; what is missing at its end is empty."""


@transaction.atomic
def export_case_csv(*, episode: Episode, by: User, now: datetime) -> IO[bytes]:
    """Everything of a case by date, one thing a row; on record as taken out by ``by``.

    Raises:
        Denied: ``by`` may not export here.
    """
    require(by, Capability.EXPORT, episode.clinic_id)
    why = f"CSV of case {episode.case_number}"
    explain(why)
    PrivacyEvent.objects.create(
        clinic_id=episode.clinic_id,
        patient_key=episode.patient_id,
        what=PrivacyEvent.What.EXPORTED,
        by=by,
        reason=why,
        at=now,
    )
    seen.take_out(episode.patient_id, episode.clinic_id)
    blank = ("",) * len(CASE_HEADER)
    rows = ((*row, *blank[len(row) :]) for row in sorted(_of_case(episode), key=itemgetter(0)))
    return _file(CASE_HEADER, rows)


@transaction.atomic
def export_caseload_csv(
    *, clinic: Clinic, by: User, clinician: User | None = None, with_closed: bool = False
) -> IO[bytes]:
    """The clinic's cases, one a row, or those of one clinician; on record, for each patient, as taken out.

    Raises:
        Denied: ``by`` may not export here.
    """
    require(by, Capability.EXPORT, clinic.pk)
    explain("CSV of the caseload")
    cases = Episode.objects.scoped(by).filter(clinic=clinic).order_by("pk")
    if clinician is not None:
        cases = cases.filter(clinician=clinician)
    if not with_closed:
        cases = cases.filter(closed_on=None)
    return _file(CASELOAD_HEADER, _of_caseload(cases))


def _file(header: Sequence[str], rows: Iterable[Cells]) -> IO[bytes]:
    """To be read from its start; large ones lie on the disk, with no name, until they are closed."""
    file: Any = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - whoever answers with it closes it
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    csv_cells.write(text, chain([header], rows))
    text.detach()
    file.seek(0)
    return file  # type: ignore[no-any-return]


def _of_caseload(cases: Any) -> Iterator[Cells]:
    """In chunks: four queries for each 500 cases."""
    last = 0
    while chunk := list(cases.filter(pk__gt=last).select_related("patient", "clinician")[:CHUNK]):
        last = chunk[-1].pk
        ids = [episode.pk for episode in chunk]
        programs = {p.episode_id: p for p in Program.objects.active().filter(episode__in=ids)}
        latest = Review.objects.filter(episode__in=ids).order_by("episode_id", "-day", "-pk")
        reviews = {r.episode_id: r for r in latest.distinct("episode_id").defer("verdict", "thresholds")}
        alerts: dict[int, list[str]] = {}
        for alert in Alert.objects.unresolved().filter(episode__in=ids).order_by("opened_at"):
            alerts.setdefault(alert.episode_id, []).append(alert.get_kind_display())
        answered = dict(
            Answer.objects.current()
            .filter(episode__in=ids)
            .order_by()
            .values_list("episode")
            .annotate(Max("local_date"))
        )
        for episode in chunk:
            seen.take_out(episode.patient_id, episode.clinic_id)
            yield (
                *_case_cells(episode),
                *_program_cells(programs.get(episode.pk)),
                *_review_cells(reviews.get(episode.pk)),
                ", ".join(alerts.get(episode.pk, [])),
                answered.get(episode.pk),
            )


def _case_cells(episode: Episode) -> Cells:
    return (
        episode.case_number,
        episode.patient.full_name,
        str(episode.clinician),
        episode.get_diagnosis_display(),
        episode.get_index_side_display(),
        episode.opened_on,
        episode.closed_on,
        episode.get_outcome_display(),
    )


def _program_cells(program: Program | None) -> Cells:
    return (program.name, program.started_on, program.current_stage) if program else ("", "", "")


def _review_cells(review: Review | None) -> Cells:
    if review is None:
        return ("",) * 8
    reason = reason_label(review.reason, review.trend) if review.reason else ""
    words = (STATES.get(review.state, review.state), TRENDS.get(review.trend, review.trend), reason)
    return (review.day, review.week, *words, review.action, review.baseline, review.now)


def _of_case(episode: Episode) -> Iterator[Cells]:
    yield (episode.opened_on, "Case opened", episode.index_side, episode.get_diagnosis_display())
    if episode.closed_on:
        note = episode.discharge_note
        yield (episode.closed_on, "Case closed", "", episode.get_outcome_display(), "", "", note)
    yield from _assessments(episode)
    yield from _diary(episode)
    yield from _program(episode)
    yield from _alerts(episode)
    zone = episode.patient.timezone
    for contact in ContactLog.objects.filter(episode=episode).select_related("by"):
        kind = f"{contact.get_kind_display()}{', live' if contact.is_live else ''}"
        minutes = (contact.minutes, "min") if contact.minutes else ("", "")
        what = "Note" if contact.kind == ContactLog.Kind.NOTE else "Contact"
        yield (local_date(contact.at, zone), what, "", kind, *minutes, contact.note, str(contact.by))


def _assessments(episode: Episode) -> Iterator[Cells]:
    rows = Assessment.objects.filter(episode=episode).select_related("assessed_by")
    for found in rows.prefetch_related(*MEASUREMENTS):
        on, by = found.assessed_on, str(found.assessed_by)
        yield (on, "Assessment", "", found.get_kind_display(), found.worst_pain, "NPRS", found.notes, by)
        for relation, what in MEASUREMENTS.items():
            for test in getattr(found, relation).all():
                yield (on, what, getattr(test, "side", ""), str(test), "", "", "", by)
    for score in OutcomeScore.objects.filter(episode=episode):
        yield (score.taken_on, "Outcome measure", "", score.get_measure_display(), score.value, "points")


def _diary(episode: Episode) -> Iterator[Cells]:
    for answer in Answer.objects.current().filter(episode=episode):
        for side in ("left", "right"):
            for measure in ("worst", "usual"):
                value = getattr(answer, f"{measure}_{side}")
                if value is not None:
                    name = f"{measure.capitalize()} pain, last {recall_words(answer.recall_days)}"
                    yield (answer.local_date, "Check-in", side, name, value, "NPRS", answer.note)
        yield from _reported(answer, "Check-in")
    for session in Session.objects.current().filter(episode=episode):
        yield from _effort(session, "Session")
    for run in Run.objects.current().filter(episode=episode):
        yield (run.local_date, "Run", "", "Distance", run.distance_km, "km", run.note)
        yield from _effort(run, "Run")


def _effort(row: Session | Run, what: str) -> Iterator[Cells]:
    values = {"before": row.pain_before, "during": row.pain_during, "next morning": row.pain_next_morning}
    for when, value in values.items():
        if value is not None:
            yield (row.local_date, what, "", f"Pain {when}", value, "NPRS", row.note)
    yield from _reported(row, what)


def _reported(row: Answer | Session | Run, what: str) -> Iterator[Cells]:
    for code in row.red_flags:
        yield (row.local_date, what, "", "Red-flag symptom", SYMPTOMS.get(code, code))
    if row.limping:
        yield (row.local_date, what, "", "Limping", "yes")


def _program(episode: Episode) -> Iterator[Cells]:
    for program in Program.objects.filter(episode=episode).select_related("assigned_by"):
        yield (program.started_on, "Program started", "", program.name, "", "", "", str(program.assigned_by))
        if program.ended_on:
            yield (program.ended_on, "Program ended", "", program.name)
    of_case, zone = Q(program__episode=episode), episode.patient.timezone
    for move in StageMove.objects.filter(of_case).select_related("moved_by"):
        yield (move.moved_on, "Stage", "", str(move), "", "", move.override_reason, str(move.moved_by))
    for pause in Pause.objects.filter(of_case).select_related("paused_by"):
        until = f"until {pause.ends_on:%-d %b %Y}" if pause.ends_on else ""
        kind, by = pause.get_kind_display(), str(pause.paused_by)
        yield (pause.starts_on, "Pause", "", kind, until, "", pause.note, by)
    for hold in Hold.objects.filter(of_case).select_related("cleared_by"):
        yield (local_date(hold.since, zone), "On hold", "", hold.reason)
        if hold.cleared_at:
            end, by = local_date(hold.cleared_at, zone), str(hold.cleared_by)
            yield (end, "Hold ended", "", "", "", "", hold.finding, by)


def _alerts(episode: Episode) -> Iterator[Cells]:
    for alert in Alert.objects.filter(episode=episode).select_related("resolved_by"):
        yield (alert.opened_on, "Alert opened", "", alert.get_kind_display(), "", "", alert.summary)
        if alert.resolved_on:
            by = str(alert.resolved_by or "")
            yield (
                alert.resolved_on,
                "Alert resolved",
                "",
                alert.get_kind_display(),
                "",
                "",
                alert.outcome,
                by,
            )
