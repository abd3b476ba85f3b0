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

from clinic import creations
from clinic.errors import FieldError
from clinic.models import ApiCreation, User
from clinic.roles import Capability, require
from patients.models import (
    Addendum,
    AggravatingActivity,
    Assessment,
    AssessmentDraft,
    Episode,
    OutcomeScore,
)
from patients.scoring import Checked, Question
from patients.scoring import check_values as check_plain_values
from programs.models import Alert
from programs.rules.red_flags import Symptom
from programs.rules.schedule import local_date
from programs.services.assessment_data import COLUMNS, KINDS, SCORES, Built, Data, Kind, build, key_of
from programs.services.cases import screen_assessment
from programs.services.red_flags import raise_red_flag

SIGNED = "This assessment is signed: a correction is an addendum."
EMPTY = "Nothing is recorded. Write down what was found, or in the notes why nothing was."
FINDINGS = set(COLUMNS) - {"kind", "assessed_on", "body_mass_kg"}
"""Columns without which, and without a measurement, there is nothing to sign."""
FIRST_SAVE = "assessment"
"""Under this name it is kept which assessment the key of a form has made."""


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


def check_values(
    *, episode: Episode, data: Data, now: datetime, assessment: Assessment | None = None
) -> Checked:
    """What would be refused and what questioned, by path; nothing is stored. ``assessment`` is the one that
    would hold them: its own scores are in nobody's way.
    """
    key = assessment.pk if assessment else None
    today = local_date(now, episode.patient.timezone)
    unsaved = Assessment(pk=key, clinic_id=episode.clinic_id, episode=episode, assessed_on=today)
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
    key: str = "",
) -> Recorded:
    """A new assessment with its measurements; its red flags are raised.

    Args:
        confirmed: keys of the questions that were answered with "keep it".
        draft: what it was typed in, which is gone with it.
        key: of the form. Sent again, because the answer was lost, it makes no second assessment.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AssessmentError: the case is closed, or nothing is recorded.
        ValuesRefused: values that cannot be.
        ValuesUnusual: values to be confirmed.
        ChangedMeanwhile: this form has made an assessment already, with other values.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    locked = Episode.objects.select_for_update(no_key=True).get(pk=episode.pk)
    note = _first_save(episode, by, key, [data, sorted(confirmed), sign], now) if key else None
    if note and note.row_key:
        return _recorded_before(_lock(note.row_key), draft)
    if not locked.is_open:
        raise AssessmentError("episode", "This case is closed: open a new one.")
    assessment = Assessment(clinic_id=episode.clinic_id, episode=episode, assessed_by=by)
    assessment.assessed_on = local_date(now, episode.patient.timezone)
    recorded = _store(assessment, data, by, now, confirmed, sign, draft)
    if not _holds_anything(assessment):  # what asks for a re-assessment would be settled by it
        raise AssessmentError("notes", EMPTY)
    if note:
        creations.keep(note, assessment.pk)
    return recorded


def _recorded_before(assessment: Assessment, draft: AssessmentDraft | None) -> Recorded:
    if draft is not None:
        draft.delete()
    raised = Alert.objects.unresolved().filter(episode=assessment.episode_id, kind=Alert.Kind.RED_FLAG)
    return Recorded(assessment, raised.first() if assessment.red_flags else None)


def _first_save(episode: Episode, by: User, key: str, said: Any, now: datetime) -> ApiCreation:
    """What the form with this key has made, or is about to make; the case is locked."""
    try:
        return creations.claim(
            clinic=episode.clinic, user=by, route=FIRST_SAVE, key=key, body=[episode.pk, said], now=now
        )
    except creations.OtherBodyError as error:
        raise ChangedMeanwhile(_lock(error.row_key), 0) from None


def has_made_one(*, episode: Episode, by: User, key: str) -> bool:
    """Whether the form with this key has made its assessment."""
    notes = ApiCreation.objects.filter(clinic=episode.clinic_id, user=by, route=FIRST_SAVE, key=key)
    return notes.exclude(row_key="").exists()


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
    locked = _lock(assessment.pk)
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
        AssessmentError: it is signed already, or nothing is recorded.
        ChangedMeanwhile: it is not the version that was read.
    """
    require(by, Capability.WRITE_CLINICAL, assessment.clinic_id)
    locked = _lock(assessment.pk)
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
    locked = _lock(assessment.pk)
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


