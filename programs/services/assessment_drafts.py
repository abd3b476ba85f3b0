"""What is being typed into an assessment, kept until it is saved: a lost connection or session loses nothing.

A draft counts for nothing. A red flag that is ticked in one is raised when it is saved, not before: each page
of the patient says so, to everybody who treats them, and any of them may raise it. Once raised it is cleared
with a finding as any other; until then its author alone can take it back, by unticking it or discarding the
draft.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from clinic.errors import FieldError
from clinic.models import User
from clinic.roles import Capability, require
from patients.models import Assessment, AssessmentDraft, Episode
from patients.vocabulary import OutcomeMeasure
from programs.models import Alert
from programs.rules.red_flags import AKPS_SYMPTOMS, Symptom
from programs.rules.schedule import local_date
from programs.services.assessment_data import QUESTIONNAIRES, SCORES, Data, as_data, build
from programs.services.assessments import SIGNED, AssessmentError, has_made_one
from programs.services.derived import Findings, red_flags_of
from programs.services.red_flags import raise_red_flag

VALUES, PAGE = "values", "page"
"""Beside the form's fields: what of them could be read, or what a tool sent instead of a form."""

MOST_CHARACTERS = 200_000
KEPT = timedelta(days=30)

type Content = Mapping[str, list[str]]
"""The form's fields as they were sent."""


class DraftError(FieldError):
    """It can't be kept."""


class SavedAlready(ValueError):
    """The page it was typed in has made its assessment: nothing was kept."""


@dataclass(frozen=True, slots=True)
class Flagged:
    """A draft with red flags that are not raised yet."""

    draft: AssessmentDraft
    flags: tuple[Symptom, ...]

    @property
    def symptoms(self) -> tuple[str, ...]:
        return tuple(flag.label for flag in self.flags)


@transaction.atomic
def keep_draft(
    *,
    episode: Episode,
    assessment: Assessment | None,
    base: int,
    content: Content,
    red_flags: Collection[Symptom],
    by: User,
    now: datetime,
    values: Data | None = None,
    key: str = "",
) -> AssessmentDraft:
    """Keep what is typed: the author's one draft of this assessment, or of a new one of the case.

    ``base`` is the version of the assessment that it started from; ``values`` are what of ``content`` can be
    read; ``key`` is that of the page of a new one.

    Raises:
        Denied: ``by`` may do no clinical work here.
        DraftError: it is longer than any form.
        SavedAlready: it comes after the saving of the page with this ``key``.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    text = json.dumps({**content, VALUES: values, PAGE: key}, default=_plain)
    if len(text) > MOST_CHARACTERS:
        raise DraftError("content", "This is too long to be kept.")
    # Two tabs of one author at once, or a page's saving and its keeping: one after the other.
    Episode.objects.select_for_update(no_key=True).get(pk=episode.pk)
    if assessment is None and key and has_made_one(episode=episode, by=by, key=key):
        raise SavedAlready
    draft = draft_of(episode=episode, assessment=assessment, by=by)
    if draft is None:
        draft = AssessmentDraft(
            clinic_id=episode.clinic_id, episode=episode, assessment=assessment, author=by, started_at=now
        )
    ticked = {code: draft.ticked_since(code).isoformat() for code in draft.red_flags}
    draft.base, draft.content, draft.saved_at = base, text, now
    draft.red_flags = [symptom.value for symptom in red_flags]
    draft.ticked_at = {code: ticked.get(code, now.isoformat()) for code in draft.red_flags}
    draft.save()
    return draft


@transaction.atomic
def keep_values(
    *,
    episode: Episode,
    assessment: Assessment | None,
    values: Data,
    base: int | None,
    by: User,
    now: datetime,
) -> AssessmentDraft:
    """Keep what is typed into a tool. Without ``base`` the draft is of the version it was of; a first one
    of the present version.

    Raises:
        Denied: ``by`` may do no clinical work here.
        AssessmentError: the assessment is signed, or the case of a new one closed.
        DraftError: a version that there was not yet, an answer that no questionnaire has, an unknown red
            flag, or too long.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    if assessment is None and not episode.is_open:
        raise AssessmentError("episode", "This case is closed: open a new one.")
    if assessment is not None and assessment.is_signed:
        raise AssessmentError("assessment", SIGNED)
    present = assessment.version if assessment else 0
    if base is None:
        kept = draft_of(episode=episode, assessment=assessment, by=by)
        base = kept.base if kept else present
    if base > present:
        raise DraftError("base", f"The present version is {present}.")
    check_answers(values)
    whole = {**as_data(assessment), **values} if assessment else values
    findings = findings_of(episode=episode, assessment=assessment, data=whole, now=now)
    return keep_draft(
        episode=episode,
        assessment=assessment,
        base=base,
        content={},
        red_flags=new_flags(findings, assessment),
        by=by,
        now=now,
        values=values,
    )


