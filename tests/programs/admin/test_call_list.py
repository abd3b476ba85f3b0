"""Whom to call: every role finds who is silent or unreachable, and reads no finding for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from clinic.models import ClinicPolicy
from patients.models import Episode, Patient
from programs.models import Alert, ContactLog
from tests.factories import NOW, TODAY, make_case, make_operator, make_patient, make_program

pytestmark = pytest.mark.django_db

URL = "admin:call-list"


def silent(staff: Any, *, phone: str = "+31 6 1234 5678", **alert: Any) -> Episode:
    patient = make_patient(staff.clinic, phone=phone)
    case = make_case(staff.clinic, clinician=staff.physio, patient=patient)
    values = {"summary": "No answer since 20 Feb; worst pain was 7", "opened_on": TODAY, "opened_at": NOW}
    Alert.objects.create(clinic=staff.clinic, episode=case, kind="silent", **(values | alert))
    return case


def logged(case: Episode, **fields: Any) -> ContactLog:
    values = {"kind": "no_answer", "at": NOW, "by": case.clinician, "note": "Knee still hurts", **fields}
    return ContactLog.objects.create(clinic=case.clinic, episode=case, **values)


def names(page: Any) -> list[str]:
    return [call.episode.patient.full_name for call in page.context["calls"]]


def test_an_assistant_gets_there_from_today_and_reads_whom_to_call_and_nothing_clinical(staff: Any) -> None:
    case = silent(staff)
    make_program(case)
    logged(case)
    client = staff.client(staff.assistant)

    today = client.get(reverse("admin:index")).content.decode()
    page = client.get(reverse(URL)).content.decode()

    assert f'href="{reverse(URL)}"' in today
    for html in (today, page):
        for text in (case.patient.full_name, "+31 6 1234 5678", 'href="tel:+31612345678"', case.case_number):
            assert text in html
        for text in ("Silent: on the list since 2 Mar 2026", "Call, no answer, 2 Mar 2026 09:00"):
            assert text in html
        for hidden in ("worst pain", "Worst pain", "Knee still hurts"):
            assert hidden not in html
    assert "Knee still hurts" in staff.client(staff.physio).get(reverse(URL)).content.decode()


def test_a_call_is_logged_from_the_list_and_leads_back_to_it(staff: Any) -> None:
    case = silent(staff)
    client = staff.client(staff.assistant)
    act = f"{reverse('admin:do', args=['log-contact', case.pk])}?back=call-list"
    assert f'href="{act}"' in client.get(reverse(URL)).content.decode()

    answer = client.post(act, {"kind": "no_answer", "note": "Voice mail"})

    assert answer.url == reverse(URL)
    assert ContactLog.objects.get().by == staff.assistant
    assert names(client.get(answer.url)) == [case.patient.full_name]
    elsewhere = client.post(act.replace("call-list", "//evil.example"), {"kind": "call"})
    assert (
        elsewhere.url == f"{reverse('admin:patients_patient_change', args=[case.patient_id])}?case={case.pk}"
    )


def test_who_was_left_alone_for_longest_comes_first(staff: Any) -> None:
    called_today, new, called_before = silent(staff), silent(staff), silent(staff)
    logged(called_today, at=NOW + timedelta(days=3))
    logged(called_before, at=NOW + timedelta(days=1))

    expected = [case.patient.full_name for case in (new, called_before, called_today)]
    assert names(staff.client(staff.assistant).get(reverse(URL))) == expected


def test_only_open_silences_and_bounced_addresses_of_open_cases_are_listed(staff: Any, stranger: Any) -> None:
    bounced = make_case(staff.clinic, clinician=staff.physio)
    Patient.objects.filter(pk=bounced.patient_id).update(email_bounced_at=NOW, phone="")
    silent(staff, state="snoozed", snoozed_until=TODAY)
    silent(staff, state="resolved", resolved_at=NOW, resolved_on=TODAY, resolution="recovered")
    Episode.objects.filter(pk=silent(staff).pk).update(closed_on=TODAY, outcome="improved")
    make_case(staff.clinic, clinician=staff.physio)
    silent(stranger)

    page = staff.client(staff.assistant).get(reverse(URL))

    assert names(page) == [bounced.patient.full_name]
    assert "E-mail bounced on 2 Mar 2026" in page.content.decode()
    assert "none on record" in page.content.decode()


def test_with_own_cases_only_a_physio_calls_no_colleagues_patient(staff: Any) -> None:
    ClinicPolicy.objects.filter(clinic=staff.clinic).update(own_cases_only=True)
    own = silent(staff)
    Episode.objects.filter(pk=silent(staff).pk).update(clinician=staff.owner)

    assert names(staff.client(staff.physio).get(reverse(URL))) == [own.patient.full_name]


def test_an_operator_has_no_call_list(staff: Any) -> None:
    case = silent(staff)

    answer = staff.client(make_operator()).get(reverse(URL))

    assert answer.status_code == 403
    assert case.patient.full_name not in answer.content.decode()


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_takes_the_same_queries_for_one_patient_and_three(
    staff: Any, number: int, django_assert_num_queries: Any
) -> None:
    for _ in range(number):
        logged(silent(staff))
    client = staff.client(staff.assistant)

    with django_assert_num_queries(9):
        client.get(reverse(URL))


def test_a_note_is_no_call(staff: Any) -> None:
    case = silent(staff)
    call = logged(case)
    logged(case, kind="note", at=NOW + timedelta(days=1))

    [row] = staff.client(staff.assistant).get(reverse(URL)).context["calls"]

    assert row.last == call
