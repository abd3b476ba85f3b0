"""Recording, changing, signing and correcting an assessment. It takes and refuses plain data.

``data`` has the columns of an assessment by name and a list of rows for each kind of measurement, as
``assessment_data.as_data`` gives it. What is impossible is refused with its plausible range, what is unusual
only stored once it is confirmed, and nobody overwrites what they have not seen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from clinic.errors import FieldError
from clinic.models import User
from clinic.roles import Capability, require
from patients.models import Addendum, Assessment, AssessmentDraft, Episode, OutcomeScore
from patients.scoring import Checked, Question
from patients.scoring import check_values as check_plain_values
from programs.models import Alert
from programs.rules.red_flags import Symptom
from programs.rules.schedule import local_date
from programs.services.assessment_data import COLUMNS, KINDS, SCORES, Built, Data, Kind, build, key_of
from programs.services.cases import screen_assessment
from programs.services.red_flags import raise_red_flag

SIGNED = "This assessment is signed: a correction is an addendum."


class AssessmentError(FieldError):
    """It can't be done to this assessment."""


class ValuesRefused(ValueError):
    """Values that cannot be, by path (a column, or ``list.index.column``); nothing was stored."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{path}: {message}" for path, message in errors.items()))
        self.errors = dict(errors)


class ValuesUnusual(ValueError):
    """Values to be confirmed by the key of their question; nothing was stored."""

    def __init__(self, questions: Sequence[Question]) -> None:
        super().__init__("; ".join(question.text for question in questions))
        self.questions = list(questions)


class ChangedMeanwhile(ValueError):
    """Somebody saved it since ``version`` was read; nothing was stored. ``current`` is as it is now."""

    def __init__(self, current: Assessment, version: int) -> None:
        super().__init__("Somebody else has changed this assessment since you opened it.")
        self.current, self.version = current, version


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was stored; ``alert`` is the red flag that it raised, if any is new."""

    assessment: Assessment
    alert: Alert | None


def check_values(*, episode: Episode, data: Data, now: datetime) -> Checked:
    """What would be refused and what questioned, by path; nothing is stored."""
    unsaved = Assessment(clinic_id=episode.clinic_id, episode=episode)
    return _check(build(unsaved, data), data, now)


