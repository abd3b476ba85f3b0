"""Whose cases and assessments open, and whose answer as if they did not exist."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from patients.models import Assessment, AssessmentDraft
from tests.factories import make_assessment, make_case
from tests.programs.admin.intake.filling import ADD, add, form, keep

pytestmark = pytest.mark.django_db


def test_a_foreign_case_can_not_be_assessed(staff: Any, stranger: Any) -> None:
    answer = add(staff, make_case(stranger.clinic))

    assert answer.status_code == 200
    assert not Assessment.objects.exists()


def test_a_draft_names_no_assessment_of_another_case(staff: Any, stranger: Any, case: Any) -> None:
    for other in (make_case(staff.clinic), make_case(stranger.clinic)):
        for name in ("draft", "values"):
            url = reverse(f"admin:patients_assessment_{name}", args=[case.pk])
            sent = form(case, assessment=make_assessment(other).pk)
            assert staff.client(staff.physio).post(url, sent).status_code == 404
    assert not AssessmentDraft.objects.exists()


def test_a_foreign_assessment_answers_like_one_that_does_not_exist(staff: Any, stranger: Any) -> None:
    foreign = make_assessment(make_case(stranger.clinic))
    client = staff.client(staff.owner)
    urls = [reverse("admin:patients_assessment_change", args=[pk]) for pk in (foreign.pk, foreign.pk + 1000)]

    assert [client.get(url).status_code for url in urls] == [404, 404]
    assert client.get(reverse("admin:suggestions", args=[foreign.pk])).status_code == 404


@pytest.mark.parametrize("name", ["patients_assessment_changelist", "patients_assessment_add"])
def test_an_assistant_gets_no_assessment(staff: Any, name: str) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    client = staff.client(staff.assistant)

    assert client.get(reverse(f"admin:{name}")).status_code == 403
    assert client.post(reverse(ADD), form(case)).status_code == 403
    assert keep(staff, case, by=staff.assistant).status_code == 403
    assert (Assessment.objects.count(), AssessmentDraft.objects.count()) == (0, 0)
