"""Under 18: no program and no invitation without a guardian's consent, and each page says so before."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.models import OutboxMessage
from patients.models import Episode, Invitation, Patient
from programs.models import Program
from tests.factories import make_assessment
from tests.programs.admin.acting import act, case_of, url_of
from tests.programs.admin.test_patients import page_of

pytestmark = pytest.mark.django_db

NAMED = "fill in guardian name and guardian consented on in the contact data"


def thirteen(staff: Any) -> Any:
    case = case_of(staff)
    today = timezone.localdate()
    Patient.objects.filter(pk=case.episode.patient_id).update(
        birth_date=today.replace(year=today.year - 13, day=1)
    )
    make_assessment(case.episode, assessed_on=today, hip_examined=True)
    case.draft.episode.refresh_from_db()
    make_assessment(case.draft.episode, assessed_on=today, hip_examined=True)
    return case


def link(episode: Episode) -> str:
    return reverse("admin:patients_patient_contact", args=[episode.patient_id])


def test_it_is_said_before_with_the_way_to_the_fields(staff: Any) -> None:
    case, client = thirteen(staff), staff.client(staff.physio)
    matched = reverse("admin:suggestions", args=[case.episode.assessments.first().pk])

    for address in (
        page_of(case.episode.patient),
        matched,
        *(url_of(name, case) for name in ("invite", "assign")),
    ):
        html = client.get(address).content.decode()
        assert NAMED in html, address
        assert link(case.episode) in html, address
    Patient.objects.update(guardian_name="Kim", guardian_consented_on=timezone.localdate())
    assert NAMED not in client.get(page_of(case.episode.patient)).content.decode()


def test_neither_a_program_nor_an_invitation_is_sent(staff: Any) -> None:
    case, client = thirteen(staff), staff.client(staff.physio)
    Patient.objects.filter(pk=case.draft.episode.patient_id).update(
        birth_date=Patient.objects.get(pk=case.episode.patient_id).birth_date
    )

    for name in ("send", "invite"):
        answer = act(client, name, case)
        assert NAMED in answer.context["form"].non_field_errors()[0]
        assert "Contact data</a>" in answer.content.decode()

    assert Program.with_drafts.get(pk=case.draft.pk).is_draft
    assert not Invitation.objects.exists()
    assert not OutboxMessage.objects.filter(kind="invitation").exists()
