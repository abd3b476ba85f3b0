"""A questionnaire is scored item by item."""

from __future__ import annotations

from typing import Any

import pytest

from patients.models import (
    OutcomeScore,
)
from programs.models import (
    Alert,
)
from tests.programs.admin.acting import act, case_of

pytestmark = pytest.mark.django_db


def test_a_questionnaire_is_scored_item_by_item_and_screened(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)

    act(client, "score", case)
    assert OutcomeScore.objects.get().value == 100
    assert not Alert.objects.filter(episode=case.episode, kind="red_flag").exists()

    act(client, "score", case, swelling="0")
    assert OutcomeScore.objects.get().value == 90
    assert Alert.objects.filter(episode=case.episode, kind="red_flag").exists()


def test_an_item_left_open_is_named(staff: Any) -> None:
    answer = act(staff.client(staff.physio), "score", case_of(staff), stairs="")

    assert "stairs" in answer.context["form"].errors
    assert not OutcomeScore.objects.exists()
