"""When the treating clinician last opened a case."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.models import User
from programs.models import Program
from programs.services.caseload import Wanted, look, select
from tests.factories import NOW, make_clinic, make_user
from tests.programs.services.caseload.making import answered, case_of

pytestmark = pytest.mark.django_db


def with_news(physio: User) -> list[str]:
    found = select(user=physio, now=NOW, wanted=Wanted(need="new_answers"))
    return [case.case_number for case in found]


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


def test_a_colleagues_look_leaves_it_new() -> None:
    physio = make_user(clinic=make_clinic())
    case = case_of(physio, "1", program={})
    look(episode=case, by=make_user(clinic=case.clinic), now=NOW)
    assert Program.objects.get().looked_at is None