def findings_of(*, episode: Episode, assessment: Assessment | None, data: Data, now: datetime) -> Findings:
    """What is typed, as the rules see findings; nothing is stored. ``assessment``: the one that is edited."""
    # Known by its key, or what is stored of it would count as found before.
    key = assessment.pk if assessment else None
    unsaved = Assessment(pk=key, clinic_id=episode.clinic_id, episode=episode)
    unsaved.assessed_on = local_date(now, episode.patient.timezone)
    return Findings.typed(build(unsaved, data), data)


def new_flags(findings: Findings, assessment: Assessment | None) -> dict[Symptom, str]:
    """Red flags that these values raise and that are not on record with the assessment, in words: with where
    one comes from that nobody ticked.
    """
    raised = red_flags_of(findings)
    known = red_flags_of(Findings.of(assessment)) if assessment and raised else {}
    return {
        flag: f"{flag.label}, {source}" if source else flag.label
        for flag, source in raised.items()
        if flag not in known
    }


def check_answers(values: Data) -> None:
    """Refuse scores that no questionnaire could have, and a red flag that nobody would be told of.

    Raises:
        DraftError: neither items nor a value, or an item that is not the measure's or has no whole points; or
            a code that is no red flag.
    """
    if unknown := set(values.get("red_flags") or ()) - set(Symptom):
        raise DraftError(f"{VALUES}.red_flags", f"{', '.join(sorted(unknown))} is no red flag.")
    for n, row in enumerate(values.get(SCORES) or ()):
        known = QUESTIONNAIRES.get(row.get("measure", ""), {})
        for code, points in (row.get("items") or {}).items():
            if code not in known or type(points) is not int:
                raise DraftError(f"{VALUES}.{SCORES}.{n}.items", "Item codes to whole points, please.")
        if not row.get("items") and row.get("value") is None:
            raise DraftError(f"{VALUES}.{SCORES}.{n}.value", "A score needs a value, or items.")


def _plain(value: object) -> object:
    """What JSON has no kind for: a decimal as a number, a day as text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no value of an assessment")


def draft_of(*, episode: Episode, assessment: Assessment | None, by: User) -> AssessmentDraft | None:
    """The user's own draft."""
    rows: QuerySet[AssessmentDraft] = AssessmentDraft.objects.filter(
        episode=episode, assessment=assessment, author=by
    )
    return rows.first()


def drafts_of_others(*, episode: Episode, assessment: Assessment | None, by: User) -> list[AssessmentDraft]:
    """Of the same assessment, or of a new one of the case: who is writing, since when."""
    rows = AssessmentDraft.objects.filter(episode=episode, assessment=assessment).exclude(author=by)
    return list(rows.select_related("author").defer("content"))


def content_of(draft: AssessmentDraft) -> dict[str, list[str]]:
    """The form's fields as they were sent; of a tool's draft none."""
    found: dict[str, list[str]] = json.loads(draft.content)
    found.pop(VALUES, None)
    found.pop(PAGE, None)
    return found


def page_of(draft: AssessmentDraft) -> str:
    """The key of the page it was typed on; empty of one that changes an assessment, and of a tool's."""
    return json.loads(draft.content).get(PAGE) or ""


