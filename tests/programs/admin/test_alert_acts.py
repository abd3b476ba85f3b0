"""An alert is read, snoozed, resolved; a red flag only with what was reported on the screen."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from programs.models import (
    Alert,
    AlertEvent,
    Answer,
    Hold,
)
from programs.services.red_flags import raise_red_flag
from tests.programs.admin.acting import Case, act, case_of, url_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "state"), [("acknowledge", "acknowledged"), ("snooze", "snoozed"), ("resolve", "resolved")]
)
def test_an_alert_is_acknowledged_snoozed_or_resolved(staff: Any, name: str, state: str) -> None:
    case = case_of(staff)

    act(staff.client(staff.physio), name, case)

    case.alert.refresh_from_db()
    assert case.alert.state == state
    assert AlertEvent.objects.filter(alert=case.alert, by=staff.physio).exists()


def test_who_acknowledges_second_is_told_of_the_first(staff: Any) -> None:
    case, owner = case_of(staff), staff.client(staff.owner)
    address = reverse("admin:do", args=["acknowledge", case.alert.pk])
    open_page = owner.get(address)  # opened before the other one acknowledged
    act(staff.client(staff.physio), "acknowledge", case)
    said = owner.post(address, {"seen": open_page.context["seen"], "note": "I call her"}, follow=True)
    html = said.content.decode()
    assert f"{staff.physio} had acknowledged it already" in html
    assert "Your note is kept." in html
    told = AlertEvent.objects.filter(alert=case.alert, by=staff.owner)
    assert [event.note for event in told] == ["I call her"]


def test_a_red_flag_is_cleared_only_with_a_finding(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)

    refused = act(client, "clear", case, finding="")
    assert refused.context["form"].errors["finding"]
    assert Hold.objects.get().cleared_at is None

    act(client, "clear", case)
    assert (Hold.objects.get().cleared_by, Hold.objects.get().finding) == (
        staff.physio,
        "Stable, no effusion",
    )


def report_more(case: Case, evidence: list[dict[str, Any]] | None = None) -> None:
    """A worse symptom comes in while a clinician has a page open."""
    raise_red_flag(
        episode=case.flag.episode,
        codes=["calf_pain_swelling"],
        source="a later check-in",
        evidence=evidence or [],
        now=timezone.now(),
    )


@pytest.mark.parametrize("name", ["clear", "acknowledge"])
def test_what_was_reported_after_the_page_was_shown_is_read_first(staff: Any, name: str) -> None:
    case = case_of(staff)
    if name == "acknowledge":
        case.alert = case.flag
    client = staff.client(staff.physio)
    assert '<input type="hidden" name="seen" value="1">' in client.get(url_of(name, case)).content.decode()
    report_more(case)

    refused = act(client, name, case, seen=1)

    html = refused.content.decode()
    assert "New symptoms were reported in the meantime" in html
    assert "a later check-in" in html
    assert Alert.objects.get(pk=case.flag.pk).state == "open"
    assert Hold.objects.get().cleared_at is None
    assert act(client, name, case, seen=refused.context["seen"]).status_code == 302
    assert Alert.objects.get(pk=case.flag.pk).state != "open"


@pytest.mark.parametrize("name", ["clear", "acknowledge"])
def test_what_the_patient_wrote_and_the_phone_stand_beside_the_button(staff: Any, name: str) -> None:
    case = case_of(staff)
    if name == "acknowledge":
        case.alert = case.flag
    episode = case.flag.episode
    patient = episode.patient
    patient.phone = "+44 7700 900123"
    patient.save()
    answer = Answer.objects.create(
        clinic=episode.clinic,
        patient=patient,
        episode=episode,
        client_id=uuid4(),
        occurred_at=timezone.now(),
        local_date=timezone.localdate(),
        red_flags=["knee_locks"],
        note="Hot since <Sunday>",
    )
    report_more(case, evidence=[{"kind": "answer", "id": answer.pk}])
    html = staff.client(staff.physio).get(url_of(name, case)).content.decode()
    assert "Hot since &lt;Sunday&gt;" in html
    assert 'href="tel:+447700900123"' in html


@pytest.mark.parametrize("seen", ["", "all of it"])
def test_without_word_of_what_was_seen_no_red_flag_is_cleared(staff: Any, seen: str) -> None:
    case = case_of(staff)

    answer = act(staff.client(staff.physio), "clear", case, seen=seen)

    assert "Read what was reported before you go on." in answer.content.decode()
    assert Hold.objects.get().cleared_at is None


def test_a_forgotten_finding_does_not_count_newer_symptoms_as_read(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)
    report_more(case)

    again = act(client, "clear", case, finding="")

    assert again.context["form"].errors["finding"]
    assert again.context["seen"] == 1


def test_the_buttons_of_the_patient_page_say_what_was_shown(staff: Any) -> None:
    case = case_of(staff)
    report_more(case)
    page = reverse("admin:patients_patient_change", args=[case.flag.episode.patient_id])

    html = staff.client(staff.physio).get(page).content.decode()

    assert html.count('<input type="hidden" name="seen" value="2">') == 2
