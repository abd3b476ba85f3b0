"""Input that no form offers: an answer in words or "not found", never a crash."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from tests.factories import make_case, make_program

pytestmark = pytest.mark.django_db

HUGE = "9" * 30
QUERIES = [
    {"clinician": HUGE},
    {"clinician": "x"},
    {"state": "x"},
    {"case_is": "x"},
    {"diagnosis": "\x00"},
    {"kind__exact": "\x00"},
    {"q": "\x00"},
    {"q": "%' OR 1=1 --"},
    {"p": HUGE},
    {"p": "x"},
    {"o": "99"},
    {"nothing": "1"},
    {"e": "1"},
]


def test_lists_bear_any_query(staff: Any) -> None:
    make_case(staff.clinic, clinician=staff.physio)
    client = staff.client(staff.owner)
    lists = [
        "patients_patient",
        "programs_alert",
        "patients_assessment",
        "programs_template",
        "programs_exercise",
        "clinic_outboxmessage",
        "clinic_membership",
    ]
    for name in lists:
        for query in QUERIES:
            answer = client.get(reverse(f"admin:{name}_changelist"), query)
            assert answer.status_code in (200, 302), (name, query)


def test_pages_bear_any_parameter(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    client = staff.client(staff.owner)
    assign = reverse("admin:do", args=["assign", case.pk])
    pages: list[tuple[str, dict[str, str]]] = [
        (reverse("admin:patients_patient_change", args=[case.patient_id]), {"case": HUGE}),
        (reverse("admin:patients_patient_change", args=["x"]), {}),
        (reverse("admin:patients_assessment_add"), {"episode": "x"}),
        (reverse("admin:patients_assessment_add"), {"episode": HUGE}),
        (reverse("admin:patients_assessment_change", args=[HUGE]), {}),
        (assign, {"template": "x"}),
        (assign, {"template": HUGE}),
        (assign, {"started_on": "x"}),
        (reverse("admin:clinic_membership_me"), {"member": HUGE}),
        (reverse("admin:clinic_membership_add"), {"clinic": "x"}),
        (reverse("admin:patients_patient_add"), {"clinic": HUGE}),
    ]
    for page, query in pages:
        assert client.get(page, query).status_code in (200, 302, 404), (page, query)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "10000-01-01", "2026-02-30", "\x00", "' --"])
def test_actions_bear_any_date(staff: Any, day: str) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    program = make_program(case)
    client = staff.client(staff.physio)
    new_case = {
        "clinician": staff.physio.pk,
        "diagnosis": "pfp",
        "index_side": "left",
        "running_track": "stopped",
    }
    posts: list[tuple[str, Any, dict[str, Any]]] = [
        ("pause", program, {"kind": "holiday", "starts_on": day}),
        ("pause", program, {"kind": "holiday", "starts_on": "2026-03-05", "ends_on": day}),
        ("resume", program, {"on": day}),
        ("fair-trial", program, {"on": day, "reason": "Another try"}),
        ("new-case", case.patient, {**new_case, "opened_on": day, "onset_on": day}),
    ]
    for name, target, data in posts:
        answer = client.post(reverse("admin:do", args=[name, target.pk]), data)
        assert answer.status_code in (200, 302), (name, data)
    assert client.get(reverse("admin:patients_patient_change", args=[case.patient_id])).status_code == 200


def test_a_refused_and_a_missing_page_lead_back_and_foreign_answers_like_missing(
    staff: Any, stranger: Any, settings: Any
) -> None:
    settings.DEBUG = False
    client = staff.client(staff.owner)
    foreign = reverse("admin:clinic_clinicpolicy_change", args=[stranger.clinic.pk])
    missing = reverse("admin:clinic_clinicpolicy_change", args=[999_999])

    answers = [client.get(url) for url in (foreign, missing, "/admin/nothing-here/")]
    refused = staff.client(staff.assistant).get(reverse("admin:programs_alert_changelist"))

    assert [answer.status_code for answer in (*answers, refused)] == [404, 404, 404, 403]
    assert len({answer.content for answer in answers}) == 1
    assert all('href="/admin/"' in answer.content.decode() for answer in (*answers, refused))
