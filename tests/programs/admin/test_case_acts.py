"""A case is handed over, discharged, called about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from programs.models import (
    Alert,
    ContactLog,
)
from tests.factories import make_case
from tests.programs.admin.acting import act, case_of
from tests.programs.services.recorded import answer, running_case

pytestmark = pytest.mark.django_db


def test_a_logged_call_keeps_who_and_what(staff: Any) -> None:
    act(staff.client(staff.assistant), "log-contact", case_of(staff))

    contact = ContactLog.objects.get()
    assert (contact.by, contact.note) == (staff.assistant, "Asked")


def test_a_case_is_handed_to_a_colleague_and_not_to_an_assistant(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)

    refused = act(client, "reassign", case, clinician=staff.assistant.pk)
    case.episode.refresh_from_db()
    assert refused.status_code == 200
    assert case.episode.clinician == staff.physio

    act(client, "reassign", case)
    case.episode.refresh_from_db()
    assert case.episode.clinician == case.colleague


def test_discharge_closes_the_case_and_resolves_the_stall_alert(staff: Any) -> None:
    case = case_of(staff)

    act(staff.client(staff.physio), "discharge", case)

    case.episode.refresh_from_db()
    case.alert.refresh_from_db()
    assert (case.episode.outcome, case.episode.is_open) == ("improved", False)
    assert case.alert.resolution == Alert.Resolution.DISCHARGED


@pytest.mark.parametrize(("pain", "asked"), [(4, True), (3, False)])
def test_recovered_in_pain_is_asked_about_beside_the_summary(staff: Any, pain: int, asked: bool) -> None:
    start = timezone.localdate() - timedelta(days=7)
    case = make_case(staff.clinic, clinician=staff.physio, opened_on=start)
    answer(running_case(started_on=start, episode=case), 5, worst=pain)
    client, address = staff.client(staff.physio), reverse("admin:do", args=["discharge", case.pk])

    assert ("needs a word about it" in client.get(address).content.decode()) == asked
    said = client.post(address, {"outcome": "recovered", "note": ""})

    case.refresh_from_db()
    assert case.is_open == asked
    if asked:
        assert "Worst pain was lately 4, over 3" in said.context["form"].errors["note"][0]
        client.post(address, {"outcome": "recovered", "note": "Sore after a fall, runs 10 km"})
        case.refresh_from_db()
        assert (case.is_open, case.outcome) == (False, "recovered")


def test_no_outcome_is_chosen_beforehand_and_without_one_nobody_is_discharged(staff: Any) -> None:
    case, client = case_of(staff), staff.client(staff.physio)
    address = reverse("admin:do", args=["discharge", case.episode.pk])

    assert client.get(address).context["form"].fields["outcome"].choices[0] == ("", "Choose")
    assert "outcome" in client.post(address, {"outcome": ""}).context["form"].errors
    case.episode.refresh_from_db()
    assert case.episode.is_open


def test_a_note_is_kept_with_who_and_when_and_shown_among_the_notes(staff: Any) -> None:
    case = case_of(staff)
    client = staff.client(staff.physio)

    answer = act(client, "add-note", case, note="Runs on grass now", minutes="")

    note = ContactLog.objects.get(kind="note")
    assert (answer.status_code, note.by, note.minutes, note.note) == (
        302,
        staff.physio,
        None,
        "Runs on grass now",
    )
    page = client.get(answer.url)
    notes = page.content.decode().split('id="notes"')[1].split("</section>")[0]
    assert "Runs on grass now" in notes
    assert str(staff.physio) in notes
    assert note not in page.context["page"].contacts
    assert "Runs on grass" not in staff.client(staff.assistant).get(answer.url).content.decode()


def test_a_call_is_logged_as_one_of_the_kinds_of_contact(staff: Any) -> None:
    case = case_of(staff)
    answer = act(staff.client(staff.physio), "log-contact", case, kind="note", note="x")
    assert answer.context["form"].errors["kind"]
    assert not ContactLog.objects.exists()
