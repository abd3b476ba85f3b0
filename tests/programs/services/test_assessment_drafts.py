"""What is typed and not saved is kept for its author; only a red flag in it is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from clinic.audit.models import AuditEntry
from clinic.models import Membership, OutboxMessage
from clinic.roles import Denied, Role
from patients.models import Assessment, AssessmentDraft, Episode, OutcomeScore
from programs.models import Alert
from programs.rules.red_flags import Symptom
from programs.services import assessment_drafts
from programs.services.alerts import acknowledge
from programs.services.assessments import (
    ValuesRefused,
    record_assessment,
)
from programs.services.red_flags import clear, raise_red_flag
from tests.factories import NOW, TODAY, make_case, make_program, make_user
from tests.programs.services.assessing import BEST, change, record

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


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


def test_a_colleague_raises_what_was_ticked_by_somebody_who_left_and_it_is_cleared_with_a_finding(
    case: Episode,
) -> None:
    author, colleague = make_user(clinic=case.clinic), make_user(clinic=case.clinic)
    program = make_program(case)
    draft = keep(case, by=author, red_flags=[Symptom.LOCKING])
    Membership.objects.filter(user=author).update(is_active=False)

    alert = assessment_drafts.raise_from_draft(draft=draft, by=colleague, now=NOW + HOUR)

    assert alert.summary == f"Knee locks (draft of an assessment by {author}, 2 Mar 2026)"
    assert program.holds.get().cleared_at is None
    assert OutboxMessage.objects.filter(kind="red_flag", to_email=case.clinician.email).count() == 1
    assert assessment_drafts.flagged_drafts([case]) == []
    with pytest.raises(assessment_drafts.DraftError):
        assessment_drafts.raise_from_draft(draft=draft, by=colleague, now=NOW + HOUR)
    clear(alert=alert, by=colleague, finding="Ticked by mistake, he says", now=NOW + 2 * HOUR)
    assert assessment_drafts.flagged_drafts([case]) == []
    assert Alert.objects.count() == 1


@pytest.mark.parametrize("ticked_again", [False, True])
def test_what_was_cleared_before_it_was_ticked_is_told_and_raised(case: Episode, ticked_again: bool) -> None:
    """On the same day too: a clearing says nothing of what was found after it."""
    keep(case, red_flags=[Symptom.LOCKING])
    alert = raise_red_flag(episode=case, codes=["knee_locks"], source="x", evidence=[], now=NOW)
    assert alert is not None
    assert assessment_drafts.flagged_drafts([case]) == []
    clear(alert=alert, by=case.clinician, finding="Seen", now=NOW + HOUR)
    if not ticked_again:
        assert assessment_drafts.flagged_drafts([case]) == []
        return
    keep(case, red_flags=[], now=NOW + HOUR)
    draft = keep(case, red_flags=[Symptom.LOCKING], now=NOW + 2 * HOUR)
    assert len(assessment_drafts.flagged_drafts([case])) == 1
    assessment_drafts.raise_from_draft(draft=draft, by=case.clinician, now=NOW + 3 * HOUR)
    assert Alert.objects.unresolved().count() == 1


def test_a_flag_that_was_raised_and_cleared_stays_so_while_its_author_goes_on_typing(case: Episode) -> None:
    draft = keep(case, red_flags=[Symptom.LOCKING])
    colleague = make_user(clinic=case.clinic)
    alert = assessment_drafts.raise_from_draft(draft=draft, by=colleague, now=NOW + HOUR)
    clear(alert=alert, by=colleague, finding="Seen: stable", now=NOW + 2 * HOUR)

    draft = keep(case, red_flags=[Symptom.LOCKING, Symptom.SWELLING], now=NOW + 3 * HOUR)

    [flagged] = assessment_drafts.flagged_drafts([case])
    assert flagged.symptoms == ("Knee swells significantly",)
    keep(case, red_flags=[Symptom.LOCKING], now=NOW + 4 * HOUR)
    with pytest.raises(assessment_drafts.DraftError):
        assessment_drafts.raise_from_draft(draft=draft, by=colleague, now=NOW + 5 * HOUR)
    assert Alert.objects.count() == 1


def test_a_flag_kept_by_the_release_before_was_ticked_when_its_draft_was_last_kept(case: Episode) -> None:
    keep(case, red_flags=[Symptom.LOCKING])
    AssessmentDraft.objects.update(ticked_at={})
    alert = raise_red_flag(episode=case, codes=["knee_locks"], source="x", evidence=[], now=NOW)
    assert alert is not None
    clear(alert=alert, by=case.clinician, finding="Seen", now=NOW + HOUR)
    assert assessment_drafts.flagged_drafts([case]) == []
    keep(case, red_flags=[Symptom.LOCKING], now=NOW + 2 * HOUR)
    assert assessment_drafts.flagged_drafts([case]) == []


def test_of_two_flags_the_one_nobody_was_told_of_is_shown_and_raised(case: Episode) -> None:
    raise_red_flag(episode=case, codes=["knee_locks"], source="x", evidence=[], now=NOW)
    other = make_case(case.clinic)
    raise_red_flag(episode=other, codes=["knee_swells"], source="x", evidence=[], now=NOW)
    draft = keep(case, red_flags=[Symptom.LOCKING, Symptom.SWELLING])
    [flagged] = assessment_drafts.flagged_drafts([case, other])
    assert flagged.symptoms == ("Knee swells significantly",)
    alert = assessment_drafts.raise_from_draft(draft=draft, by=case.clinician, now=NOW)
    assert [entry["code"] for entry in alert.evidence] == ["knee_locks", "knee_swells"]


def test_an_assistant_raises_nothing(case: Episode) -> None:
    draft = keep(case, red_flags=[Symptom.LOCKING])
    assistant = make_user(clinic=case.clinic, role=Role.ASSISTANT)
    with pytest.raises(Denied):
        assessment_drafts.raise_from_draft(draft=draft, by=assistant, now=NOW)
    assert not Alert.objects.exists()


def test_a_draft_is_forgotten_once_its_flag_was_raised(case: Episode) -> None:
    draft = keep(case, red_flags=[Symptom.LOCKING])
    later = NOW + assessment_drafts.KEPT + HOUR
    assert assessment_drafts.forget_drafts(now=later) == 0
    assessment_drafts.raise_from_draft(draft=draft, by=case.clinician, now=NOW)
    assert assessment_drafts.forget_drafts(now=later) == 1


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


def swollen(points: int, **more: Any) -> dict[str, Any]:
    """An assessment with an AKPS that is best but for the swelling."""
    akps = {"measure": "akps", "items": {**BEST, "swelling": points}}
    return {"kind": "intake", "outcome_scores": [akps], **more}


def type_in(case: Episode, values: dict[str, Any], *, now: datetime = NOW) -> AssessmentDraft:
    return assessment_drafts.keep_values(
        episode=case, assessment=None, values=values, base=None, by=case.clinician, now=now
    )


def save(draft: AssessmentDraft, values: dict[str, Any], *, now: datetime) -> Assessment:
    return record_assessment(
        episode=draft.episode, data=values, by=draft.author, now=now, draft=draft
    ).assessment


def open_flags(case: Episode) -> list[list[str]]:
    """The symptoms of each red flag that is open."""
    alerts = Alert.objects.unresolved().filter(episode=case, kind=Alert.Kind.RED_FLAG)
    return [[row["code"] for row in alert.evidence] for alert in alerts]


@pytest.fixture
def without_swelling(case: Episode) -> None:
    """A month ago the knee did not swell: any swelling now is worse than then."""
    OutcomeScore.objects.create(
        clinic=case.clinic,
        episode=case,
        measure="akps",
        items=BEST,
        value=100,
        taken_on=TODAY - timedelta(days=30),
    )


@pytest.mark.usefixtures("without_swelling")
def test_what_was_raised_from_a_draft_and_acknowledged_stays_so_when_it_is_saved(case: Episode) -> None:
    colleague, typed = make_user(clinic=case.clinic), swollen(0)
    draft = type_in(case, typed)
    alert = assessment_drafts.raise_from_draft(draft=draft, by=colleague, now=NOW)
    acknowledge(alert=alert, by=colleague, now=NOW)

    saved = save(draft, typed, now=NOW + HOUR)
    change(saved, {"notes": "A word more"})

    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by) == (Alert.State.ACKNOWLEDGED, colleague)
    assert open_flags(case) == [["knee_swells"]]
    told = OutboxMessage.objects.filter(kind="red_flag", to_email=case.clinician.email)
    assert told.count() == 1


@pytest.mark.usefixtures("without_swelling")
@pytest.mark.parametrize("found", [swollen(0), {"kind": "intake", "red_flags": ["knee_swells"]}])
def test_what_was_raised_from_a_draft_and_cleared_stays_cleared_when_it_is_saved(
    case: Episode, found: dict[str, Any]
) -> None:
    """The next day too: it was ticked before it was cleared."""
    program = make_program(case)
    draft = type_in(case, found)
    alert = assessment_drafts.raise_from_draft(draft=draft, by=case.clinician, now=NOW)
    clear(alert=alert, by=case.clinician, finding="No effusion", now=NOW + HOUR)

    next_day = NOW + timedelta(days=1)
    saved = save(draft, found, now=next_day)
    change(saved, {"notes": "A word more"}, now=next_day)

    assert open_flags(case) == []
    assert not program.holds.filter(cleared_at=None).exists()


@pytest.mark.parametrize("cleared", [False, True])
def test_a_knee_that_swells_more_than_when_it_was_raised_from_the_draft_raises_again(
    case: Episode, cleared: bool
) -> None:
    draft = type_in(case, swollen(4))
    alert = assessment_drafts.raise_from_draft(draft=draft, by=case.clinician, now=NOW)
    if cleared:
        clear(alert=alert, by=case.clinician, finding="Known effusion", now=NOW + HOUR)
    else:
        acknowledge(alert=alert, by=case.clinician, now=NOW + HOUR)

    save(draft, swollen(0), now=NOW + 2 * HOUR)

    assert open_flags(case) == [["knee_swells"] if cleared else ["knee_swells", "knee_swells"]]
    assert Alert.objects.unresolved().get().state == Alert.State.OPEN


def test_its_flag_saved_alone_a_knee_that_swells_more_still_raises_with_the_rest(case: Episode) -> None:
    """The form's button stores the flags at once, and the answers later."""
    draft = type_in(case, swollen(4))
    alert = assessment_drafts.raise_from_draft(draft=draft, by=case.clinician, now=NOW)
    clear(alert=alert, by=case.clinician, finding="Known effusion", now=NOW + HOUR)

    saved = save(draft, {"kind": "intake", "red_flags": ["knee_swells"]}, now=NOW + 2 * HOUR)
    assert open_flags(case) == []
    saved = change(saved, swollen(0), now=NOW + 3 * HOUR)
    assert open_flags(case) == [["knee_swells"]]
    change(saved, {"notes": "A word more"}, now=NOW + 4 * HOUR)
    assert open_flags(case) == [["knee_swells"]]


