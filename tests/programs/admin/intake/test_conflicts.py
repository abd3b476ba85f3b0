"""Two clinicians on one assessment: nobody overwrites what the other changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from patients.models import Assessment, AssessmentDraft
from programs.services.assessments import change_assessment
from tests.access.bodies import FieldsOf
from tests.factories import NOW
from tests.programs.admin.intake.filling import FULL, add, change_url, opened

pytestmark = pytest.mark.django_db


def test_the_second_saver_sees_field_by_field_what_the_first_changed(staff: Any, case: Any) -> None:
    add(staff, case, **FULL)
    assessment = Assessment.objects.get()
    mine = staff.client(staff.physio)
    held = opened(mine, change_url(assessment))
    colleague = staff.client(staff.owner)
    theirs = {"worst_pain": "3", "notes": "Colleague's.", "body_mass_kg": "65"}
    colleague.post(change_url(assessment), opened(colleague, change_url(assessment)) | theirs)

    sent = held | {"worst_pain": "8", "q0-left": "18"}
    page = mine.post(change_url(assessment), sent)

    html = page.content.decode()
    assert page.status_code == 200
    rows = {row.name: (row.theirs, row.mine, row.is_conflict) for row in page.context["rows"]}
    assert rows == {
        "worst_pain": ("3", "8", True),
        "notes": ("Colleague's.", "empty", False),
        "body_mass_kg": ("65", "64", False),
    }
    assert str(staff.owner) in html
    assert stored(assessment) == (3, "Colleague's.", 65, 17)
    assert AssessmentDraft.objects.count() == 1

    merge = FieldsOf(html).held
    unanswered = mine.post(change_url(assessment), merge | {"_merge": "1"})
    assert "Choose for each of the marked fields." in unanswered.content.decode()
    assert stored(assessment) == (3, "Colleague's.", 65, 17)

    mine.post(change_url(assessment), merge | {"_merge": "1", "pick-worst_pain": "mine"})
    assert stored(assessment) == (8, "Colleague's.", 65, 18)
    assert not AssessmentDraft.objects.exists()


def stored(assessment: Any) -> tuple[Any, ...]:
    row = Assessment.objects.get(pk=assessment.pk)
    return (row.worst_pain, row.notes, row.body_mass_kg, row.q_angles.get().degrees)


def test_a_draft_of_an_older_version_overwrites_nothing_either(staff: Any, case: Any) -> None:
    add(staff, case, **FULL)
    assessment = Assessment.objects.get()
    client = staff.client(staff.physio)
    held = opened(client, change_url(assessment)) | {"worst_pain": "8"}
    client.post(reverse("admin:patients_assessment_draft", args=[case.pk]), held)
    theirs = {"worst_pain": Decimal(3)}
    change_assessment(assessment=assessment, data=theirs, version=1, by=staff.owner, now=NOW)

    page = client.get(change_url(assessment)).content.decode()
    assert "after you began to type" in page
    again = client.post(change_url(assessment), FieldsOf(page).held)
    assert "Nothing is overwritten" in again.content.decode()
    assert Assessment.objects.get().worst_pain == 3


def test_without_what_the_page_showed_every_difference_is_asked_about(staff: Any, case: Any) -> None:
    add(staff, case, **FULL)
    assessment = Assessment.objects.get()
    client = staff.client(staff.physio)
    held = opened(client, change_url(assessment)) | {"base": "{[", "worst_pain": "8"}
    change_assessment(assessment=assessment, data={"notes": "New."}, version=1, by=staff.owner, now=NOW)
    page = client.post(change_url(assessment), held)
    assert "worst_pain" in {row.name for row in page.context["conflicts"]}
    assert Assessment.objects.get().worst_pain == Decimal("6.5")
