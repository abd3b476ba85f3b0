"""A draft is kept for who typed it, and counts for nothing but a red flag, which is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from patients.models import Assessment, AssessmentDraft
from programs.models import Alert, Hold
from programs.services import assessment_drafts
from programs.services.red_flags import clear
from tests.access.bodies import FieldsOf
from tests.factories import make_program
from tests.programs.admin.intake.filling import ADD, add, change_url, form, keep, opened

pytestmark = pytest.mark.django_db


def test_what_is_typed_is_back_and_counts_for_nothing(staff: Any, case: Any) -> None:
    assert keep(staff, case, worst_pain="8,5", notes="Half a sen").status_code == 204

    client = staff.client(staff.physio)
    page = client.get(f"{reverse(ADD)}?episode={case.pk}").content.decode()
    held = FieldsOf(page).held
    assert (held["worst_pain"], held["notes"], held["locations"]) == ("8,5", "Half a sen", ["retropatellar"])
    assert "It is a draft: nothing of it is saved yet." in page
    assert not Assessment.objects.exists()

    assert client.post(reverse(ADD), held).status_code == 302
    assert not AssessmentDraft.objects.exists()
    assert Assessment.objects.get().worst_pain == Decimal("8.5")


def test_a_draft_is_discarded_on_request(staff: Any, case: Any) -> None:
    keep(staff, case)
    add(staff, case, _discard="1")
    assert (Assessment.objects.count(), AssessmentDraft.objects.count()) == (0, 0)


def test_a_flag_in_a_draft_is_told_and_raised_at_once_whatever_else_is_wrong(staff: Any, case: Any) -> None:
    make_program(case)
    keep(staff, case, red_flags=["knee_locks"], worst_pain="12")
    page = staff.client(staff.physio).get(f"{reverse(ADD)}?episode={case.pk}").content.decode()
    assert "Red flag: not raised until saved" in page
    assert not Alert.objects.exists()

    answer = add(staff, case, red_flags=["knee_locks"], worst_pain="12", _flag="1")

    assessment = Assessment.objects.get()
    assert answer.url == change_url(assessment)
    assert Hold.objects.get().red_flags == ["knee_locks"]
    client = staff.client(staff.physio)
    held = opened(client, change_url(assessment))
    assert (held["worst_pain"], held["version"]) == ("12", "1")
    assert AssessmentDraft.objects.get().red_flags == []

    client.post(change_url(assessment), held | {"worst_pain": "7"})
    assert Assessment.objects.get().worst_pain == 7
    assert Alert.objects.count() == 1


def test_the_form_is_kept_whatever_flag_a_release_before_still_offered(staff: Any, case: Any) -> None:
    kept = keep(staff, case, red_flags=["knee_hums"], notes="Sore on stairs")
    assert kept.status_code == 204
    draft = AssessmentDraft.objects.get()
    assert (draft.red_flags, assessment_drafts.content_of(draft)["notes"]) == ([], ["Sore on stairs"])


@pytest.mark.parametrize(
    ("finding", "said"), [("", "the red flag is open"), ("Stable", "before and it was cleared")]
)
def test_a_flag_that_a_colleague_raised_from_the_draft_says_what_became_of_it(
    staff: Any, case: Any, finding: str, said: str
) -> None:
    keep(staff, case, red_flags=["knee_locks"])
    draft, now = AssessmentDraft.objects.get(), timezone.now()
    alert = assessment_drafts.raise_from_draft(draft=draft, by=staff.owner, now=now)
    if finding:
        clear(alert=alert, by=staff.owner, finding=finding, now=now)

    typed = form(case, red_flags=["knee_locks"], _flag="1")
    page = staff.client(staff.physio).post(reverse(ADD), typed, follow=True)

    assert said in page.content.decode()
    assert Alert.objects.count() == 1


def test_a_colleague_is_told_who_else_is_writing(staff: Any, case: Any) -> None:
    keep(staff, case, by=staff.owner, red_flags=["knee_locks"])
    page = staff.client(staff.physio).get(f"{reverse(ADD)}?episode={case.pk}").content.decode()
    assert f"{staff.owner} is writing" in page
    assert "A red flag is ticked in it, and not raised." in page


def test_a_flag_is_raised_at_once_though_an_unusual_value_is_stored(staff: Any, case: Any) -> None:
    add(staff, case, weekly_km_now="140", confirmed=["weekly_km_now=140"])
    client, url = staff.client(staff.physio), change_url(Assessment.objects.get())
    answer = client.post(url, opened(client, url) | {"red_flags": ["knee_locks"], "_flag": "1"})
    assert answer.status_code == 302
    assert Alert.objects.get().kind == "red_flag"


def test_everybody_who_opens_the_patient_or_today_is_told_of_a_flag_in_a_draft(
    staff: Any, stranger: Any, case: Any
) -> None:
    keep(staff, case, by=staff.owner)
    pages = [reverse("admin:patients_patient_change", args=[case.patient_id]), reverse("admin:index")]
    said = "Red flag in an unsaved draft: not raised"
    client = staff.client(staff.physio)
    assert not any(said in client.get(page).content.decode() for page in pages)
    keep(staff, case, by=staff.owner, red_flags=["knee_locks"])
    assert all(said in client.get(page).content.decode() for page in pages)
    assert "Go on with the draft" not in client.get(pages[0]).content.decode()
    assert "Go on with the draft" in staff.client(staff.owner).get(pages[0]).content.decode()
    assert said not in staff.client(staff.assistant).get(reverse("admin:index")).content.decode()
    assert said not in stranger.client(stranger.owner).get(reverse("admin:index")).content.decode()


def test_the_banner_leads_to_raising_the_flag_and_is_gone_then(staff: Any, case: Any) -> None:
    keep(staff, case, by=staff.owner, red_flags=["knee_locks"])
    raise_it = reverse("admin:do", args=["raise-flag", AssessmentDraft.objects.get().pk])
    page = reverse("admin:patients_patient_change", args=[case.patient_id])
    client = staff.client(staff.physio)
    assert raise_it in client.get(page).content.decode()
    assert "Knee locks" in client.get(raise_it).content.decode()

    answer = client.post(raise_it, follow=True)

    html = answer.content.decode()
    assert "Raised: Knee locks (draft of an assessment by" in html
    assert "Red flag in an unsaved draft" not in html
    assert Alert.objects.get().state == "open"
    again = client.post(raise_it)
    assert "not raised already" in again.content.decode()
    assert Alert.objects.get().events.count() == 1


def test_a_late_autosave_does_not_bring_the_draft_of_a_saved_page_back(staff: Any, case: Any) -> None:
    client, url = staff.client(staff.physio), f"{reverse(ADD)}?episode={case.pk}"
    held = opened(client, url) | {"worst_pain": "6", "locations": ["retropatellar"]}
    assert keep(staff, case, key=held["key"]).status_code == 204
    assert client.post(reverse(ADD), held).status_code == 302

    assert keep(staff, case, key=held["key"]).status_code == 409

    assert not AssessmentDraft.objects.exists()
    assert keep(staff, case, by=staff.owner, key=held["key"]).status_code == 204


def test_two_open_pages_of_one_author_lose_nothing_of_each_other(staff: Any, case: Any) -> None:
    client, page = staff.client(staff.physio), f"{reverse(ADD)}?episode={case.pk}"
    address = reverse("admin:patients_assessment_draft", args=[case.pk])
    one, two = opened(client, page), opened(client, page)
    client.post(address, two | {"worst_pain": "3", "red_flags": ["knee_locks"]})
    client.post(address, one | {"usual_pain": "2"})

    draft = AssessmentDraft.objects.get()
    again = opened(client, page)
    assert (again["worst_pain"], again["usual_pain"], draft.red_flags) == ("3", "2", ["knee_locks"])
    client.post(address, again | {"worst_pain": "", "red_flags": []})
    goes_on = opened(client, page)
    assert (goes_on["worst_pain"], goes_on["usual_pain"]) == ("", "2")
    assert AssessmentDraft.objects.get().red_flags == []


def test_a_draft_opened_again_is_another_page(staff: Any, case: Any) -> None:
    client, url = staff.client(staff.physio), f"{reverse(ADD)}?episode={case.pk}"
    key = opened(client, url)["key"]
    keep(staff, case, key=key)
    held = opened(client, url)
    assert held["worst_pain"] == "6.5"
    assert held["key"] != key