@pytest.mark.usefixtures("without_swelling")
def test_of_a_draft_raised_and_cleared_another_symptom_found_since_is_raised_alone(case: Episode) -> None:
    draft = type_in(case, swollen(0))
    alert = assessment_drafts.raise_from_draft(draft=draft, by=case.clinician, now=NOW)
    clear(alert=alert, by=case.clinician, finding="No effusion", now=NOW + HOUR)
    save(draft, swollen(0, red_flags=["knee_locks"]), now=NOW + 2 * HOUR)
    assert open_flags(case) == [["knee_locks"]]


@pytest.mark.usefixtures("without_swelling")
def test_a_swelling_typed_anew_after_it_was_cleared_is_raised_when_it_is_saved(case: Episode) -> None:
    draft = type_in(case, swollen(0))
    alert = assessment_drafts.raise_from_draft(draft=draft, by=case.clinician, now=NOW)
    clear(alert=alert, by=case.clinician, finding="No effusion", now=NOW + HOUR)
    type_in(case, swollen(10), now=NOW + 2 * HOUR)
    draft = type_in(case, swollen(0), now=NOW + 3 * HOUR)
    save(draft, swollen(0), now=NOW + 4 * HOUR)
    assert open_flags(case) == [["knee_swells"]]


@pytest.mark.usefixtures("without_swelling")
def test_another_symptom_added_to_a_saved_assessment_does_not_raise_its_cleared_swelling_again(
    case: Episode,
) -> None:
    recorded = record_assessment(episode=case, data=swollen(0), by=case.clinician, now=NOW)
    assert recorded.alert is not None
    clear(alert=recorded.alert, by=case.clinician, finding="No effusion", now=NOW + HOUR)
    change(recorded.assessment, {"red_flags": ["knee_locks"]}, now=NOW + 2 * HOUR)
    assert open_flags(case) == [["knee_locks"]]
