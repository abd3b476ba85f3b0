"""What is typed and not saved is kept for its author; only a red flag in it is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clinic.audit.models import AuditEntry
from patients.models import AssessmentDraft, Episode
from programs.models import Alert
from programs.rules.red_flags import Symptom
from programs.services import assessment_drafts
from programs.services.assessments import (
    ValuesRefused,
    record_assessment,
)
from tests.factories import NOW, make_case, make_user
from tests.programs.services.assessing import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Episode:
    return make_case()


def keep(case: Episode, **changes: Any) -> AssessmentDraft:
    values: dict[str, Any] = {
        "assessment": None,
        "base": 0,
        "content": {"worst_pain": ["6"]},
        "red_flags": [],
        "by": case.clinician,
        "now": NOW,
        **changes,
    }
    return assessment_drafts.keep_draft(episode=case, **values)


def test_an_author_has_one_draft_of_an_assessment(case: Episode) -> None:
    keep(case)
    later = keep(case, content={"worst_pain": ["7"]}, now=NOW + timedelta(seconds=5))
    keep(case, by=make_user(clinic=case.clinic))
    keep(case, assessment=record(case), base=1)

    assert AssessmentDraft.objects.count() == 3
    mine = assessment_drafts.draft_of(episode=case, assessment=None, by=case.clinician)
    assert mine is not None
    assert (mine.pk, assessment_drafts.content_of(mine), mine.started_at) == (
        later.pk,
        {"worst_pain": ["7"]},
        NOW,
    )
    assert len(assessment_drafts.drafts_of_others(episode=case, assessment=None, by=case.clinician)) == 1


def test_a_draft_is_gone_with_its_saving_and_stays_when_that_is_refused(case: Episode) -> None:
    draft = keep(case)
    with pytest.raises(ValuesRefused):
        record_assessment(episode=case, data={"worst_pain": 12}, by=case.clinician, now=NOW, draft=draft)
    assert AssessmentDraft.objects.exists()
    record_assessment(episode=case, data={"worst_pain": 6}, by=case.clinician, now=NOW, draft=draft)
    assert not AssessmentDraft.objects.exists()


def test_a_red_flag_in_a_draft_is_shown_and_not_raised(case: Episode) -> None:
    keep(case)
    assert assessment_drafts.flagged_drafts([case]) == []
    keep(case, red_flags=[Symptom.LOCKING])
    [flagged] = assessment_drafts.flagged_drafts([case])
    assert flagged.symptoms == ("Knee locks",)
    assert not Alert.objects.exists()


def test_an_old_draft_is_forgotten_unless_a_flag_is_ticked_in_it(case: Episode) -> None:
    keep(case)
    keep(case, by=make_user(clinic=case.clinic), red_flags=[Symptom.LOCKING])
    assert assessment_drafts.forget_drafts(now=NOW + assessment_drafts.KEPT) == 0
    assert assessment_drafts.forget_drafts(now=NOW + assessment_drafts.KEPT + timedelta(seconds=1)) == 1
    assert AssessmentDraft.objects.get().red_flags == ["knee_locks"]


def test_a_draft_longer_than_any_form_is_refused(case: Episode) -> None:
    with pytest.raises(assessment_drafts.DraftError):
        keep(case, content={"notes": ["x" * 200_001]})
    assert not AssessmentDraft.objects.exists()


def test_the_audit_trail_does_not_fill_with_what_is_typed(case: Episode) -> None:
    keep(case)
    keep(case, content={"worst_pain": ["7"]}, now=NOW + timedelta(seconds=5))
    entries = AuditEntry.objects.filter(table_name="patients_assessmentdraft")
    assert [entry.action for entry in entries] == ["added"]
    assert (
        entries.get().changes["content_sealed"] is None if "content_sealed" in entries.get().changes else True
    )
