"""The e-mails as patients and clinicians read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from clinic.models import Clinic
from clinic.outbox import PLACEHOLDER
from patients.models import Invitation
from programs import emails
from programs.emails import Email, links
from programs.models import Alert, CheckInRequest
from programs.rules.red_flags import Symptom
from tests.factories import NOW, TODAY, make_case, make_clinic, make_patient, make_program, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def addresses(settings: Any) -> None:
    settings.APP_URL, settings.SITE_URL = "https://app.example.org", "https://clinic.example.org"


def make_request(clinic: Clinic | None = None, recall_days: int = 1, **patient: Any) -> CheckInRequest:
    person = make_patient(clinic or make_clinic(name="Kneeworks Utrecht"), given_name="Robin", **patient)
    program = make_program(make_case(patient=person))
    return CheckInRequest.objects.create(
        clinic=program.clinic,
        program=program,
        local_date=TODAY,
        due_at=NOW,
        missed_at=NOW + timedelta(hours=48),
        recall_days=recall_days,
    )


def make_alert(*codes: Symptom, level: str = "tier_2", clinic: Clinic | None = None) -> Alert:
    clinic = clinic or make_clinic(name="Kneeworks Utrecht", timezone="Europe/Amsterdam")
    patient = make_patient(clinic, given_name="Robin", family_name="Runner", email="robin@example.org")
    case = make_case(
        patient=patient, case_number="C17", clinician=make_user(clinic=clinic, name="Kim de Vries")
    )
    return Alert.objects.create(
        clinic=clinic,
        episode=case,
        kind=Alert.Kind.RED_FLAG,
        level=level,
        summary="a summary",
        evidence=[{"code": code.value, "text": code.label, "source": "Check-in of 2 Mar"} for code in codes],
        opened_on=TODAY,
        opened_at=NOW,
    )


def make_invitation(clinic: Clinic | None = None) -> Invitation:
    patient = make_patient(clinic or make_clinic(name="Kneeworks Utrecht"), given_name="Robin")
    return Invitation.objects.create(
        clinic=patient.clinic,
        patient=patient,
        token_hash="x",
        created_at=NOW,
        expires_at=NOW + timedelta(days=7),
    )


def both(email: Email) -> tuple[str, str]:
    return email.text, email.html


@pytest.mark.parametrize(
    "compose", [emails.check_in, emails.reminder, emails.watch_question, emails.watch_reminder]
)
@pytest.mark.parametrize(("days", "span"), [(1, "24 hours"), (3, "3 days")])
def test_every_question_names_the_days_it_looks_back(compose: Any, days: int, span: str) -> None:
    for body in both(compose(request=make_request(recall_days=days))):
        assert f"orst pain in the last {span}" in " ".join(body.split())
        assert body.count("in the last") == 1


def test_check_in_asks_the_one_question_and_links_to_the_app_without_a_token() -> None:
    request = make_request()
    email = emails.check_in(request=request)

    for body in both(email):
        assert "Worst pain in the last 24 hours?" in body
        assert f"https://app.example.org/check-ins/{request.pk}" in body
        assert "Robin" in body
        assert "token" not in body
    assert email.text.count("http") == 1


def test_reminder_says_which_check_in_is_open_and_that_it_is_the_only_one() -> None:
    email = emails.reminder(request=make_request())

    for body in both(email):
        assert "Monday 2 March" in body
        assert "Worst pain in the last 24 hours?" in body


@pytest.mark.parametrize("compose", [emails.check_in, emails.reminder])
def test_patient_mails_carry_the_clinic_its_phone_and_the_emergency_number(compose: Any) -> None:
    clinic = make_clinic(name="Kneeworks Utrecht", phone="+31 30 555 01", emergency_number="112")
    email = compose(request=make_request(clinic))

    for body in both(email):
        assert "Kneeworks Utrecht" in body
        assert "+31 30 555 01" in body
        assert "call 112" in body


@pytest.mark.parametrize("compose", [emails.check_in, emails.reminder])
def test_subject_names_neither_the_person_nor_the_problem(compose: Any) -> None:
    subject = compose(request=make_request(family_name="Runner")).subject.lower()

    assert subject
    assert not [word for word in ("robin", "runner", "knee", "pain", "patello") if word in subject]


def test_invitation_holds_the_place_of_the_token_as_link_and_as_code_and_its_end() -> None:
    email = emails.invitation(invitation=make_invitation(), now=NOW)

    for body in both(email):
        assert f"https://app.example.org/invitation#token={PLACEHOLDER}" in body
        assert body.count(PLACEHOLDER) == 2
        assert "Monday 9 March 2026 (7 days)" in body
        assert "Kneeworks Utrecht" in body


def test_login_code_stands_in_the_body_not_in_the_subject() -> None:
    email = emails.login_code(minutes=10, clinic=make_clinic(name="Kneeworks Utrecht"))

    assert PLACEHOLDER not in email.subject
    for body in both(email):
        assert body.count(PLACEHOLDER) == 1
        assert "10 minutes" in body


def test_login_code_goes_without_a_clinic() -> None:
    email = emails.login_code(minutes=1)

    assert PLACEHOLDER in email.text
    assert "1 minute." in email.text


def test_red_flag_names_symptoms_tier_initials_and_case_and_links_behind_the_login() -> None:
    alert = make_alert(Symptom.LOCKING, Symptom.GIVING_WAY)
    email = emails.red_flag(alert=alert, recipient=alert.episode.clinician, now=NOW)

    for body in both(email):
        assert "RR, case C17" in body
        assert "Knee locks" in body
        assert "gives way" in body
        assert "Check-in of 2 Mar" in body
        assert f"/admin/patients/patient/{alert.episode.patient_id}/change/?case={alert.episode_id}" in body
        assert "This is your case." in body
        assert "Monday 2 March, 10:00" in body  # the clinic's zone
        assert "Runner" not in body
        assert "robin@example.org" not in body
    assert "TIER 2" in email.text
    assert "Red flag" in email.subject
    assert not [word for word in ("RR", "C17", "locks") if word in email.subject]


def test_the_link_to_the_case_is_the_address_of_the_admins_patient_page() -> None:
    case = make_case()

    page = reverse("admin:patients_patient_change", args=[case.patient_id])
    assert links.case_page(case) == f"https://clinic.example.org{page}?case={case.pk}"


def test_red_flag_of_tier_1_says_act_now_and_lists_the_most_urgent_first() -> None:
    alert = make_alert(Symptom.LOCKING, Symptom.CALF, level="tier_1")
    email = emails.red_flag(alert=alert, recipient=alert.episode.clinician, now=NOW)

    assert "act now" in email.subject
    assert "TIER 1" in email.text
    assert email.text.index("Calf pain") < email.text.index("Knee locks")


FOUND, TICKED = {"assessment": 1}, {"kind": "answer", "id": 1}
TOLD = {"tier_1": "the patient was told to stop", "tier_2": "They were told to pause"}


@pytest.mark.parametrize("kind", ["answer", "session", "run"])
@pytest.mark.parametrize("level", ["tier_1", "tier_2"])
def test_red_flag_says_that_the_patient_was_told_if_they_reported_it(kind: str, level: str) -> None:
    alert = make_alert(Symptom.CALF if level == "tier_1" else Symptom.LOCKING, level=level)
    alert.evidence = [entry | {"kind": kind, "id": 1} for entry in alert.evidence]
    for compose in (emails.red_flag, emails.escalation):
        for body in both(compose(alert=alert, recipient=alert.episode.clinician, now=NOW)):
            assert TOLD[level] in body


@pytest.mark.parametrize(
    ("level", "codes", "facts"),
    [
        ("tier_1", [Symptom.CALF], [FOUND]),
        ("tier_2", [Symptom.LOCKING], [FOUND]),
        ("tier_2", [Symptom.LOCKING], [{"addendum": 1}]),
        ("tier_1", [Symptom.LOCKING, Symptom.CALF], [TICKED, FOUND]),
    ],
    ids=["found, tier 1", "found, tier 2", "in an addendum", "worse than what they reported"],
)
@pytest.mark.parametrize(
    ("has_account", "said"), [(False, "they have no account"), (True, "the app has not told them yet")]
)
def test_of_what_a_clinician_found_it_says_that_the_patient_is_to_be_told(
    level: str, codes: list[Symptom], facts: list[dict[str, Any]], has_account: bool, said: str
) -> None:
    alert = make_alert(*codes, level=level)
    alert.evidence = [entry | more for entry, more in zip(alert.evidence, facts, strict=True)]
    if has_account:
        alert.episode.patient.user = make_user(role=None)
    for body in both(emails.red_flag(alert=alert, recipient=alert.episode.clinician, now=NOW)):
        assert said in body
        assert TOLD[level] not in body
        assert "Tell them to" in body
        assert ("the patient is told that nobody has read it" in body) == has_account


def test_what_they_report_beside_an_open_tier_1_is_answered_as_tier_1() -> None:
    alert = make_alert(Symptom.CALF, Symptom.LOCKING, level="tier_1")
    alert.evidence = [alert.evidence[0] | FOUND, alert.evidence[1] | TICKED]
    email = emails.red_flag(alert=alert, recipient=alert.episode.clinician, now=NOW)
    assert TOLD["tier_1"] in email.text


def test_red_flag_to_somebody_else_says_whose_case_it_is() -> None:
    alert = make_alert(Symptom.LOCKING)
    email = emails.red_flag(alert=alert, recipient=make_user(clinic=alert.clinic), now=NOW)

    for body in both(email):
        assert "Kim de Vries treats this case" in body
        assert "This is your case." not in body


def test_escalation_says_since_when_nobody_acknowledged_it() -> None:
    alert = make_alert(Symptom.LOCKING)
    email = emails.escalation(
        alert=alert, recipient=make_user(clinic=alert.clinic), now=NOW + timedelta(hours=4)
    )

    assert "Not acknowledged" in email.subject
    for body in both(email):
        assert "Monday 2 March, 10:00" in body
        assert "Monday 2 March, 14:00" in body
        assert "Kim de Vries" in body
        assert "Knee locks" in body


def test_a_simulated_clinic_is_marked_in_subject_text_and_html_of_every_mail() -> None:
    clinic = make_clinic(simulated=True)
    alert = make_alert(Symptom.LOCKING, clinic=clinic)
    request = make_request(clinic)
    mails = [
        emails.check_in(request=request),
        emails.reminder(request=request),
        emails.invitation(invitation=make_invitation(clinic), now=NOW),
        emails.login_code(minutes=10, clinic=clinic),
        emails.red_flag(alert=alert, recipient=alert.episode.clinician, now=NOW),
        emails.escalation(alert=alert, recipient=alert.episode.clinician, now=NOW),
    ]

    for email in mails:
        assert email.subject.startswith("[Simulated] ")
        assert "Simulated clinic" in email.text
        assert "Simulated clinic" in email.html


def test_a_real_clinic_is_not_marked() -> None:
    email = emails.check_in(request=make_request())

    assert "imulated" not in email.subject + email.text + email.html


def test_names_are_escaped_in_html_and_plain_in_text() -> None:
    clinic = make_clinic(name="Knees & <b>Co</b>")
    email = emails.check_in(request=make_request(clinic))

    assert "Knees & <b>Co</b>" in email.text
    assert "Knees &amp; &lt;b&gt;Co&lt;/b&gt;" in email.html


def test_styles_are_inlined_and_nothing_is_fetched() -> None:
    html = emails.check_in(request=make_request()).html

    assert 'style="' in html
    assert "src=" not in html
    assert html.count("href=") == 2  # the button and the clinic's phone
    assert "prefers-color-scheme" in html


def test_text_has_no_gaps_left_by_tags() -> None:
    for email in (
        emails.check_in(request=make_request()),
        emails.invitation(invitation=make_invitation(), now=NOW),
        emails.login_code(minutes=5),
    ):
        assert "\n\n\n" not in email.text
        assert email.text == email.text.strip() + "\n"
        assert "{" not in email.text
        assert "&" not in email.text


def test_invitation_counts_days_in_the_patients_zone() -> None:
    invitation = make_invitation()
    invitation.expires_at = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)  # half past midnight in Amsterdam

    assert "Tuesday 10 March 2026" in emails.invitation(invitation=invitation, now=NOW).text
