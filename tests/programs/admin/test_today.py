"""The caseload on the first page: what each role sees, filters, acts, pages and what is on record."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.audit.models import AuditEntry
from patients.models import Patient
from programs.admin import today as page_module
from programs.models import ContactLog, Hold, Program
from programs.services.red_flags import clear
from tests.factories import NOW, TODAY, make_assessment, make_patient, make_template
from tests.programs.services.caseload.making import alert, answered, case_of, draft_of

pytestmark = pytest.mark.django_db

TODAY_PAGE = reverse("admin:index")
QUERIES = 35
OUTCOME = {"came_of": "program_changed", "outcome": "Simplified"}


def stalled(staff: Any, number: str, **fields: Any):
    program = {"review_state": "stalled", "review_week": 9, "sessions_done": 5, "sessions_due": 12}
    case = case_of(staff.physio, number, program=program, **fields)
    row = alert(
        case,
        kind="stall",
        level="stalled",
        reason="not_doing",
        summary="Week 9, stalled. Simplify the program.",
        action="Simplify the program",
    )
    today = timezone.localdate()  # the page's own clock
    answered(case, on=today, worst="6")
    answered(case, on=today, worst="7.5")
    return case, row


def test_a_row_tells_the_whole_case_and_the_suggested_act_is_the_first(staff: Any) -> None:
    case, row = stalled(staff, "1")
    html = staff.client(staff.physio).get(TODAY_PAGE).content.decode()
    for text in (case.patient.full_name, "week 9, stage 1", "5 of 12 sessions", "Week 9, stalled"):
        assert text in html
    assert "Worst pain, 0 to 10, 1 day answered: 7.5 on" in html
    assert html.count("Simplify the program") == 1
    back = f"?back={quote(TODAY_PAGE, safe='')}"
    change = reverse("admin:adjust", args=[case.programs.get().pk])
    assert f'<a class="kc-button kc-primary" href="{change}{back}"' in html
    for act, pk in (
        ("snooze", row.pk),
        ("resolve", row.pk),
        ("acknowledge", row.pk),
        ("log-contact", case.pk),
    ):
        assert f'href="{reverse("admin:do", args=[act, pk])}{back}"' in html


def test_after_the_act_one_is_where_one_was(staff: Any) -> None:
    _, row = stalled(staff, "1")
    client, was = staff.client(staff.physio), f"{TODAY_PAGE}?need=stalled&page=1"
    act = f"{reverse('admin:do', args=['resolve', row.pk])}?back={quote(was, safe='')}"
    assert f'href="{was.replace("&", "&amp;")}"' in client.get(act).content.decode()
    done = client.post(act, OUTCOME)
    assert (done.status_code, done.headers["Location"]) == (302, was)
    row.refresh_from_db()
    assert row.state == "resolved"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/api/v1/docs/", "javascript:alert(1)", ""]
)
def test_the_way_back_leads_nowhere_else(staff: Any, elsewhere: str) -> None:
    _, row = stalled(staff, "1")
    act = f"{reverse('admin:do', args=['resolve', row.pk])}?back={quote(elsewhere, safe='')}"
    done = staff.client(staff.physio).post(act, OUTCOME)
    assert done.status_code == 302
    assert done.headers["Location"].startswith(reverse("admin:patients_patient_changelist"))


WAS = f"{TODAY_PAGE}?need=stalled&page=1"
BACK = f"?back={quote(WAS, safe='')}"


def test_a_re_assessment_leads_over_match_and_program_back_to_where_one_was(staff: Any) -> None:
    case, _ = stalled(staff, "1")
    template = make_template(clinic=staff.clinic, diagnoses=[case.diagnosis])
    client = staff.client(staff.physio)
    intake = f"{reverse('admin:patients_assessment_add')}?episode={case.pk}&{BACK[1:]}"
    assert intake.replace("&", "&amp;") in client.get(WAS).content.decode()

    written = {"episode": case.pk, "kind": "reassessment", "assessed_on": "2026-03-02", "worst_pain": "6"}
    matched = client.post(intake, written).headers["Location"]
    assert matched == reverse("admin:suggestions", args=[case.assessments.get().pk]) + BACK
    assert f'href="{WAS.replace("&", "&amp;")}"' in client.get(matched).content.decode()

    assign = reverse("admin:do", args=["assign", case.pk]) + BACK
    assert assign in client.get(matched).content.decode()
    adjust = client.post(assign, {"template_choice": template.pk}).headers["Location"]
    draft = Program.with_drafts.get(is_draft=True)
    assert adjust == reverse("admin:adjust", args=[draft.pk]) + BACK
    changed = client.post(adjust, {"act": "reasons"}).headers["Location"]
    assert changed == f"{adjust}#coverage"

    send = reverse("admin:do", args=["send", draft.pk]) + BACK
    assert send in client.get(adjust).content.decode()
    sent = client.post(send, {"started_on": timezone.localdate().isoformat()})
    assert (sent.status_code, sent.headers["Location"]) == (302, WAS)


def test_a_re_opened_case_goes_on_to_its_program_and_keeps_the_way_back(staff: Any) -> None:
    case, _ = stalled(staff, "1")
    case.programs.update(ended_on=TODAY)
    type(case).objects.filter(pk=case.pk).update(closed_on=TODAY, outcome="improved")
    opened = staff.client(staff.physio).post(reverse("admin:do", args=["reopen", case.pk]) + BACK)
    new = type(case).objects.open().get()
    assert opened.headers["Location"] == reverse("admin:do", args=["assign", new.pk]) + BACK


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_no_page_on_the_way_leads_elsewhere(staff: Any, elsewhere: str) -> None:
    case, _ = stalled(staff, "1")
    assessment, client = make_assessment(case), staff.client(staff.physio)
    pages = (
        reverse("admin:suggestions", args=[assessment.pk]),
        reverse("admin:adjust", args=[case.programs.get().pk]),
        reverse("admin:patients_assessment_change", args=[assessment.pk]),
        reverse("admin:do", args=["assign", case.pk]),
    )
    for page in pages:
        html = client.get(page, {"back": elsewhere}).content.decode()
        assert "evil" not in html, page
        assert "javascript:alert(1)" not in html, page


def test_an_assistant_is_shown_states_and_may_log_a_call_and_no_finding(staff: Any) -> None:
    case, row = stalled(staff, "1")
    html = staff.client(staff.assistant).get(TODAY_PAGE).content.decode()
    listed = html.split("kc-caseload")[1].split("</section>")[0]
    assert case.patient.full_name in listed
    assert "Stalled" in listed
    assert reverse("admin:do", args=["log-contact", case.pk]) in listed
    for hidden in (
        "Simplify",
        "sessions",
        "stage 1",
        "Worst pain",
        "The clinic in figures",
        "need=",
        "Patellof",
    ):
        assert hidden not in listed, hidden
    assert reverse("admin:do", args=["resolve", row.pk]) not in html


def test_red_flags_that_are_not_on_the_page_are_announced(staff: Any) -> None:
    case_of(staff.owner, "flag", alerts=[{"kind": "red_flag", "level": "tier_1"}])
    stalled(staff, "1")
    client = staff.client(staff.physio)
    assert "not on this page" not in client.get(TODAY_PAGE).content.decode()
    assert "1 open red flag not on this page" in client.get(TODAY_PAGE, {"need": "stalled"}).content.decode()


@pytest.mark.parametrize(
    "query",
    [
        {"need": "sleep"},
        {"state": "<script>"},
        {"clinician": "me"},
        {"clinician": "9" * 30},
        {"stage": "²"},
        {"diagnosis": "flu"},
    ],
)
def test_a_filter_that_there_is_not_is_named_and_all_are_shown(staff: Any, query: dict[str, str]) -> None:
    case, _ = stalled(staff, "1")
    page = staff.client(staff.physio).get(TODAY_PAGE, query)
    html = page.content.decode()
    assert f"There is no such {next(iter(query))}" in html
    assert case.patient.full_name in html
    assert "<script>" not in html.split("kc-caseload")[1].split("</section>")[0]


@pytest.mark.parametrize("page", ["0", "-1", "x", "99", "1" * 400, "\0"])
def test_a_page_that_there_is_not_is_the_first_or_the_last(staff: Any, page: str) -> None:
    case, _ = stalled(staff, "1")
    assert (
        case.patient.full_name in staff.client(staff.physio).get(TODAY_PAGE, {"page": page}).content.decode()
    )


def test_hostile_names_come_out_as_text(staff: Any) -> None:
    name = "<img src=x onerror=alert(1)>"
    patient = make_patient(staff.clinic, given_name=name, family_name="'\"&{{ 7 }}")
    case_of(staff.physio, "=1+1", patient=patient)
    client = staff.client(staff.physio)
    for query in ({}, {"search": name}, {"search": '"><script>alert(1)</script>'}):
        html = client.get(TODAY_PAGE, query).content.decode()
        assert "<img src=x" not in html
        assert "<script>alert" not in html
    assert "&lt;img src=x" in client.get(TODAY_PAGE, {"search": "onerror"}).content.decode()


def test_only_those_on_the_page_are_on_record(staff: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(page_module, "PER_PAGE", 2)
    cases = [stalled(staff, str(number))[0] for number in range(5)]
    client = staff.client(staff.physio)
    pages = [client.get(TODAY_PAGE, {"page": str(number)}) for number in (1, 2, 3)]
    shown = [[case.row.episode for case in page.context["today"].cases] for page in pages]
    assert [case for page in shown for case in page] == cases
    entries = AuditEntry.objects.readings().order_by("id")
    assert [set(entry.patients) for entry in entries] == [
        {case.patient_id for case in page} for page in shown
    ]


def test_a_stranger_is_never_on_it(staff: Any, stranger: Any) -> None:
    case_of(stranger.physio, "S-1", alerts=[{"kind": "red_flag", "level": "tier_1"}])
    stalled(staff, "1")
    client = staff.client(staff.physio)
    for query in ({}, {"search": "S-1"}, {"clinician": str(stranger.physio.pk)}, {"need": "red_flag"}):
        page = client.get(TODAY_PAGE, query)
        assert all(case.row.episode.clinic_id == staff.clinic.pk for case in page.context["today"].cases)
        assert str(stranger.physio) not in page.content.decode()


@pytest.mark.parametrize("cases", [1, 3])
def test_it_takes_the_same_queries_for_one_patient_and_three(
    staff: Any, cases: int, django_assert_num_queries: Any
) -> None:
    for number in range(cases):
        stalled(staff, str(number), opened_on=TODAY)
    client = staff.client(staff.physio)
    assert Patient.objects.count() == cases
    with django_assert_num_queries(QUERIES):
        client.get(TODAY_PAGE)


def case_on(page: Any, number: str) -> Any:
    return next(case for case in page.context["today"].cases if case.row.episode.case_number == number)


def test_the_row_of_a_bounced_address_leads_to_it_and_back_to_today(staff: Any) -> None:
    case, row = stalled(staff, "1")
    type(row).objects.update(reason="silent", action="Call the patient")
    Patient.objects.update(email_bounced_at=timezone.now())
    client = staff.client(staff.physio)
    first, *others = case_on(client.get(TODAY_PAGE), "1").acts
    assert (first.label, "Log a call" in [act.label for act in others]) == ("Correct the address", True)
    assert first.url.startswith(reverse("admin:patients_patient_contact", args=[case.patient_id]))
    data = {"given_name": "Robin", "email": "right@example.org", "timezone": "Europe/Amsterdam"}
    assert client.post(first.url, data).headers["Location"] == TODAY_PAGE
    first, *others = case_on(client.get(TODAY_PAGE), "1").acts
    assert (first.label, "Correct the address" in [act.label for act in others]) == ("Log a call", False)


def test_a_logged_call_stands_on_the_row_its_note_only_for_who_reads_findings(staff: Any) -> None:
    case, _ = stalled(staff, "1")
    rows = {"clinic": case.clinic, "episode": case, "by": staff.assistant, "at": timezone.now()}
    ContactLog.objects.create(**rows, kind="no_answer", note="Knee still hurts")
    on = timezone.localtime(rows["at"])
    told = f"Call, no answer on {on:%-d %b} by {staff.assistant}"
    called = [
        case_on(staff.client(who).get(TODAY_PAGE), "1").called for who in (staff.physio, staff.assistant)
    ]
    assert called == [f"{told}: Knee still hurts", told]


def test_what_a_hold_forbids_is_not_offered(staff: Any) -> None:
    case, _ = stalled(staff, "1")
    client = staff.client(staff.physio)
    move = "Move the stage"
    assert move in [act.label for act in case_on(client.get(TODAY_PAGE), "1").acts]
    program = case.programs.get()
    hold = Hold.objects.create(clinic=case.clinic, program=program, since=NOW, red_flags=[], reason="x")
    page = reverse("admin:patients_patient_change", args=[case.patient_id])
    assert move not in [act.label for act in case_on(client.get(TODAY_PAGE), "1").acts]
    assert reverse("admin:do", args=["move-stage", program.pk]) not in client.get(page).content.decode()
    hold.cleared_at, hold.cleared_by, hold.finding = NOW, staff.physio, "Calf strain"
    hold.save()
    assert reverse("admin:do", args=["move-stage", program.pk]) in client.get(page).content.decode()


def test_with_a_red_flag_open_no_program_is_offered(staff: Any) -> None:
    case = case_of(staff.physio, "1", alerts=[{"kind": "red_flag", "level": "tier_1"}])
    make_assessment(case)
    client, assign = staff.client(staff.physio), reverse("admin:do", args=["assign", case.pk])
    page = reverse("admin:patients_patient_change", args=[case.patient_id])
    assert "Match a program" not in [act.label for act in case_on(client.get(TODAY_PAGE), "1").acts]
    assert assign not in client.get(page).content.decode()
    clear(alert=case.alerts.get(), finding="Calf strain", by=staff.physio, now=NOW)
    assert assign in client.get(page).content.decode()


def test_a_new_patients_next_step_is_the_same_on_today_and_on_the_page(staff: Any) -> None:
    case = case_of(staff.physio, "1", patient=make_patient(staff.clinic))
    client = staff.client(staff.physio)
    page = reverse("admin:patients_patient_change", args=[case.patient_id])

    def steps() -> tuple[str, str]:
        on_page = client.get(page).context["page"].step
        return case_on(client.get(TODAY_PAGE), "1").acts[0].label, on_page and on_page.label

    assert steps() == ("Record assessment", "Record assessment")
    make_assessment(case)
    assert steps() == ("Match a program", "Match a program")
    draft = draft_of(case)
    assert steps() == ("Look and send", "Look and send")
    Program.with_drafts.filter(pk=draft.pk).update(is_draft=False)
    assert steps() == ("Invite", "Invite")
    client.post(reverse("admin:do", args=["invite", case.patient_id]))
    assert steps() == ("Open the case", None)


def test_a_patient_without_a_case_is_given_one_next(staff: Any) -> None:
    page = reverse("admin:patients_patient_change", args=[make_patient(staff.clinic).pk])
    assert staff.client(staff.physio).get(page).context["page"].step.label == "Open a new case"
    assert staff.client(staff.assistant).get(page).context["page"].step is None


def test_headings_part_the_groups_and_an_assistant_is_shown_none(staff: Any) -> None:
    case_of(staff.physio, "fine", program={})
    case_of(staff.owner, "theirs", alerts=[{"kind": "worsening"}])
    case_of(staff.physio, "mine", alerts=[{"kind": "silent"}])
    case_of(staff.physio, "mine-2", alerts=[{"kind": "silent"}])
    case_of(staff.owner, "flag", alerts=[{"kind": "red_flag", "level": "tier_1"}])
    cases = staff.client(staff.physio).get(TODAY_PAGE).context["today"].cases
    assert [(case.row.episode.case_number, case.heading) for case in cases] == [
        ("flag", "Red flags"),
        ("mine", "Your cases"),
        ("mine-2", ""),
        ("theirs", "Colleagues' cases"),
        ("fine", "Nothing to do"),
    ]
    assert "Nothing to do" not in staff.client(staff.assistant).get(TODAY_PAGE).content.decode()


def test_a_closed_case_that_still_asks_is_told_apart(staff: Any) -> None:
    case_of(staff.physio, "open", program={})
    case = case_of(staff.physio, "closed", alerts=[{"kind": "red_flag", "level": "tier_1"}])
    type(case).objects.filter(pk=case.pk).update(closed_on=TODAY, outcome="improved")
    html = staff.client(staff.physio).get(TODAY_PAGE).content.decode()
    assert "2 cases, 1 of them closed" in html
    assert "<strong>1</strong> open cases" in html
    assert html.count("No answers yet") == 1  # of the one that is asked
