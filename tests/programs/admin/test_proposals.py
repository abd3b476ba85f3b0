"""What the 24-hour pain rule proposes, on the patient page."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.urls import reverse

from programs.models import Program, Run, Session
from programs.services.red_flags import raise_red_flag
from programs.services.running import set_ladder_step
from tests.factories import NOW, TODAY, make_case, make_program

pytestmark = pytest.mark.django_db


def page_of(program: Program) -> str:
    return reverse("admin:patients_patient_change", args=[program.episode.patient_id])


@pytest.mark.parametrize(
    ("during", "proposal", "why"),
    [
        (["1", "2", "1"], "Progress one step", "3 green in a row, 3 needed"),
        (["1", "1", "4"], "Hold the dose", "was amber: pain during 4"),
        (["1", "1", "8"], "Ease one step", "was red: pain during 8"),
        ([], "Hold the dose", "no complete session yet"),
    ],
)
def test_the_page_shows_what_the_pain_rule_proposes_and_why(
    staff: Any, during: list[str], proposal: str, why: str
) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    program = make_program(case)
    for number, pain in enumerate(during):
        done(Session, program, number, pain)
    done(Session, program, -1, "9")  # before this stage: it says nothing of the present dose

    page = staff.client(staff.physio).get(page_of(program))

    strength = page.context["page"].clinical.load
    assert strength.badge.text == proposal
    assert why in strength.proposed.verdict.reasons[0]
    assert proposal in page.content.decode()


def test_runs_get_a_proposal_of_their_own_and_a_held_program_none(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio, running_track="stopped")
    program = make_program(case)
    set_ladder_step(program=program, to_step=1, by=staff.physio, now=NOW, today=TODAY, reason="Ran before")
    done(Run, program, 0, "5", distance_km=Decimal("3"))
    client = staff.client(staff.physio)

    load = client.get(page_of(program)).context["page"].clinical.load
    assert (load.badge.text, load.running.badge.text) == ("Hold the dose", "Repeat the step")

    raise_red_flag(episode=case, codes=["knee_locks"], source="a check-in", evidence=[], now=NOW)
    held = client.get(page_of(program)).context["page"].clinical.load
    assert (held.proposed, held.badge, held.running.badge) == (None, None, None)


def done(kind: Any, program: Program, day: int, pain: str, **fields: Any) -> None:
    """A complete session or run that hurt so much, that many days into the stage."""
    kind.objects.create(
        clinic=program.clinic,
        patient=program.episode.patient,
        episode=program.episode,
        program=program,
        client_id=uuid4(),
        occurred_at=NOW,
        local_date=TODAY + timedelta(days=day),
        pain_before=Decimal("1"),
        pain_during=Decimal(pain),
        pain_next_morning=Decimal("1"),
        **fields,
    )


@time_machine.travel(NOW + timedelta(minutes=1), tick=False)
def test_the_running_card_of_a_held_program_says_that_running_is_on_hold_and_nothing_else(staff: Any) -> None:
    """Logged pain-free runs point to the other track, which is to keep running."""
    case = make_case(staff.clinic, clinician=staff.physio, running_track="stopped")
    program = make_program(case)
    done(Run, program, 0, "1", distance_km=Decimal("3"))
    client = staff.client(staff.physio)
    change = reverse("admin:do", args=["running", program.pk])
    assert "keep running with the volume cut by 40 %" in client.get(page_of(program)).content.decode()

    raise_red_flag(
        episode=case, codes=["chest_pain_breathlessness"], source="a check-in", evidence=[{}], now=NOW
    )

    for address in (page_of(program), change):
        page = client.get(address).content.decode()
        assert "Running: on hold" in page
        assert "No running until a physio or owner clears the red flag with a finding" in page
        assert "keep running" not in page
        assert 'class="kc-lock-open"' not in page