@transaction.atomic
def record_assessment(
    *,
    episode: Episode,
    data: Data,
    by: User,
    now: datetime,
    confirmed: Collection[str] = (),
    sign: bool = False,
    draft: AssessmentDraft | None = None,
) -> Recorded:
    """A new assessment with its measurements; its red flags are raised.

    Args:
        confirmed: keys of the questions that were answered with "keep it".
        draft: what it was typed in, which is gone with it.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AssessmentError: the case is closed.
        ValuesRefused: values that cannot be.
        ValuesUnusual: values to be confirmed.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    if not Episode.objects.select_for_update(no_key=True).get(pk=episode.pk).is_open:
        raise AssessmentError("episode", "This case is closed: open a new one.")
    assessment = Assessment(clinic_id=episode.clinic_id, episode=episode, assessed_by=by)
    assessment.assessed_on = local_date(now, episode.patient.timezone)
    return _store(assessment, data, by, now, confirmed, sign, draft)


@transaction.atomic
def change_assessment(
    *,
    assessment: Assessment,
    data: Data,
    version: int,
    by: User,
    now: datetime,
    confirmed: Collection[str] = (),
    sign: bool = False,
    draft: AssessmentDraft | None = None,
) -> Recorded:
    """Change what ``data`` holds; a list it holds replaces all rows of that kind.

    Args:
        version: of the assessment as the writer saw it.

    Raises:
        As ``record_assessment``; AssessmentError: it is signed.
        ChangedMeanwhile: it is not of that version any more.
    """
    require(by, Capability.WRITE_CLINICAL, assessment.clinic_id)
    locked = _lock(assessment)
    if locked.is_signed:
        raise AssessmentError("assessment", SIGNED)
    if locked.version != version:
        raise ChangedMeanwhile(locked, version)
    locked.version += 1
    return _store(locked, data, by, now, confirmed, sign, draft)


@transaction.atomic
def sign_assessment(*, assessment: Assessment, version: int, by: User, now: datetime) -> Assessment:
    """Sign it: from then on neither it nor its measurements change.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AssessmentError: it is signed already.
        ChangedMeanwhile: it is not the version that was read.
    """
    require(by, Capability.WRITE_CLINICAL, assessment.clinic_id)
    locked = _lock(assessment)
    if locked.is_signed:
        raise AssessmentError("assessment", SIGNED)
    if locked.version != version:
        raise ChangedMeanwhile(locked, version)
    locked.version += 1
    _sign(locked, by, now)
    return locked


@transaction.atomic
def add_addendum(
    *, assessment: Assessment, text: str, by: User, now: datetime, red_flags: Collection[str] = ()
) -> Addendum:
    """Correct a signed assessment. A red flag in it is raised like any other.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AssessmentError: it is not signed, there is no text, or a red flag is unknown.
    """
    require(by, Capability.WRITE_CLINICAL, assessment.clinic_id)
    locked = _lock(assessment)
    if not locked.is_signed:
        raise AssessmentError("assessment", "It is not signed yet: change it instead.")
    if not text.strip():
        raise AssessmentError("text", "An addendum needs a text.")
    if unknown := set(red_flags) - {symptom.value for symptom in Symptom}:
        raise AssessmentError("red_flags", f"{', '.join(sorted(unknown))} is no red flag.")
    addendum = Addendum.objects.create(
        clinic_id=locked.clinic_id,
        assessment=locked,
        text=text.strip(),
        red_flags=sorted(red_flags),
        by=by,
        at=now,
    )
    if red_flags:
        on = local_date(now, locked.episode.patient.timezone)
        raise_red_flag(
            episode=locked.episode,
            codes=list(addendum.red_flags),
            found=dict.fromkeys(addendum.red_flags, on),
            source=str(addendum),
            evidence=[{"addendum": addendum.pk, "day": on.isoformat()}],
            now=now,
        )
    return addendum


def _lock(assessment: Assessment) -> Assessment:
    rows = Assessment.objects.select_for_update(of=("self",), no_key=True)
    locked: Assessment = rows.select_related("episode__patient", "episode__clinic__policy").get(
        pk=assessment.pk
    )
    return locked


def _store(
    assessment: Assessment,
    data: Data,
    by: User,
    now: datetime,
    confirmed: Collection[str],
    sign: bool,
    draft: AssessmentDraft | None,
) -> Recorded:
    before = assessment.assessed_on
    built = build(assessment, data)
    checked = _check(built, data, now)
    if checked.errors:
        raise ValuesRefused(checked.errors)
    if questions := checked.open_questions(frozenset(confirmed)):
        raise ValuesUnusual(questions)
    assessment.save()
    for name, rows in built.rows.items():
        _replace(list(getattr(assessment, name).all()), rows, KINDS[name], assessment)
    if built.scores is not None:
        _replace_scores(assessment, built.scores, keeps_named=SCORES not in data, before=before)
    if draft is not None:
        draft.delete()
    alert = screen_assessment(assessment=assessment, by=by, now=now)
    if sign:
        _sign(assessment, by, now)
    return Recorded(assessment, alert)


def _check(built: Built, data: Data, now: datetime) -> Checked:
    assessment, episode = built.assessment, built.assessment.episode
    known = {name: getattr(assessment, name) for name in COLUMNS}
    checked = check_plain_values({**known, **data}, sex=episode.patient.sex)
    checked.errors = {**built.errors, **checked.errors}  # a range says more than "at most"
    today = local_date(now, episode.patient.timezone)
    if "assessed_on" not in checked.errors and (assessment.assessed_on or today) > today:
        checked.errors["assessed_on"] = f"Choose a day up to today, {today:%-d %b %Y}."
    if not checked.errors:
        checked.errors |= _taken_scores(built)
    return checked


def _taken_scores(built: Built) -> dict[str, str]:
    """A measure has one score a day; another assessment of the case may hold it."""
    if not built.scores:
        return {}
    wanted = {(row.measure, row.taken_on): n for n, row in enumerate(built.scores)}
    others = OutcomeScore.objects.filter(
        episode=built.assessment.episode_id, taken_on__in={day for _, day in wanted}
    )
    others = others.exclude(assessment=built.assessment.pk) if built.assessment.pk else others
    found = set(others.values_list("measure", "taken_on")) & set(wanted)
    return {f"{SCORES}.{wanted[key]}.value": "This measure already has a score on that day." for key in found}


def _replace(stored: list[Any], rows: Sequence[Any], kind: Kind, assessment: Assessment) -> None:
    """Rows known again by their key, or place, are changed; others are added and taken out."""
    waiting: dict[Any, list[Any]] = {}
    for n, row in enumerate(stored):
        waiting.setdefault(key_of(row, kind) or n, []).append(row)
    new = []
    for n, row in enumerate(rows):
        same = waiting.get(key_of(row, kind) or n)
        row.assessment = assessment
        if same:
            _change(same.pop(0), row, kind.columns)
        else:
            new.append(row)
    gone = [row.pk for rows_left in waiting.values() for row in rows_left]
    if gone:
        kind.model._default_manager.filter(pk__in=gone).delete()
    kind.model._default_manager.bulk_create(new)


def _change(stored: Any, row: Any, columns: Collection[str]) -> None:
    changed = [column for column in columns if getattr(stored, column) != getattr(row, column)]
    for column in changed:
        setattr(stored, column, getattr(row, column))
    if changed:
        stored.save(update_fields=changed)


def _replace_scores(
    assessment: Assessment, scores: Sequence[OutcomeScore], *, keeps_named: bool, before: Any
) -> None:
    """Scores of the assessment's day follow it; those of another day stay, and with ``keeps_named`` all but
    the PSFS, which is the activities'.
    """
    stored = {
        row.measure: row
        for row in assessment.outcome_scores.all()
        if row.taken_on in (before, assessment.assessed_on) and (not keeps_named or row.measure == "psfs")
    }
    for row in scores:
        row.assessment = assessment
        if same := stored.pop(row.measure, None):
            _change(same, row, ("items", "value", "taken_on"))
        else:
            row.save()
    OutcomeScore.objects.filter(pk__in=[row.pk for row in stored.values()]).delete()


def _sign(assessment: Assessment, by: User, now: datetime) -> None:
    assessment.signed_at, assessment.signed_by = now, by
    assessment.save(update_fields=["signed_at", "signed_by", "version"])