def _lock(key: int | str) -> Assessment:
    rows = Assessment.objects.select_for_update(of=("self",), no_key=True)
    locked: Assessment = rows.select_related("episode__patient", "episode__clinic__policy").get(pk=key)
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
    alert = screen_assessment(assessment=assessment, by=by, now=now, draft=draft)
    if draft is not None:
        draft.delete()
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
    if "assessed_on" in data and "assessed_on" not in checked.errors:
        _check_day(checked, assessment)
    if not checked.errors:
        checked.errors |= _taken_scores(built)
    return checked


def _check_day(checked: Checked, assessment: Assessment) -> None:
    """Nobody is assessed before birth, and hardly ever before the case was opened."""
    on, episode = assessment.assessed_on, assessment.episode
    born = episode.patient.birth_date
    if born is not None and on < born:
        checked.errors["assessed_on"] = f"The patient was born on {born:%-d %b %Y}."
    elif on < episode.opened_on:
        text = f"{on:%-d %b %Y} is before the case was opened, {episode.opened_on:%-d %b %Y}. Is it right?"
        checked.questions.append(Question("assessed_on", f"assessed_on={on.isoformat()}", text))


def _taken_scores(built: Built) -> dict[str, str]:
    """A measure has one score a day; these rows or another assessment of the case may hold it."""
    if not built.scores:
        return {}
    rows = [(row.measure, row.taken_on) for row in built.scores]
    others = OutcomeScore.objects.filter(
        episode=built.assessment.episode_id, taken_on__in={day for _, day in rows}
    )
    others = others.exclude(assessment=built.assessment.pk) if built.assessment.pk else others
    taken = set(others.values_list("measure", "taken_on"))
    return {
        f"{SCORES}.{n}.value": "This measure already has a score on that day."
        for n, key in enumerate(rows)
        if key in taken or key in rows[:n]
    }


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
    """Scores of the assessment's day follow it; those of another day stay, known again by it, and with
    ``keeps_named`` all but the PSFS, which is the activities'.
    """
    held = list(assessment.outcome_scores.all())
    stored = {
        row.measure: row
        for row in held
        if row.taken_on in (before, assessment.assessed_on) and (not keeps_named or row.measure == "psfs")
    }
    others = {(row.measure, row.taken_on): row for row in held if row not in stored.values()}
    for row in scores:
        row.assessment = assessment
        if same := others.get((row.measure, row.taken_on)) or stored.pop(row.measure, None):
            _change(same, row, ("items", "value", "taken_on"))
        else:
            row.save()
    OutcomeScore.objects.filter(pk__in=[row.pk for row in stored.values()]).delete()


def _sign(assessment: Assessment, by: User, now: datetime) -> None:
    if not _holds_anything(assessment):
        raise AssessmentError("notes", EMPTY)
    assessment.signed_at, assessment.signed_by = now, by
    assessment.save(update_fields=["signed_at", "signed_by", "version"])


def _holds_anything(assessment: Assessment) -> bool:
    """Whether anything was found or written down: a value, a tick, a text or a measurement."""
    columns = [column for column in Assessment._meta.concrete_fields if column.name in FINDINGS]
    if any(getattr(assessment, column.name) != column.get_default() for column in columns):
        return True
    measured = {*KINDS, SCORES} - {"aggravating_activities"}
    return any(getattr(assessment, name).exists() for name in measured) or _tells_of_activities(assessment)


def _tells_of_activities(assessment: Assessment) -> bool:
    """The form brings the names of last time along, to be rated again: they alone say nothing."""
    rows = list(assessment.aggravating_activities.all())
    if any(v is not None for row in rows for v in (row.pain, row.minutes_until_pain, row.ability)):
        return True
    before = AggravatingActivity.objects.filter(assessment__episode=assessment.episode_id)
    known = {row.activity for row in before.exclude(assessment=assessment)}
    return any(row.activity not in known for row in rows)
