"""A signed assessment is locked; an addendum corrects it; lists say what is not signed yet."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from patients.models import Addendum, Assessment
from programs.admin.caseload import page_url
from programs.models import Alert
from programs.services.assessments import sign_assessment
from tests.factories import NOW, make_assessment, make_case
from tests.programs.admin.intake.filling import FULL, add, change_url, form

pytestmark = pytest.mark.django_db


def test_saved_and_signed_it_is_shown_locked(staff: Any, case: Any) -> None:
    add(staff, case, **FULL, _sign="1")
    assessment = Assessment.objects.get()
    assert assessment.signed_by == staff.physio

    client = staff.client(staff.physio)
    page = client.get(change_url(assessment)).content.decode()
    assert f"Signed by {staff.physio}" in page
    assert '<fieldset class="in-all" disabled>' in page
    assert 'name="_save"' not in page

    client.post(change_url(assessment), form(case, worst_pain="1", version="2"))
    assert Assessment.objects.get().worst_pain == Decimal("6.5")
    left = client.get(change_url(assessment)).content.decode()
    assert "Your draft was not saved" in left


def test_an_addendum_stands_with_it_and_raises_its_flag(staff: Any, case: Any) -> None:
    add(staff, case, **FULL, _sign="1")
    assessment = Assessment.objects.get()
    client = staff.client(staff.physio)
    url = reverse("admin:do", args=["addendum", assessment.pk])

    answer = client.post(url, {"text": "It was the right knee.", "red_flags": ["knee_locks"]})

    assert answer.url == change_url(assessment)
    assert "It was the right knee." in client.get(change_url(assessment)).content.decode()
    assert "Knee locks" in Alert.objects.get().summary


def test_an_addendum_to_what_is_not_signed_is_refused(staff: Any, case: Any) -> None:
    assessment = make_assessment(case)
    url = reverse("admin:do", args=["addendum", assessment.pk])
    answer = staff.client(staff.physio).post(url, {"text": "Text"})
    assert "not signed yet: change it instead" in answer.content.decode()
    assert not Addendum.objects.exists()


def test_lists_say_what_is_not_signed_yet(staff: Any, case: Any) -> None:
    make_assessment(case)
    signed = make_assessment(make_case(staff.clinic))
    sign_assessment(assessment=signed, version=1, by=staff.owner, now=NOW)
    client, url = staff.client(staff.physio), reverse("admin:patients_assessment_changelist")
    assert client.get(url).content.decode().count("Not signed yet") >= 1
    assert client.get(url, {"signed": "no"}).context["cl"].result_count == 1
    assert client.get(url, {"signed": "yes"}).context["cl"].result_count == 1
    assert client.get(url, {"signed": "x"}).context["cl"].result_count == 2


def test_the_patients_page_says_which_assessment_is_not_signed_yet(staff: Any, case: Any) -> None:
    signed = make_assessment(case)
    sign_assessment(assessment=signed, version=1, by=staff.owner, now=NOW)
    client = staff.client(staff.physio)
    assert "Not signed yet" not in client.get(page_url(case)).content.decode()

    make_assessment(case)
    assert client.get(page_url(case)).content.decode().count("Not signed yet") == 1
