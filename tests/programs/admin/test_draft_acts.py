"""From a template to a program that the patient has: prepared, looked at, sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from programs.models import (
    Program,
    ProgramStage,
)
from tests.factories import (
    make_exercise,
    make_template,
)
from tests.programs.admin.acting import act, case_of, url_of

pytestmark = pytest.mark.django_db


def test_preparing_copies_the_template_and_leads_to_the_copy(staff: Any) -> None:
    case = case_of(staff)

    answer = act(staff.client(staff.physio), "assign", case)

    program = Program.with_drafts.drafts().get(template=case.template)
    assert answer.url == reverse("admin:adjust", args=[program.pk])
    assert ProgramStage.objects.filter(program=program).count() == 2
    case.program.refresh_from_db()
    assert case.program.is_active


def test_sending_puts_the_draft_in_place_of_the_running_program(staff: Any) -> None:
    case = case_of(staff)

    answer = act(staff.client(staff.physio), "send", case)

    assert answer.status_code == 302
    assert list(case.draft.episode.programs.active()) == [case.draft]
    assert case.draft.episode.programs.exclude(pk=case.draft.pk).get().end_reason == "Replaced"


def test_a_refused_start_date_is_shown_beside_its_field(staff: Any) -> None:
    case = case_of(staff)
    tomorrow = timezone.localdate() + timedelta(days=2)

    answer = act(staff.client(staff.physio), "send", case, started_on=tomorrow.isoformat())

    assert "today or earlier" in answer.context["form"].errors["started_on"][0]
    assert Program.with_drafts.get(pk=case.draft.pk).is_draft


def test_the_assign_page_previews_stages_and_doses_before_anything_is_written(staff: Any) -> None:
    case = case_of(staff)
    dose = case.template.stages.first().doses.first()
    assert dose is not None

    html = (
        staff.client(staff.physio)
        .get(url_of("assign", case), {"template": case.template.pk})
        .content.decode()
    )

    assert dose.exercise.name in html
    assert dose.text in html
    assert Program.objects.filter(template=case.template).count() == 0


def test_another_clinics_template_can_not_be_assigned(staff: Any, stranger: Any) -> None:
    case = case_of(staff)
    foreign = make_template(clinic=stranger.clinic, name="Foreign")
    make_exercise()

    answer = act(staff.client(staff.physio), "assign", case, template_choice=foreign.pk)

    assert answer.context["form"].errors["template_choice"]
    assert not Program.objects.filter(template=foreign).exists()
