"""From a template to a program that the patient has: prepared, looked at, sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from patients.models import Invitation, Patient
from programs.models import (
    Program,
    ProgramStage,
)
from programs.services.invitations import invite
from tests.factories import (
    make_exercise,
    make_template,
)
from tests.programs.admin.acting import act, case_of, url_of
from tests.programs.services.caseload.making import with_account

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


def sent(staff: Any, case: Any, **answers: Any) -> str:
    """What the page says once it is done."""
    answer = staff.client(staff.physio).post(
        url_of("send", case), {"started_on": timezone.localdate().isoformat(), **answers}, follow=True
    )
    return " ".join(str(message) for message in answer.context["messages"])


def form_of(staff: Any, case: Any) -> Any:
    return staff.client(staff.physio).get(url_of("send", case))


def test_who_was_never_invited_is_invited_in_the_same_step(staff: Any) -> None:
    case = case_of(staff)
    page = form_of(staff, case)
    assert page.context["form"]["invite"].initial is True
    assert "has no account yet and was never invited" in page.content.decode()

    assert "so is the invitation" in sent(staff, case, invite="on")

    assert Invitation.objects.get().patient == case.draft.episode.patient
    assert not Program.with_drafts.get(pk=case.draft.pk).is_draft


def test_sent_without_an_invitation_the_message_says_that_nobody_sees_it(staff: Any) -> None:
    case = case_of(staff)
    assert "cannot see it yet" in sent(staff, case)
    assert not Invitation.objects.exists()


def test_without_an_address_no_invitation_is_offered(staff: Any) -> None:
    case = case_of(staff)
    Patient.objects.filter(pk=case.draft.episode.patient_id).update(email="")
    page = form_of(staff, case)
    assert "invite" not in page.context["form"].fields
    assert "no e-mail address to be invited at" in page.content.decode()
    assert "cannot see it yet" in sent(staff, case)


def test_who_has_an_account_or_an_open_invitation_is_not_invited_again(staff: Any) -> None:
    case = case_of(staff)
    invite(patient=case.draft.episode.patient, by=staff.physio, now=timezone.now())
    assert "invite" not in form_of(staff, case).context["form"].fields
    assert "once the invitation is opened" in sent(staff, case)


def test_with_an_account_the_program_is_with_the_patient(staff: Any) -> None:
    case = case_of(staff)
    with_account(case.draft.episode.patient)
    page = form_of(staff, case)
    assert "invite" not in page.context["form"].fields
    assert "no account" not in page.content.decode()
    assert f"is with {case.draft.episode.patient} now" in sent(staff, case)
    assert not Invitation.objects.exists()
