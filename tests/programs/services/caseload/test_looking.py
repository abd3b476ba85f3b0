"""When the treating clinician last opened a case."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.models import User
from programs.models import Program
from programs.services.caseload import Wanted, cases_of, lines, look, survey
from tests.factories import NOW, make_clinic, make_user
from tests.programs.services.caseload.making import answered, case_of

pytestmark = pytest.mark.django_db


def with_news(physio: User) -> list[str]:
    found = survey(user=physio, now=NOW, wanted=Wanted(need="new_answers")).cases
    return [case.case_number for case in cases_of(user=physio, found=found)]


def test_what_came_in_since_the_clinician_looked_is_new() -> None:
    physio = make_user(clinic=make_clinic())
    case = case_of(physio, "1", program={"created_at": NOW - timedelta(days=9)})
    assert with_news(physio) == []
    answered(case, received_at=NOW - timedelta(hours=1))
    assert with_news(physio) == ["1"]
    look(episode=case, by=physio, now=NOW)
    assert with_news(physio) == []
    answered(case, received_at=NOW + timedelta(hours=1))
    assert with_news(physio) == ["1"]


def test_what_is_new_is_told_of_the_index_knee_and_of_answers_that_count() -> None:
    physio = make_user(clinic=make_clinic())
    case = case_of(physio, "1", program={"created_at": NOW - timedelta(days=9)})
    looked, later = NOW - timedelta(days=2), NOW - timedelta(hours=1)
    answered(case, worst="9", received_at=looked - timedelta(hours=1))
    answered(case, worst="4", worst_right="8", received_at=later)
    wrong = answered(case, worst="10", received_at=later)
    answered(case, worst="6.5", received_at=later, corrects=wrong, note="Long stairs")
    look(episode=case, by=physio, now=looked)
    [line] = lines(user=physio, episodes=[case], now=NOW)
    assert line.first is not None
    assert line.first.why == "2 new answers since 28 Feb: worst pain 4.0 to 6.5, 1 note"


def test_a_colleagues_look_leaves_it_new() -> None:
    physio = make_user(clinic=make_clinic())
    case = case_of(physio, "1", program={})
    look(episode=case, by=make_user(clinic=case.clinic), now=NOW)
    assert Program.objects.get().looked_at is None


def test_an_answer_that_was_corrected_away_to_another_case_is_no_news_of_this_one() -> None:
    physio = make_user(clinic=make_clinic())
    case = case_of(physio, "1", program={"created_at": NOW - timedelta(days=9)})
    earlier = case_of(physio, "2", program={"created_at": NOW - timedelta(days=9)}, patient=case.patient)
    wrong = answered(case, received_at=NOW - timedelta(hours=2))
    answered(earlier, received_at=NOW - timedelta(hours=1), corrects=wrong)
    assert with_news(physio) == ["2"]
    assert [bool(line.needs) for line in lines(user=physio, episodes=[case, earlier], now=NOW)] == [
        False,
        True,
    ]