def values_of(draft: AssessmentDraft) -> dict[str, Any]:
    """The values as they are recorded: what of the form could be read, or what a tool sent."""
    return json.loads(draft.content).get(VALUES) or {}


def discard_draft(*, episode: Episode, assessment: Assessment | None, by: User) -> int:
    """Throw the user's own draft away; how many it were.

    Raises:
        Denied: ``by`` may do no clinical work here.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    deleted, _ = AssessmentDraft.objects.filter(episode=episode, assessment=assessment, author=by).delete()
    return int(deleted)


def flagged_drafts(episodes: Iterable[Episode] | QuerySet[Any]) -> list[Flagged]:
    """Red flags that were ticked and not saved, in these cases: nobody was told of them."""
    rows = AssessmentDraft.objects.filter(episode__in=episodes).exclude(red_flags=[])
    return _untold(rows.select_related("author", "episode__patient", "clinic").defer("content"))


@transaction.atomic
def raise_from_draft(*, draft: AssessmentDraft, by: User, now: datetime) -> Alert:
    """Raise what is ticked in a draft, whoever wrote it: they may have left, and the alert tells everybody.

    Raises:
        Denied: ``by`` may do no clinical work here.
        DraftError: it was saved, discarded or raised meanwhile.
    """
    require(by, Capability.WRITE_CLINICAL, draft.clinic_id)
    Episode.objects.select_for_update(no_key=True).get(pk=draft.episode_id)
    rows = AssessmentDraft.objects.filter(pk=draft.pk).select_related("author", "episode__patient")
    found = next(iter(_untold(rows)), None)
    if found is None:
        raise DraftError("draft", "There is no red flag in it any more that is not raised already.")
    ticked, codes = found.draft, [flag.value for flag in found.flags]
    day = local_date(ticked.saved_at, ticked.episode.patient.timezone)
    alert = raise_red_flag(
        episode=ticked.episode,
        codes=codes,
        worse=codes,  # whatever was cleared before it was ticked
        source=f"draft of an assessment by {ticked.author}, {day:%-d %b %Y}",
        # With the answers of now: once it is saved, fewer points than these are worse.
        evidence=[{"draft": ticked.pk, "day": day.isoformat(), "akps": _akps_screen(ticked)}],
        now=now,
    )
    assert alert is not None
    return alert


def _akps_screen(draft: AssessmentDraft) -> dict[str, int]:
    """The AKPS answers typed in it that may raise a flag, by item."""
    rows = values_of(draft).get(SCORES) or ()
    akps = [row.get("items") or {} for row in rows if row.get("measure") == OutcomeMeasure.AKPS]
    return {code: items[code] for items in akps for code in AKPS_SYMPTOMS if code in items}


def _untold(rows: Iterable[AssessmentDraft]) -> list[Flagged]:
    """What of their red flags stands in no alert that is open, nor was cleared after it was ticked."""
    drafts = list(rows)
    if not drafts:
        return []
    alerts = Alert.objects.filter(kind=Alert.Kind.RED_FLAG, episode__in={row.episode_id for row in drafts})
    known = list(alerts.only("episode", "resolved_at", "evidence"))
    found = []
    for row in drafts:
        told = {
            entry["code"]
            for alert in known
            if alert.episode_id == row.episode_id
            for entry in alert.evidence
            if entry["code"] in row.red_flags
            and (alert.resolved_at is None or alert.resolved_at >= row.ticked_since(entry["code"]))
        }
        if flags := tuple(Symptom(code) for code in row.red_flags if code not in told):
            found.append(Flagged(row, flags))
    return found


def forget_drafts(*, now: datetime, batch: int = 500) -> int:
    """Those nobody touched for ``KEPT``; one with a red flag stays until that is raised."""
    old = AssessmentDraft.objects.filter(saved_at__lt=now - KEPT).defer("content")
    waiting = [flagged.draft.pk for flagged in _untold(old.exclude(red_flags=[]))]
    keys = list(old.exclude(pk__in=waiting).values_list("pk", flat=True)[:batch])
    deleted, _ = AssessmentDraft.objects.filter(pk__in=keys).delete()
    return int(deleted)
