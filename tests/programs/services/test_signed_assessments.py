"""A signed assessment is changed by nobody and nothing; an addendum corrects it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from clinic.roles import Role
from patients.models import Addendum, Assessment, Episode, OutcomeScore, StrengthTest
from programs.models import Alert, Hold
from programs.services.assessments import (
    AssessmentError,
    ChangedMeanwhile,
    add_addendum,
    record_assessment,
    sign_assessment,
)
from programs.services.privacy import confirmation, erase_patient
from tests.connections import from_another_connection
from tests.factories import NOW, TODAY, make_assessment, make_case, make_program, make_user
from tests.programs.services.assessing import FULL, change, new_row, record, sign, stored, strength

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Episode:
    return make_case()


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


def _other_row(assessment: Assessment) -> None:
    other = make_assessment(assessment.episode)
    new_row(other)
    StrengthTest.objects.filter(assessment=other).update(assessment=assessment)


PAST_THE_SERVICE: dict[str, Any] = {
    "save": lambda assessment: Assessment.objects.get(pk=assessment.pk).save(),
    "update": lambda assessment: Assessment.objects.filter(pk=assessment.pk).update(worst_pain=1),
    "unsign": lambda assessment: Assessment.objects.update(signed_at=None, signed_by=None),
    "delete": lambda assessment: Assessment.objects.filter(pk=assessment.pk)._raw_delete("default"),
    "new row": new_row,
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


EMPTY = {"kind": "reassessment", "assessed_on": TODAY, "body_mass_kg": "64"}


@pytest.mark.parametrize("to_sign", [True, False])
def test_an_assessment_that_holds_nothing_is_neither_kept_nor_signed(to_sign: bool) -> None:
    case = make_case()
    with pytest.raises(AssessmentError, match="Nothing is recorded") as refused:
        record_assessment(episode=case, data=EMPTY, by=case.clinician, now=NOW, sign=to_sign)
    assert refused.value.field == "notes"
    assert not Assessment.objects.exists()

    emptied = Assessment.objects.create(
        clinic=case.clinic, episode=case, kind="intake", assessed_on=TODAY, assessed_by=case.clinician
    )
    with pytest.raises(AssessmentError, match="Nothing is recorded"):
        sign(emptied)
    assert not Assessment.objects.get().is_signed


def test_the_names_of_activities_that_the_form_brings_along_are_no_finding(case: Episode) -> None:
    record(case)
    brought = {"activity": "Stairs down"}
    again = {"episode": case, "by": case.clinician, "now": NOW}
    with pytest.raises(AssessmentError, match="Nothing is recorded"):
        record_assessment(data={**EMPTY, "aggravating_activities": [brought]}, **again)
    assert Assessment.objects.count() == 1
    for found in ({**brought, "pain": "6"}, {"activity": "Cycling"}):
        record_assessment(data={**EMPTY, "aggravating_activities": [found]}, **again)
    assert Assessment.objects.count() == 3


@pytest.mark.parametrize(
    "found",
    [
        {"notes": "Did not come."},
        {"hip_examined": True},
        {"worst_pain": "0"},
        {"strength_tests": [strength("left", "118")]},
        {"outcome_scores": [{"measure": "lefs", "value": "61"}]},
    ],
)
def test_one_finding_is_enough_to_sign(found: dict[str, Any]) -> None:
    case = make_case()
    data = {"kind": "reassessment", "assessed_on": TODAY, **found}
    assert record_assessment(
        episode=case, data=data, by=case.clinician, now=NOW, sign=True
    ).assessment.is_signed
