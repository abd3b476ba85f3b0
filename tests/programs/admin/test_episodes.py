"""What is known of the problem itself, on its page."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from patients.models import Episode
from tests.factories import TODAY, make_case
from tests.programs.services.recorded import answer, running_case

pytestmark = pytest.mark.django_db


def test_another_knee_than_the_patient_answered_for_is_refused_beside_the_field(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    answer(running_case(started_on=TODAY, episode=case), 0, worst=4)
    page = reverse("admin:patients_episode_change", args=[case.pk])
    said = staff.client(staff.physio).post(page, {"diagnosis": "pfp", "index_side": "right"})
    assert "the course is the left knee" in said.context["adminform"].form.errors["index_side"][0]
    assert Episode.objects.get().index_side == "left"
