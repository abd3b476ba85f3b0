"""A running program moves on, pauses, starts its clock again, wakes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from programs.models import (
    Program,
    StageMove,
)
from tests.access.bodies import FieldsOf
from tests.programs.admin.acting import act, case_of

pytestmark = pytest.mark.django_db


def test_a_stage_move_past_unmet_criteria_asks_for_a_reason_beside_its_field(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)

    refused = act(client, "move-stage", case, override_reason="")
    assert "Not met yet" in refused.context["form"].errors["override_reason"][0]
    gate = refused.context["gate"]
    counted = f"{len(gate.unmet)} of {len(gate.unmet) + len(gate.met)} criteria not met"
    assert f"To the next stage: {counted}" in refused.content.decode()
    assert not StageMove.objects.exists()

    act(client, "move-stage", case)
    assert StageMove.objects.get().override_reason == "Strong enough"


def test_a_pause_begins_and_ends(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)

    act(client, "pause", case)
    assert case.program.pauses.get().ends_on is None
    again = act(client, "pause", case)
    assert "overlaps" in again.context["form"].errors["starts_on"][0]

    tomorrow = timezone.localdate() + timedelta(days=1)
    act(client, "resume", case, on=tomorrow.isoformat())
    assert case.program.pauses.get().ends_on == tomorrow


def test_a_pause_is_confirmed_with_what_the_page_itself_holds(staff: Any) -> None:
    case = case_of(staff)
    client, page = staff.client(staff.physio), reverse("admin:do", args=["pause", case.program.pk])
    first = FieldsOf(client.get(page).content.decode()).held
    looked = client.post(page, first | {"kind": "holiday"})
    assert "Press the button again to confirm" in looked.content.decode()
    assert not case.program.pauses.exists()

    held = FieldsOf(looked.content.decode()).held
    other = client.post(page, held | {"starts_on": "2026-01-01"})
    assert other.status_code == 200  # other dates are looked at anew
    assert not case.program.pauses.exists()
    assert client.post(page, held).status_code == 302
    assert case.program.pauses.get().kind == "holiday"


def test_the_page_of_a_pause_tells_its_effect_first_and_refuses_a_slip_in_the_year(staff: Any) -> None:
    case = case_of(staff)
    client, today = staff.client(staff.physio), timezone.localdate()

    week = act(client, "pause", case, ends_on=(today + timedelta(days=7)).isoformat(), confirmed="")
    assert (week.context["preview"].days, week.context["preview"].check_ins) == (7, 3)
    slip = act(client, "pause", case, ends_on="9999-12-31", confirmed="")
    assert "At most 366 days" in slip.context["form"].errors["ends_on"][0]
    assert slip.context["preview"] is None
    assert not case.program.pauses.exists()


def test_a_new_fair_trial_is_declared_once(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)

    act(client, "fair-trial", case)
    again = act(client, "fair-trial", case)

    assert Program.objects.get(pk=case.program.pk).fair_trial_reason == "Another program"
    assert "already declared" in again.content.decode()


def test_an_imported_program_wakes(staff: Any) -> None:
    case = case_of(staff)
    Program.objects.filter(pk=case.program.pk).update(asleep=True)

    act(staff.client(staff.physio), "wake", case)

    case.program.refresh_from_db()
    assert (case.program.asleep, case.program.next_check_in_at is None) == (False, False)
