"""What is being typed into an assessment, kept until it is saved: a lost connection or session loses nothing.

A draft counts for nothing. A red flag that is ticked in one is raised when it is saved, not before: each page
of the patient says so, to everybody who treats them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from clinic.errors import FieldError
from clinic.models import User
from clinic.roles import Capability, require
from patients.models import Assessment, AssessmentDraft, Episode
from programs.rules.red_flags import Symptom

MOST_CHARACTERS = 200_000
KEPT = timedelta(days=30)

type Content = Mapping[str, list[str]]
"""The form's fields as they were sent."""


class DraftError(FieldError):
    """It can't be kept."""


@dataclass(frozen=True, slots=True)
class Flagged:
    """A draft with a red flag that is not raised yet."""

    draft: AssessmentDraft
    symptoms: tuple[str, ...]


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
) -> AssessmentDraft:
    """Keep what is typed: the author's one draft of this assessment, or of a new one of the case.

    Raises:
        Denied: ``by`` may do no clinical work here.
        DraftError: it is longer than any form.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    text = json.dumps(dict(content))
    if len(text) > MOST_CHARACTERS:
        raise DraftError("content", "This is too long to be kept.")
    # Two tabs of one author at once: one after the other.
    Episode.objects.select_for_update(no_key=True).get(pk=episode.pk)
    draft = draft_of(episode=episode, assessment=assessment, by=by)
    if draft is None:
        draft = AssessmentDraft(
            clinic_id=episode.clinic_id, episode=episode, assessment=assessment, author=by, started_at=now
        )
    draft.base, draft.content, draft.saved_at = base, text, now
    draft.red_flags = [symptom.value for symptom in red_flags]
    draft.save()
    return draft


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
    """The form's fields as they were sent."""
    found: dict[str, list[str]] = json.loads(draft.content)
    return found


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
    rows = rows.select_related("author", "episode__patient").defer("content")
    return [Flagged(row, tuple(Symptom(code).label for code in row.red_flags)) for row in rows]


def forget_drafts(*, now: datetime, batch: int = 500) -> int:
    """Those nobody touched for ``KEPT``; one with a red flag stays until somebody has seen to it."""
    old = AssessmentDraft.objects.filter(saved_at__lt=now - KEPT, red_flags=[])
    keys = list(old.values_list("pk", flat=True)[:batch])
    deleted, _ = AssessmentDraft.objects.filter(pk__in=keys).delete()
    return int(deleted)
