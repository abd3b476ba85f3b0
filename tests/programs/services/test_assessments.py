"""Recording, changing, signing and correcting an assessment."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from clinic.audit.models import AuditEntry
from clinic.roles import Denied, Role
from patients.models import Addendum, Assessment, AssessmentDraft, Episode, OutcomeScore, StrengthTest
from patients.scoring import AKPS_ITEMS
from programs.models import Alert, Hold
from programs.rules.red_flags import Symptom
from programs.services import drafts
from programs.services.assessment_data import as_data
from programs.services.assessments import (
    AssessmentError,
    ChangedMeanwhile,
    ValuesRefused,
    ValuesUnusual,
    add_addendum,
    change_assessment,
    record_assessment,
    sign_assessment,
)
from programs.services.privacy import confirmation, erase_patient
from tests.connections import from_another_connection
from tests.factories import NOW, TODAY, make_assessment, make_case, make_program, make_user

pytestmark = pytest.mark.django_db

BEST = {code: item.points[0] for code, item in AKPS_ITEMS.items()}


def strength(side: str, value: str, **changes: Any) -> dict[str, Any]:
    return {
        "muscle_group": "hip_abductors",
        "side": side,
        "method": "handheld_dynamometer",
        "value": value,
        "unit": "N",
        "lever_arm_m": "0.38",
        "position": "side-lying",
        **changes,
    }


FULL: dict[str, Any] = {
    "kind": "intake",
    "assessed_on": TODAY,
    "worst_pain": "6.5",
    "locations": ["retropatellar"],
    "body_mass_kg": "64",
    "notes": "Likes hills.",
    "strength_tests": [strength("left", "118"), strength("right", "162")],
    "q_angles": [
        {"side": "left", "degrees": "17", "position": "supine", "quadriceps": "relaxed", "notes": "n"}
    ],
    "aggravating_activities": [
        {"activity": "Stairs down", "pain": "6", "ability": "4"},
        {"activity": "Kneeling", "ability": "7"},
    ],
    "flexibility_tests": [{"structure": "itb", "side": "left", "tight": True}],
    "foot_postures": [{"side": "left", "fpi6": 7}],
    "movement_tests": [{"test": "lateral_step_down", "side": "left", "arm": 1, "trunk": 1}],
    "outcome_scores": [{"measure": "akps", "items": BEST}, {"measure": "lefs", "value": "61"}],
}


@pytest.fixture
def case() -> Episode:
    return make_case()


def record(case: Episode, **changes: Any) -> Assessment:
    data = {**FULL, **changes}
    return record_assessment(episode=case, data=data, by=case.clinician, now=NOW).assessment


def change(assessment: Assessment, data: dict[str, Any], **more: Any) -> Assessment:
    values = {"version": assessment.version, "by": assessment.assessed_by, "now": NOW, **more}
    return change_assessment(assessment=assessment, data=data, **values).assessment


def stored(assessment: Assessment) -> dict[str, Any]:
    return as_data(Assessment.objects.get(pk=assessment.pk))


def test_everything_is_stored_once_and_comes_back_as_it_was_given(case: Episode) -> None:
    assessment = record(case)

    data = stored(assessment)
    assert (data["worst_pain"], data["notes"], data["locations"]) == (
        Decimal("6.5"),
        "Likes hills.",
        ["retropatellar"],
    )
    assert [row["value"] for row in data["strength_tests"]] == [118, 162]
    assert [row["activity"] for row in data["aggravating_activities"]] == ["Stairs down", "Kneeling"]
    scores = {row["measure"]: row["value"] for row in data["outcome_scores"]}
    assert scores == {"akps": 100, "lefs": 61, "psfs": Decimal("5.5")}
    assert set(StrengthTest.objects.values_list("clinic", flat=True)) == {case.clinic_id}
    assert assessment.assessed_by == case.clinician

    change(assessment, data)
    assert stored(assessment) == data


def test_a_change_keeps_the_rows_it_does_not_touch(case: Episode) -> None:
    assessment = record(case)
    before = set(StrengthTest.objects.values_list("pk", flat=True))

    changed = change(
        assessment, {"strength_tests": [strength("left", "130"), strength("right", "162")], "notes": "New."}
    )

    assert set(StrengthTest.objects.values_list("pk", flat=True)) == before
    assert stored(assessment)["strength_tests"][0]["value"] == 130
    assert (changed.version, stored(assessment)["notes"]) == (2, "New.")
    assert len(stored(assessment)["outcome_scores"]) == 3

    change(changed, {"strength_tests": [strength("right", "162")], "aggravating_activities": []})
    assert [row["side"] for row in stored(assessment)["strength_tests"]] == ["right"]
    assert {row["measure"] for row in stored(assessment)["outcome_scores"]} == {"akps", "lefs"}


def test_scores_follow_the_day_and_one_of_another_day_stays(case: Episode) -> None:
    assessment = record(case)
    earlier = TODAY - timedelta(days=30)
    other = OutcomeScore.objects.create(
        clinic=case.clinic, episode=case, assessment=assessment, measure="akps", taken_on=earlier, value=50
    )

    change(assessment, {**FULL, "assessed_on": TODAY - timedelta(days=1)})

    days = dict(OutcomeScore.objects.exclude(pk=other.pk).values_list("measure", "taken_on"))
    assert set(days.values()) == {TODAY - timedelta(days=1)}
    assert OutcomeScore.objects.filter(pk=other.pk, value=50).exists()


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"worst_pain": "11"}, "worst_pain", "Pain must be between 0 and 10 NPRS, got 11."),
        ({"worst_pain": "x"}, "worst_pain", "expected a decimal number"),
        ({"kind": "visit"}, "kind", "'visit' is not a valid choice"),
        ({"red_flags": ["made_up"]}, "red_flags", "made_up is no red flag."),
        ({"locations": ["elbow"]}, "locations", "is not a valid choice"),
        ({"assessed_on": TODAY + timedelta(days=1)}, "assessed_on", "Choose a day up to today, 2 Mar 2026."),
        ({"assessed_on": "yesterday"}, "assessed_on", "invalid date format"),
        ({"colour": "red"}, "colour", "is unknown."),
        ({"foot_postures": [{"side": "left", "fpi6": 13}]}, "foot_postures.0.fpi6", "between -12 and 12"),
        ({"foot_postures": [{"side": "up", "fpi6": 3}]}, "foot_postures.0.side", "'up' is not a valid"),
        ({"strength_tests": [strength("left", "4", unit="grade")]}, "strength_tests.0.unit", "A manual test"),
        (
            {"strength_tests": [strength("left", "100"), strength("left", "90")]},
            "strength_tests.1.muscle_group",
            "already there",
        ),
        (
            {"outcome_scores": [{"measure": "akps", "items": {"limp": 5}}]},
            "outcome_scores.0.items",
            "not answered yet: Weight on the leg, Walking, Stairs and 9 more",
        ),
        (
            {"outcome_scores": [{"measure": "akps", "items": {**BEST, "limp": 4}}]},
            "outcome_scores.0.items",
            "limp: expected one of 5, 3, 0 points",
        ),
        (
            {"movement_tests": [{"test": "lateral_step_down", "side": "left", "arm": 2}]},
            "movement_tests.0.arm",
            "1",
        ),
    ],
)
def test_what_cannot_be_is_named_and_nothing_is_stored(
    case: Episode, changes: dict[str, Any], path: str, said: str
) -> None:
    with pytest.raises(ValuesRefused) as refused:
        record(case, **changes)
    assert said in refused.value.errors[path]
    assert len(refused.value.errors) == 1
    assert not Assessment.objects.exists()


def test_an_unusual_value_is_stored_once_it_is_confirmed(case: Episode) -> None:
    with pytest.raises(ValuesUnusual) as asked:
        record(case, cadence_spm="120")
    assert not Assessment.objects.exists()
    [question] = asked.value.questions

    record_assessment(
        episode=case,
        data={**FULL, "cadence_spm": "120"},
        by=case.clinician,
        now=NOW,
        confirmed=[question.key],
    )
    assert Assessment.objects.get().cadence_spm == 120


def test_a_second_score_of_a_measure_and_day_is_refused(case: Episode) -> None:
    record(case)
    with pytest.raises(ValuesRefused, match="already has a score on that day"):
        record(case)
    assert Assessment.objects.count() == 1


def test_a_red_flag_is_raised_and_the_program_held(case: Episode) -> None:
    make_program(case)
    recorded = record_assessment(
        episode=case, data={**FULL, "red_flags": ["knee_locks"]}, by=case.clinician, now=NOW
    )
    assert recorded.alert is not None
    assert Hold.objects.get().red_flags == ["knee_locks"]

    worse = {"outcome_scores": [{"measure": "akps", "items": {**BEST, "swelling": 4}}]}
    change(recorded.assessment, worse)
    assert {row["code"] for row in Alert.objects.get().evidence} == {"knee_locks", "knee_swells"}


def test_who_may_not_treat_here_stores_nothing(case: Episode) -> None:
    assessment = record(case)
    signed = sign(record(case, outcome_scores=[], aggravating_activities=[]))
    before = stored(assessment)
    for by in (make_user(role=Role.ASSISTANT, clinic=case.clinic), make_user(clinic=make_case().clinic)):
        with pytest.raises(Denied):
            record_assessment(episode=case, data=FULL, by=by, now=NOW)
        with pytest.raises(Denied):
            change(assessment, {"notes": "Mine."}, by=by)
        with pytest.raises(Denied):
            sign_assessment(assessment=assessment, version=1, by=by, now=NOW)
        with pytest.raises(Denied):
            add_addendum(assessment=signed, text="Mine.", by=by, now=NOW)
        with pytest.raises(Denied):
            keep(case, by=by)
    assert stored(assessment) == before
    assert Assessment.objects.filter(signed_at=None).count() == 1
    assert not Addendum.objects.exists()
    assert not AssessmentDraft.objects.exists()


def test_a_closed_case_takes_no_assessment(case: Episode) -> None:
    Episode.objects.filter(pk=case.pk).update(closed_on=TODAY, outcome="recovered")
    with pytest.raises(AssessmentError, match="closed"):
        record(case)
    assert not Assessment.objects.exists()


# --- two clinicians


@pytest.mark.django_db(transaction=True)
def test_the_second_of_two_savers_overwrites_nothing() -> None:
    case = make_case()
    assessment = record(case)
    colleague = make_user(clinic=case.clinic)
    from_another_connection(lambda: change(assessment, {"notes": "Colleague's."}, by=colleague))

    with pytest.raises(ChangedMeanwhile) as told:
        change(assessment, {"notes": "Mine."})

    assert (told.value.current.version, told.value.version) == (2, 1)
    assert stored(assessment)["notes"] == "Colleague's."


@pytest.mark.django_db(transaction=True)
def test_while_one_saves_the_other_waits_and_is_told() -> None:
    case = make_case()
    assessment = record(case)
    with transaction.atomic():
        change(assessment, {"notes": "First."})
        with pytest.raises(Exception, match="lock timeout"):
            from_another_connection(lambda: change(assessment, {"notes": "Second."}))
    with pytest.raises(ChangedMeanwhile):
        from_another_connection(lambda: change(assessment, {"notes": "Second."}))
    assert stored(assessment)["notes"] == "First."


@pytest.mark.django_db(transaction=True)
def test_nobody_adds_a_measurement_while_it_is_being_signed() -> None:
    case = make_case()
    assessment = record(case)

    def add() -> None:
        StrengthTest.objects.create(
            clinic=case.clinic, assessment=assessment, **strength("left", "90", muscle_group="calf")
        )

    with transaction.atomic():
        sign(assessment)
        with pytest.raises(Exception, match="lock timeout"):
            from_another_connection(add)
    with pytest.raises(IntegrityError, match="is signed"):
        from_another_connection(add)


# --- signing


def sign(assessment: Assessment) -> Assessment:
    return sign_assessment(
        assessment=assessment, version=assessment.version, by=assessment.assessed_by, now=NOW
    )


def test_a_signature_says_who_and_when_and_is_given_once(case: Episode) -> None:
    assessment = sign(record(case))
    assert (assessment.signed_at, assessment.signed_by, assessment.is_signed) == (NOW, case.clinician, True)
    with pytest.raises(AssessmentError, match="is signed"):
        sign(assessment)


def test_what_has_changed_since_it_was_read_is_not_signed(case: Episode) -> None:
    assessment = record(case)
    change(assessment, {"notes": "Later."})
    with pytest.raises(ChangedMeanwhile):
        sign_assessment(assessment=assessment, version=1, by=case.clinician, now=NOW)
    assert not Assessment.objects.get().is_signed


def test_saved_and_signed_at_once_it_is_complete(case: Episode) -> None:
    recorded = record_assessment(episode=case, data=FULL, by=case.clinician, now=NOW, sign=True)
    assert Assessment.objects.get().is_signed
    assert recorded.assessment.strength_tests.count() == 2


def test_the_service_changes_no_signed_assessment(case: Episode) -> None:
    assessment = sign(record(case))
    before = stored(assessment)
    with pytest.raises(AssessmentError, match="a correction is an addendum"):
        change(assessment, {"notes": "Later."})
    assert stored(assessment) == before


def _new_row(assessment: Assessment) -> None:
    StrengthTest.objects.create(
        clinic=assessment.clinic, assessment=assessment, **strength("left", "90", muscle_group="calf")
    )


def _other_row(assessment: Assessment) -> None:
    other = make_assessment(assessment.episode)
    _new_row(other)
    StrengthTest.objects.filter(assessment=other).update(assessment=assessment)


PAST_THE_SERVICE: dict[str, Any] = {
    "save": lambda assessment: Assessment.objects.get(pk=assessment.pk).save(),
    "update": lambda assessment: Assessment.objects.filter(pk=assessment.pk).update(worst_pain=1),
    "unsign": lambda assessment: Assessment.objects.update(signed_at=None, signed_by=None),
    "delete": lambda assessment: Assessment.objects.filter(pk=assessment.pk)._raw_delete("default"),
    "new row": _new_row,
    "moved row": _other_row,
    "strength": lambda assessment: StrengthTest.objects.update(value=1),
    "rows taken out": lambda assessment: assessment.q_angles.all().delete(),
    "score": lambda assessment: OutcomeScore.objects.update(value=1),
    "score taken away": lambda assessment: OutcomeScore.objects.update(assessment=None),
}


@pytest.mark.parametrize("way", PAST_THE_SERVICE)
def test_nor_does_anything_else(case: Episode, way: str) -> None:
    assessment = sign(record(case))
    before = stored(assessment)
    with pytest.raises(IntegrityError, match="is signed"), transaction.atomic():
        PAST_THE_SERVICE[way](assessment)
    assert stored(assessment) == before
    assert Assessment.objects.get(pk=assessment.pk).is_signed


def test_an_erased_patient_takes_the_signed_assessment_along(case: Episode) -> None:
    owner = make_user(role=Role.OWNER, clinic=case.clinic)
    assessment = sign(record(case))
    add_addendum(assessment=assessment, text="Right knee.", by=case.clinician, now=NOW)
    erase_patient(
        patient=case.patient,
        by=owner,
        case_number=confirmation(case.patient),
        reason="Asked for",
        now=NOW,
        today=TODAY,
    )
    assert not Assessment.objects.exists()
    assert not Addendum.objects.exists()


# --- addenda


def test_an_addendum_corrects_and_its_red_flag_is_raised(case: Episode) -> None:
    make_program(case)
    assessment = sign(record(case))
    before = stored(assessment)

    addendum = add_addendum(
        assessment=assessment,
        text=" The knee locked yesterday. ",
        red_flags=["knee_locks"],
        by=case.clinician,
        now=NOW,
    )

    assert (addendum.text, addendum.by, addendum.at) == ("The knee locked yesterday.", case.clinician, NOW)
    assert Alert.objects.get(kind="red_flag").evidence[0]["addendum"] == addendum.pk
    assert Hold.objects.get().red_flags == ["knee_locks"]
    assert stored(assessment) == before
    for write in (
        lambda: Addendum.objects.update(red_flags=[]),
        lambda: Addendum.objects.all().delete(),
    ):
        with pytest.raises(Exception, match="are for good"), transaction.atomic():
            write()


@pytest.mark.parametrize(
    ("signed", "text", "flags", "field"),
    [(False, "Text", [], "assessment"), (True, " ", [], "text"), (True, "Text", ["x"], "red_flags")],
)
def test_an_addendum_is_refused_in_words(
    case: Episode, signed: bool, text: str, flags: list[str], field: str
) -> None:
    assessment = record(case)
    assessment = sign(assessment) if signed else assessment
    with pytest.raises(AssessmentError) as refused:
        add_addendum(assessment=assessment, text=text, red_flags=flags, by=case.clinician, now=NOW)
    assert refused.value.field == field
    assert not Addendum.objects.exists()


# --- drafts


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
    return drafts.keep_draft(episode=case, **values)


def test_an_author_has_one_draft_of_an_assessment(case: Episode) -> None:
    keep(case)
    later = keep(case, content={"worst_pain": ["7"]}, now=NOW + timedelta(seconds=5))
    keep(case, by=make_user(clinic=case.clinic))
    keep(case, assessment=record(case), base=1)

    assert AssessmentDraft.objects.count() == 3
    mine = drafts.draft_of(episode=case, assessment=None, by=case.clinician)
    assert mine is not None
    assert (mine.pk, drafts.content_of(mine), mine.started_at) == (later.pk, {"worst_pain": ["7"]}, NOW)
    assert len(drafts.drafts_of_others(episode=case, assessment=None, by=case.clinician)) == 1


def test_a_draft_is_gone_with_its_saving_and_stays_when_that_is_refused(case: Episode) -> None:
    draft = keep(case)
    with pytest.raises(ValuesRefused):
        record_assessment(episode=case, data={"worst_pain": 12}, by=case.clinician, now=NOW, draft=draft)
    assert AssessmentDraft.objects.exists()
    record_assessment(episode=case, data={"worst_pain": 6}, by=case.clinician, now=NOW, draft=draft)
    assert not AssessmentDraft.objects.exists()


def test_a_red_flag_in_a_draft_is_shown_and_not_raised(case: Episode) -> None:
    keep(case)
    assert drafts.flagged_drafts([case]) == []
    keep(case, red_flags=[Symptom.LOCKING])
    [flagged] = drafts.flagged_drafts([case])
    assert flagged.symptoms == ("Knee locks",)
    assert not Alert.objects.exists()


def test_an_old_draft_is_forgotten_unless_a_flag_is_ticked_in_it(case: Episode) -> None:
    keep(case)
    keep(case, by=make_user(clinic=case.clinic), red_flags=[Symptom.LOCKING])
    assert drafts.forget_drafts(now=NOW + drafts.KEPT) == 0
    assert drafts.forget_drafts(now=NOW + drafts.KEPT + timedelta(seconds=1)) == 1
    assert AssessmentDraft.objects.get().red_flags == ["knee_locks"]


def test_a_draft_longer_than_any_form_is_refused(case: Episode) -> None:
    with pytest.raises(drafts.DraftError):
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
