"""Edits field by field: what a form checks is checked for a tool, too."""

from __future__ import annotations

from typing import Any

import pytest

from patients.models import Episode
from patients.services import CaseError
from programs.services.edits import edit_case
from tests.factories import NOW, TODAY
from tests.programs.services.recorded import answer, running_case

pytestmark = pytest.mark.django_db


def edited(case: Episode, **values: Any) -> str:
    edit_case(episode=case, values=values, by=case.clinician, now=NOW)
    return str(Episode.objects.get(pk=case.pk).index_side)


def test_the_index_knee_is_corrected_until_the_patient_has_answered_for_it() -> None:
    program = running_case(started_on=TODAY)
    case = program.episode
    assert (edited(case, index_side="right"), edited(case, index_side="left")) == ("right", "left")
    answer(program, 0, worst=4)

    with pytest.raises(CaseError, match="the course is the left knee's") as refused:
        edited(case, index_side="right", both_knees=True)

    stored = Episode.objects.get()
    assert refused.value.field == "index_side"
    assert (stored.index_side, stored.both_knees) == ("left", False)
    assert edited(case, index_side="left", both_knees=True) == "left"
