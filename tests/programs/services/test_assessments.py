"""Recording and changing an assessment, by one clinician and by two at once."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from clinic.roles import Denied, Role
from patients.models import Addendum, Assessment, AssessmentDraft, Episode, OutcomeScore, StrengthTest
from programs.models import Alert, Hold
from programs.services.assessments import (
    AssessmentError,
    ChangedMeanwhile,
    ValuesRefused,
    ValuesUnusual,
    add_addendum,
    record_assessment,
    sign_assessment,
)
from programs.services.matching import suggest
from tests.connections import from_another_connection, wait_for_a_lock
from tests.factories import NOW, TODAY, make_case, make_patient, make_program, make_user
from tests.programs.services.assessing import BEST, FULL, change, record, sign, stored, strength
from tests.programs.services.test_assessment_drafts import keep

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Episode:
    return make_case()


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


def test_scores_follow_the_day_and_one_of_another_day_stays() -> None:
    case = make_case(opened_on=TODAY - timedelta(days=1))
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


def test_two_scores_of_a_measure_and_day_in_one_assessment_are_refused_by_row(case: Episode) -> None:
    akps = {"measure": "akps", "items": BEST}
    with pytest.raises(ValuesRefused, match="already has a score on that day") as refused:
        record(case, outcome_scores=[akps, {"measure": "lefs", "value": "60"}, akps])
    assert list(refused.value.errors) == ["outcome_scores.2.value"]
    assert not Assessment.objects.exists()


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
def test_of_one_form_sent_twice_at_once_the_second_waits_and_is_given_what_the_first_made(
    case: Episode,
) -> None:
    def save() -> Assessment:
        values: dict[str, Any] = {"data": FULL, "by": case.clinician, "now": NOW, "key": "one"}
        return record_assessment(episode=case, **values).assessment

    second = list[Assessment]()
    thread = threading.Thread(target=from_another_connection, args=[lambda: second.append(save())])
    with transaction.atomic():
        first = save()
        thread.start()
        wait_for_a_lock(thread)
        assert thread.is_alive()
    thread.join(20)

    assert second == [first]
    assert Assessment.objects.count() == 1


def test_a_refused_form_uses_its_key_up_no_more_than_a_red_flag_is_lost_with_it(case: Episode) -> None:
    def save(**data: Any) -> Any:
        return record_assessment(episode=case, data=data, by=case.clinician, now=NOW, key="one")

    with pytest.raises(ValuesRefused):
        save(worst_pain=12)
    first = save(worst_pain=2, red_flags=["knee_locks"])
    again = save(worst_pain=2, red_flags=["knee_locks"])
    with pytest.raises(ChangedMeanwhile) as found:
        save(worst_pain=3)

    assert first.alert is not None
    assert again == first
    assert (found.value.current, found.value.version) == (first.assessment, 0)


def test_nobody_is_assessed_before_birth() -> None:
    case = make_case(patient=make_patient(birth_date=date(1995, 3, 1)))
    with pytest.raises(ValuesRefused) as refused:
        record(case, assessed_on=date(1995, 2, 28))
    assert refused.value.errors == {"assessed_on": "The patient was born on 1 Mar 1995."}
    assert not Assessment.objects.exists()


def test_an_assessment_before_the_case_was_opened_is_asked_about_and_makes_nobody_a_child() -> None:
    case = make_case(patient=make_patient(birth_date=date(1995, 3, 1)))
    data = {**FULL, "assessed_on": date(1999, 1, 1), "hip_findings": True}
    with pytest.raises(ValuesUnusual) as asked:
        record_assessment(episode=case, data=data, by=case.clinician, now=NOW)
    [question] = asked.value.questions
    assert (question.path, question.text) == (
        "assessed_on",
        "1 Jan 1999 is before the case was opened, 2 Mar 2026. Is it right?",
    )
    assert not Assessment.objects.exists()

    kept = record_assessment(
        episode=case, data=data, by=case.clinician, now=NOW, confirmed=[question.key]
    ).assessment
    assert kept.patient_age == 31
    assert not Alert.objects.exists()  # of a child the finding at the hip would be a red flag
    assert suggest(assessment=kept).refer is None


def test_on_the_day_on_which_the_case_was_opened_nothing_is_asked() -> None:
    assert record(make_case(), assessed_on=TODAY).assessed_on == TODAY
