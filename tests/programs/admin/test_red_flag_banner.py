"""The banner of an open red flag: what was reported, what the patient was told, who was told and read it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from clinic.models import Membership, OutboxMessage
from patients.models import Assessment, Episode, Patient
from programs.models import Alert, Answer
from programs.rules.red_flags import Tier, words
from programs.services.alerts import acknowledge
from programs.services.cases import screen_assessment
from programs.services.diary import AnswerReport, record_answer
from programs.services.red_flags import escalate_due
from tests.factories import NOW, make_assessment, make_case, make_program, make_user

pytestmark = pytest.mark.django_db


def case_of(staff: Any) -> Episode:
    """The physio's, with a colleague who covers for them."""
    case = make_case(staff.clinic, clinician=staff.physio)
    make_program(case)
    cover = make_user(clinic=staff.clinic, name="Cora Cover")
    Membership.objects.filter(user=staff.physio).update(cover=cover)
    return case


def report(case: Episode, *symptoms: str, days: int = 0, note: str = "") -> Answer:
    at = NOW + timedelta(days=days)
    answer = AnswerReport(occurred_at=at, worst_left=5, red_flags=symptoms, note=note)
    return record_answer(patient=case.patient, client_id=uuid4(), report=answer, now=at).row


def banner(staff: Any, case: Episode, user: Any = None) -> str:
    """As text: without tags, in one line."""
    page = reverse("admin:patients_patient_change", args=[case.patient_id])
    html = staff.client(user or staff.physio).get(page).content.decode()
    found = re.search(r'<section class="kc-card kc-banner.*?</section>', html, re.DOTALL)
    assert found
    return re.sub(r"\s+", " ", re.sub(r"</?(?!script)[a-z][^>]*>", " ", found[0]))


def told(case: Episode, tier: Tier) -> str:
    return words(tier, emergency=case.clinic.emergency, phone=case.clinic.phone)


def test_it_shows_tier_symptoms_with_date_and_note_and_what_the_patient_was_told(staff: Any) -> None:
    case = case_of(staff)
    report(case, "knee_locks", "knee_swells", note="Got stuck <script>alert(1)</script>\non the stairs")

    text = banner(staff, case)

    assert "Tier 2: the same working day" in text
    assert "Knee locks; Knee swells significantly check-in of 2 Mar 2026" in text
    assert "Got stuck &lt;script&gt;alert(1)&lt;/script&gt; on the stairs" in text
    assert "<script" not in text
    assert f"The patient was told {told(case, Tier.TWO)}" in text


def test_it_says_who_was_told_by_e_mail_and_when(staff: Any) -> None:
    case = case_of(staff)
    report(case, "knee_locks")
    waiting = banner(staff, case)
    OutboxMessage.objects.filter(to_email=staff.physio.email).update(state="sent", sent_at=NOW)
    OutboxMessage.objects.exclude(to_email=staff.physio.email).update(state="dead", bounced=True)
    settled = banner(staff, case)

    assert f"{staff.physio}, not sent yet" in waiting
    assert "Cora Cover, not sent yet" in waiting
    assert f"{staff.physio}, 2 Mar 2026 09:00 Cora Cover, not delivered" in settled


def test_it_tells_an_escalation_from_the_first_e_mail(staff: Any) -> None:
    case = case_of(staff)
    report(case, "knee_locks")
    escalate_due(now=NOW + timedelta(days=1))

    assert f"{staff.owner} (nobody had read it)" in banner(staff, case)


def test_it_says_who_has_read_it_and_that_news_is_unread_again(staff: Any) -> None:
    case = case_of(staff)
    report(case, "knee_locks")
    unread = banner(staff, case)
    acknowledge(alert=Alert.objects.get(), by=staff.owner, now=NOW + timedelta(hours=1))
    read = banner(staff, case)
    report(case, "calf_pain_swelling", days=1)
    again = banner(staff, case)

    assert "Read by Nobody has read it yet." in unread
    assert f"Read by {staff.owner}, 2 Mar 2026 10:00" in read
    assert "read it yet" not in read
    assert f"{staff.owner}, 2 Mar 2026 10:00 What came since, nobody has read yet." in again
    assert "Tier 1: the patient acts now" in again
    assert again.index("check-in of 3 Mar 2026") < again.index("check-in of 2 Mar 2026")
    assert f"The patient was told {told(case, Tier.ONE)}" in again


def assessed(case: Episode) -> Assessment:
    found = make_assessment(case, red_flags=["knee_locks"], red_flag_note="Blocked at 20 degrees")
    screen_assessment(assessment=found, by=case.clinician, now=NOW)
    return found


@pytest.mark.parametrize(
    ("has_account", "heading"),
    [(True, "The patient's app says"), (False, "To tell the patient, who has no account")],
)
def test_of_a_finding_it_does_not_claim_that_the_patient_was_told(
    staff: Any, has_account: bool, heading: str
) -> None:
    case = case_of(staff)
    if has_account:
        Patient.objects.filter(pk=case.patient_id).update(user=make_user(role=None))
    assessment = assessed(case)

    text = banner(staff, case)

    assert f"Knee locks {assessment} Blocked at 20 degrees" in text
    assert heading in text
    assert "The patient was told" not in text


def test_an_assistant_reads_that_a_clinician_was_told_and_no_symptom(staff: Any) -> None:
    case = case_of(staff)
    report(case, "knee_locks", note="Got stuck")

    text = banner(staff, case, staff.assistant)

    assert "A clinician has been told." in text
    for hidden in ("Knee locks", "Got stuck", "Tier", "Cora Cover"):
        assert hidden not in text


def test_another_cases_mails_are_not_shown(staff: Any) -> None:
    first, second = case_of(staff), make_case(staff.clinic, clinician=staff.owner)
    make_program(second)
    report(first, "knee_locks")
    report(second, "knee_locks")

    assert str(staff.owner) not in banner(staff, first)
    assert str(staff.physio) not in banner(staff, second)


@pytest.mark.parametrize("reports", [1, 3])
def test_the_page_takes_the_same_queries_for_one_report_and_three(
    staff: Any, reports: int, django_assert_num_queries: Any
) -> None:
    case = case_of(staff)
    assessed(case)
    for days, symptom in enumerate(["knee_swells", "knee_gives_way", "calf_pain_swelling"][:reports]):
        report(case, symptom, days=days)
    page = reverse("admin:patients_patient_change", args=[case.patient_id])
    client = staff.client(staff.physio)

    with django_assert_num_queries(70):
        client.get(page)
