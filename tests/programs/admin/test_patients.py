"""The patient list and the patient page: who sees what, in how many queries."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.models import ClinicPolicy, Membership
from clinic.roles import Role
from patients.models import Episode, Patient
from programs.admin.patients import PatientAdmin
from programs.models import Alert, Answer, ContactLog, Program, Review
from programs.services.red_flags import clear, raise_red_flag
from tests.factories import NOW, TODAY, make_assessment, make_case, make_patient, make_program

pytestmark = pytest.mark.django_db


LIST = "admin:patients_patient_changelist"


LIST_QUERIES = 17


PAGE_QUERIES = 66


def page_of(patient: Patient) -> str:
    return reverse("admin:patients_patient_change", args=[patient.pk])


def reviewed(episode: Episode, state: str = "stalled", **fields: Any) -> Program:
    """A case with a program, a verdict, an alert, an answer and a call."""
    program = make_program(episode, review_state=state, review_trend="flat", review_week=9)
    rows = {"clinic": episode.clinic, "episode": episode}
    verdict = {
        "day": TODAY,
        "week": 9,
        "state": state,
        "trend": "flat",
        "reason": "not_doing",
        "action": "Simplify the program",
        "baseline": Decimal("6.5"),
        "now": Decimal("6"),
        "verdict": {
            "evidence": [{"topic": "adherence", "text": "1 session a week"}],
            "reasons": ["not_doing", "flare"],
        },
        "thresholds": {},
        "reviewed_at": NOW,
    }
    Review.objects.create(**rows, program=program, **(verdict | fields))
    Alert.objects.create(
        **rows,
        kind="stall",
        level="stalled",
        summary="Week 9, stalled",
        opened_on=TODAY,
        opened_at=NOW,
        evidence=[{"topic": "now", "text": "Worst pain 6.0 now"}],
        thresholds={"stalled_week": 8},
    )
    Answer.objects.create(
        **rows,
        patient=episode.patient,
        program=program,
        client_id=uuid4(),
        occurred_at=NOW,
        local_date=TODAY,
        worst_left=Decimal("6.0"),
        note="Stairs were bad",
    )
    ContactLog.objects.create(**rows, kind="call", at=NOW, by=episode.clinician, note="Promised to log")
    return program


def test_a_slow_trend_is_not_called_flat(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    reviewed(case, trend="slow", reason="adherent_but_flat")
    client = staff.client(staff.physio)

    pages = [client.get(url).content.decode() for url in (reverse(LIST), page_of(case.patient))]

    assert all("Done as prescribed, slow" in html for html in pages)
    assert not any("and flat" in html for html in pages)


def test_the_list_says_where_each_case_stands(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio, case_number="4711")
    reviewed(case)
    Patient.objects.update(email_bounced_at=NOW)

    html = staff.client(staff.physio).get(reverse(LIST)).content.decode()

    for text in (case.patient.full_name, "4711", str(staff.physio), "Patellofemoral pain", "Stalled"):
        assert text in html
    for text in ("Exercises not done", "Simplify the program", f"{TODAY:%-d %b %Y}", "e-mail bounced"):
        assert text in html
    assert "not_doing" not in html


def test_the_list_gives_an_alerts_reason_where_the_verdict_has_none(staff: Any) -> None:
    """The other knee gets worse while the index knee is on track."""
    case = make_case(staff.clinic, clinician=staff.physio)
    reviewed(case, state="on_track", reason="", action="")
    Alert.objects.update(kind="worsening", level="", action="Check load and re-assess")
    client = staff.client(staff.physio)

    html = client.get(reverse(LIST)).content.decode()
    assert "Worsening" in html
    assert "Check load and re-assess" in html

    Alert.objects.update(state="snoozed", snoozed_until=TODAY)
    html = client.get(reverse(LIST)).content.decode()
    assert "Check load and re-assess" not in html


@pytest.mark.parametrize("cases", [1, 3])
def test_the_list_takes_the_same_queries_for_one_case_and_three(
    staff: Any, cases: int, django_assert_num_queries: Any
) -> None:
    for _ in range(cases):
        reviewed(make_case(staff.clinic, clinician=staff.physio))
    client = staff.client(staff.physio)

    with django_assert_num_queries(LIST_QUERIES):
        client.get(reverse(LIST))


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_takes_the_same_queries_for_one_row_of_each_kind_and_three(
    staff: Any, rows: int, django_assert_num_queries: Any
) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    program = reviewed(case)
    make_assessment(case)
    for n in range(1, rows):
        make_assessment(case, assessed_on=TODAY - timedelta(days=n))
        ContactLog.objects.create(clinic=staff.clinic, episode=case, kind="call", at=NOW, by=staff.owner)
        Alert.objects.create(
            clinic=staff.clinic,
            episode=case,
            kind=["silent", "drift"][n - 1],
            summary="x",
            opened_on=TODAY,
            opened_at=NOW,
        )
        Answer.objects.create(
            clinic=staff.clinic,
            patient=case.patient,
            episode=case,
            program=program,
            client_id=uuid4(),
            occurred_at=NOW,
            local_date=TODAY - timedelta(days=n),
            worst_left=Decimal("5"),
        )
    client = staff.client(staff.physio)

    with django_assert_num_queries(PAGE_QUERIES):
        client.get(page_of(case.patient))


URGENT_FIRST = [
    {"kind": "red_flag", "level": "tier_1"},
    {"kind": "red_flag", "level": "tier_2"},
    {"kind": "worsening"},
    {"kind": "stall", "level": "stalled"},
    {"kind": "stall", "level": "stalling", "reason": "relapsed"},
    {"kind": "drift"},
    {"kind": "overload"},
    {"kind": "stall", "level": "stalling"},
    {"kind": "silent"},
]


def in_order(staff: Any, query: dict[str, str] | None = None, user: Any = None) -> list[str]:
    page = staff.client(user or staff.physio).get(reverse(LIST), query or {})
    return [patient.family_name for patient in page.context["cl"].result_list]


def of_name(staff: Any, name: str, *alerts: dict[str, Any]) -> Episode:
    patient = make_patient(staff.clinic, family_name=name)
    case = make_case(staff.clinic, clinician=staff.physio, patient=patient)
    for alert in alerts:
        values = {"summary": "x", "opened_on": TODAY, "opened_at": NOW}
        Alert.objects.create(clinic=staff.clinic, episode=case, **(values | alert))
    return case


def test_the_most_urgent_come_first_then_by_name(staff: Any) -> None:
    names = [f"{letter}-{alert['kind']}" for letter, alert in zip("ihgfedcba", URGENT_FIRST, strict=True)]
    for name, alert in reversed(list(zip(names, URGENT_FIRST, strict=True))):
        of_name(staff, name, alert)
    put_aside = {"kind": "stall", "level": "stalled", "state": "snoozed", "snoozed_until": TODAY}
    closed = {"resolved_at": NOW, "resolved_on": TODAY, "resolution": "recovered"}
    of_name(staff, "Z-snoozed", put_aside)
    of_name(staff, "Y-resolved", {"kind": "worsening", "state": "resolved"} | closed)
    of_name(staff, "X-nothing")

    assert in_order(staff) == [*names, "X-nothing", "Y-resolved", "Z-snoozed"]


def test_the_loudest_of_a_patients_alerts_counts(staff: Any) -> None:
    of_name(staff, "Aalders", {"kind": "overload"})
    of_name(staff, "Zwart", {"kind": "silent"}, {"kind": "worsening"})

    assert in_order(staff) == ["Zwart", "Aalders"]


def test_who_sorts_by_name_gets_names_with_red_flags_on_top(staff: Any) -> None:
    of_name(staff, "Mulder", {"kind": "worsening"})
    of_name(staff, "Aalders")
    of_name(staff, "Zwart", {"kind": "red_flag", "level": "tier_2"})

    assert in_order(staff, {"o": "1"}) == ["Zwart", "Aalders", "Mulder"]


def test_the_order_runs_on_over_the_pages(
    staff: Any, monkeypatch: Any, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(PatientAdmin, "list_per_page", 2)
    for name, alert in (("D", {"kind": "worsening"}), ("C", {"kind": "silent"})):
        reviewed(of_name(staff, name, alert))
    for name in ("B", "A"):
        of_name(staff, name)

    assert [in_order(staff), in_order(staff, {"p": "2"})] == [["D", "C"], ["A", "B"]]
    client = staff.client(staff.physio)
    with django_assert_num_queries(LIST_QUERIES):
        client.get(reverse(LIST))


@pytest.mark.parametrize("cases", [1, 3])
def test_a_state_filter_takes_the_same_queries_for_one_case_and_three(
    staff: Any, cases: int, django_assert_num_queries: Any
) -> None:
    for _ in range(cases):
        reviewed(make_case(staff.clinic, clinician=staff.physio))
    client = staff.client(staff.physio)

    with django_assert_num_queries(LIST_QUERIES + 1):
        client.get(reverse(LIST), {"state": "stalled"})


def test_a_state_filter_finds_what_the_list_calls_so_not_what_the_last_review_said(staff: Any) -> None:
    held = make_case(staff.clinic, clinician=staff.physio)
    reviewed(held)
    flagged(held)
    client = staff.client(staff.physio)

    found = {state: client.get(reverse(LIST), {"state": state}) for state in ("stalled", "on_hold", "king")}

    shown = {state: held.patient.full_name in page.content.decode() for state, page in found.items()}
    assert shown == {"stalled": False, "on_hold": True, "king": False}


def test_medians_are_shown_with_one_decimal(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    reviewed(case, baseline=Decimal("6.55"), now=Decimal("4.75"))

    html = staff.client(staff.physio).get(page_of(case.patient)).content.decode()

    assert "6.5 at the start, 4.7 now" in html
    assert "Baseline 6.5" in html
    assert "Success: 4.5 or less" in html


@pytest.mark.parametrize("term", ["Quentin", "4711", "quentin@example.org"])
def test_search_finds_by_name_case_number_and_email(staff: Any, term: str) -> None:
    wanted = make_patient(staff.clinic, given_name="Quentin", email="quentin@example.org")
    make_case(staff.clinic, patient=wanted, clinician=staff.physio, case_number="4711")
    other = make_case(staff.clinic, clinician=staff.physio).patient

    html = staff.client(staff.physio).get(reverse(LIST), {"q": term}).content.decode()

    assert wanted.full_name in html
    assert other.full_name not in html


@pytest.mark.parametrize(
    ("name", "value"),
    [("state", "stalled"), ("case_is", "alert"), ("diagnosis", "itb_syndrome"), ("clinician", "me")],
)
def test_filters_keep_what_they_say(staff: Any, name: str, value: str) -> None:
    wanted = make_case(staff.clinic, clinician=staff.owner, diagnosis="itb_syndrome")
    reviewed(wanted)
    other = make_case(staff.clinic, clinician=staff.physio)
    value = str(staff.owner.pk) if value == "me" else value

    html = staff.client(staff.owner).get(reverse(LIST), {name: value}).content.decode()

    assert wanted.patient.full_name in html
    assert other.patient.full_name not in html


def test_without_the_policies_the_filter_names_no_other_clinics_clinicians(
    staff: Any, stranger: Any, everything: None
) -> None:
    make_case(staff.clinic, clinician=staff.physio)
    make_case(stranger.clinic, clinician=stranger.physio)

    html = staff.client(staff.physio).get(reverse(LIST)).content.decode()

    assert f'clinician={staff.physio.pk}"' in html
    assert f'clinician={stranger.physio.pk}"' not in html


def test_the_page_shows_course_alerts_contacts_and_the_chart_in_words(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    reviewed(case)
    make_assessment(case)

    html = staff.client(staff.physio).get(page_of(case.patient)).content.decode()

    for text in (
        "Stalled",
        "week 9",
        "Week 9, stalled",
        "Worst pain 6.0 now",
        "Stalled from week",
        "8 weeks",
    ):
        assert text in html
    for text in ("Promised to log", "Stairs were bad", "1 session a week", "Intake of", "Also: Flare"):
        assert text in html
    assert "Left knee (index), worst: 6.0 on 2 Mar 2026" in html
    assert "Success: 4.5 or less" in html


def test_a_red_flag_stands_above_everything(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    reviewed(case, state="on_track")
    Alert.objects.create(
        clinic=staff.clinic,
        episode=case,
        kind="red_flag",
        level="tier_2",
        summary="Knee locks",
        opened_on=TODAY,
        opened_at=NOW,
    )

    html = staff.client(staff.physio).get(page_of(case.patient)).content.decode()

    assert "Red flag: the program is on hold" in html
    assert html.index("Knee locks") < html.index("Worst pain")


def flagged(case: Episode) -> Alert:
    alert = raise_red_flag(episode=case, codes=["knee_locks"], source="a check-in", evidence=[], now=NOW)
    assert alert is not None
    return alert


def test_an_open_red_flag_tops_the_list_even_of_a_closed_case(staff: Any) -> None:
    for name in ("Aalders", "Zwart"):
        make_case(staff.clinic, clinician=staff.physio, patient=make_patient(staff.clinic, family_name=name))
    closed = Episode.objects.get(patient__family_name="Zwart")
    flagged(closed)
    Episode.objects.filter(pk=closed.pk).update(closed_on=TODAY, outcome="improved")
    client = staff.client(staff.physio)

    for query in ({}, {"o": "1"}, {"o": "-1"}):
        html = client.get(reverse(LIST), query).content.decode()
        assert html.index("Zwart") < html.index("Aalders"), query
    assert "Closed, not cleared" in html
    later = make_case(staff.clinic, clinician=staff.physio, patient=closed.patient)
    page = client.get(page_of(closed.patient)).content.decode()
    assert "Red flag, not cleared: this case is closed" in page
    assert f"?case={later.pk}" in page


def test_a_cleared_red_flag_does_not_show_yesterdays_hold_as_the_state(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    reviewed(case, state="on_hold", reason="red_flag", action="See the patient")
    alert = flagged(case)
    client = staff.client(staff.physio)
    assert "On hold" in client.get(reverse(LIST), {"state": "on_hold"}).content.decode()

    clear(alert=alert, by=staff.physio, finding="Stable", now=timezone.now())

    page = client.get(page_of(case.patient))
    html = page.content.decode()
    assert page.context["page"].row.state.text == "Review due"
    assert (page.context["page"].row.reason, page.context["page"].row.action) == ("", "")
    assert f"Last review of {TODAY:%-d %b %Y}" in html
    assert case.patient.full_name not in client.get(reverse(LIST), {"state": "on_hold"}).content.decode()
    assert "Review due" in client.get(reverse(LIST)).content.decode()


def test_an_assistant_sees_states_and_contact_data_and_no_findings(staff: Any) -> None:
    case = make_case(staff.clinic, clinician=staff.physio)
    reviewed(case)
    make_assessment(case, notes="Private finding")
    client = staff.client(staff.assistant)

    page = client.get(page_of(case.patient)).content.decode()
    rows = client.get(reverse(LIST)).content.decode()

    assert "Stalled" in page
    assert case.patient.email in page
    assert "Log a call" in page
    for html in (page, rows):
        assert case.patient.full_name in html
        for hidden in ("Stairs were bad", "Intake of", "Promised to log", "Worst pain", "Exercises not done"):
            assert hidden not in html


def test_the_order_of_the_list_tells_an_assistant_no_finding(staff: Any) -> None:
    of_name(staff, "Aalders")
    of_name(staff, "Bakker", {"kind": "worsening"})
    of_name(staff, "Zwart", {"kind": "red_flag", "level": "tier_2"})
    for query in ({}, {"o": "0"}):
        assert in_order(staff, query, user=staff.assistant) == ["Aalders", "Bakker", "Zwart"]
    assert in_order(staff) == ["Zwart", "Bakker", "Aalders"]


def test_a_foreign_patient_answers_like_one_that_does_not_exist(staff: Any, stranger: Any) -> None:
    foreign = make_case(stranger.clinic).patient
    client = staff.client(staff.owner)

    real, missing = client.get(page_of(foreign)), client.get(page_of(Patient(pk=uuid4())))

    assert real.status_code == missing.status_code == 404
    assert foreign.full_name not in client.get(reverse(LIST)).content.decode()
    contact = reverse("admin:patients_patient_contact", args=[foreign.pk])
    assert client.post(contact, {"given_name": "Stolen", "timezone": "UTC"}).status_code == 404
    foreign.refresh_from_db()
    assert foreign.given_name == "Robin"


def test_with_own_cases_only_a_physio_sees_of_a_shared_patient_their_own_case(staff: Any) -> None:
    ClinicPolicy.objects.filter(clinic=staff.clinic).update(own_cases_only=True)
    own = make_case(staff.clinic, clinician=staff.physio, case_number="OWN-7")
    make_case(patient=own.patient, clinician=staff.owner, case_number="NOT-8")

    html = staff.client(staff.physio).get(page_of(own.patient)).content.decode()

    assert "OWN-7" in html
    assert "NOT-8" not in html


def test_with_own_cases_only_a_physio_sees_no_colleagues_case(staff: Any) -> None:
    ClinicPolicy.objects.filter(clinic=staff.clinic).update(own_cases_only=True)
    own = make_case(staff.clinic, clinician=staff.physio).patient
    colleagues = make_case(staff.clinic, clinician=staff.owner).patient
    client = staff.client(staff.physio)

    html = client.get(reverse(LIST)).content.decode()

    assert own.full_name in html
    assert colleagues.full_name not in html
    assert client.get(page_of(colleagues)).status_code == 404


def test_each_clinic_grants_its_own_role(staff: Any, stranger: Any) -> None:
    """Owner here, assistant there: there the owner's rights don't count."""
    both = staff.owner
    Membership.objects.create(clinic=stranger.clinic, user=both, role=Role.ASSISTANT)
    case = make_case(stranger.clinic, clinician=stranger.physio)
    reviewed(case)
    assessment = make_assessment(case)
    client = staff.client(both)

    page, rows = (client.get(url).content.decode() for url in (page_of(case.patient), reverse(LIST)))

    assert case.patient.full_name in page
    assert case.patient.full_name in rows
    for hidden in ("Stairs were bad", "Intake of", "Exercises not done", "Discharge"):
        assert hidden not in page + rows
    change = reverse("admin:patients_assessment_change", args=[assessment.pk])
    assert client.post(change, {"notes": "x"}).status_code == 404
    assert client.get(reverse("admin:do", args=["discharge", case.pk])).status_code == 404
    assert (
        client.get(reverse("admin:clinic_clinicpolicy_change", args=[stranger.clinic.pk])).status_code == 404
    )
