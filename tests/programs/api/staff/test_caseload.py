"""The caseload by the API: who needs the member, why, and what is suggested; the figures with their trend."""

from __future__ import annotations

from uuid import uuid4

import pytest

from clinic.models import Clinic, User
from patients.models import Episode
from programs.models import Alert, Answer, Program
from tests.api import Tool, fields_of
from tests.enforced import enforced
from tests.factories import NOW, TODAY, make_case, make_clinic, make_patient, make_user


def alert_on(case: Episode, kind: str, **fields: object) -> Alert:
    opened = {"opened_on": TODAY, "opened_at": NOW, **fields}
    alert: Alert = Alert.objects.create(clinic=case.clinic, episode=case, kind=kind, **opened)
    return alert


def answer(program: Program, **fields: object) -> Answer:
    case = program.episode
    row = {"clinic": case.clinic, "patient": case.patient, "episode": case, "program": program}
    made: Answer = Answer.objects.create(
        **row, client_id=uuid4(), occurred_at=NOW, local_date=TODAY, **fields
    )
    return made


@pytest.fixture
def flagged(own: Clinic) -> Episode:
    """A colleague's case."""
    vera = make_patient(own, given_name="Vera", family_name="Loop")
    case = make_case(own, patient=vera, diagnosis="patellar_tendinopathy", case_number="2001")
    alert_on(case, "red_flag", level="tier_1", summary="Fever")
    return case


def cases(tool: Tool, query: str = "") -> list[int]:
    answer = tool.get(f"caseload?{query}")
    assert answer.status_code == 200, answer.content
    return [row["case"] for row in answer.json()["results"]]


def test_each_row_says_what_the_case_needs_why_and_what_to_do(
    tool: Tool, case: Episode, program: Program, flagged: Episode
) -> None:
    alert = alert_on(case, "worsening", summary="Pain is up by 3.", action="Re-assess.")
    answer(program, worst_left=6)
    rows = tool.get("caseload").json()["results"]
    assert [row["case"] for row in rows] == [flagged.pk, case.pk]
    row = rows[1]
    assert row["needs"][0] == {
        "need": "worsening",
        "why": row["needs"][0]["why"],
        "action": "Re-assess",
        "act": "reassess",
        "alert": alert.pk,
    }
    assert "Pain is up by 3" in row["needs"][0]["why"]
    assert [day["worst"] for day in row["trend"]] == [6.0]
    assert (row["stage"], row["program"], row["state"]) == (1, program.pk, "not_reviewed")


def test_filters_and_search_find_those_they_name(
    tool: Tool, physio: User, case: Episode, program: Program, flagged: Episode
) -> None:
    for query, found in {
        f"clinician={physio.pk}": [case.pk],
        "diagnosis=patellar_tendinopathy": [flagged.pk],
        "need=red_flag": [flagged.pk],
        "need=drift": [],
        "stage=1": [case.pk],
        "state=on_hold": [flagged.pk],
        "search=loop+vera": [flagged.pk],
        "search=2001": [flagged.pk],
        "search=nobody": [],
    }.items():
        assert cases(tool, query) == found, query


@pytest.mark.parametrize(
    "wrong", ["need=all", "state=closed", "diagnosis=x", "page=0", "limit=201", "stage=0", "cursor=3"]
)
def test_what_no_case_can_have_is_refused_by_name(tool: Tool, wrong: str) -> None:
    response = tool.get(f"caseload?{wrong}")
    assert (response.status_code, fields_of(response)) == (400, [wrong.partition("=")[0]])


def test_pages_hold_each_case_once_in_the_order_of_the_whole(
    tool: Tool, own: Clinic, case: Episode, flagged: Episode
) -> None:
    for _ in range(3):
        make_case(own)
    seen, path = [], "caseload?limit=2"
    while path:
        page = tool.get(path).json()
        seen += [row["case"] for row in page["results"]]
        path = page["next"].split("/api/v1/")[1] if page["next"] else ""
    assert seen == cases(tool)
    assert len(seen) == 5
    assert seen[0] == flagged.pk


def test_findings_are_null_for_an_assistant_and_no_filter_tells_them(
    assistant: Tool, case: Episode, program: Program, flagged: Episode
) -> None:
    rows = assistant.get("caseload").json()["results"]
    assert {row["case"] for row in rows} == {case.pk, flagged.pk}
    for row in rows:
        assert [row[name] for name in ("needs", "trend", "sessions_done", "sessions_due")] == [None] * 4
    assert cases(assistant, "need=red_flag") == []
    assert assistant.get("caseload/figures").status_code == 403


def test_no_case_of_another_clinic_is_shown_or_counted(tool: Tool, case: Episode, foreign: Episode) -> None:
    alert_on(foreign, "red_flag", level="tier_1", summary="Fever")
    with enforced():
        assert cases(tool) == [case.pk]
        assert cases(tool, f"clinician={foreign.clinician_id}") == []
        figures = tool.get("caseload/figures").json()
    assert (figures["open"], figures["red_flags"], figures["alerts"]) == (1, 0, {})


def test_a_token_of_one_clinic_shows_nothing_of_the_member_s_other_clinic(
    physio: User, case: Episode, own: Clinic
) -> None:
    other = make_clinic()
    other.memberships.create(user=physio, role="physio")
    make_case(other, clinician=physio)
    assert cases(Tool(physio, clinic=own)) == [case.pk]


def test_under_own_cases_only_colleagues_cases_are_not_on_it() -> None:
    clinic = make_clinic(own_cases_only=True)
    me = make_user(clinic=clinic)
    mine, _theirs = make_case(clinic, clinician=me), make_case(clinic)
    assert cases(Tool(me)) == [mine.pk]


def test_figures_count_now_and_four_weeks_ago(
    tool: Tool, case: Episode, program: Program, flagged: Episode
) -> None:
    figures = tool.get("caseload/figures").json()
    assert (figures["open"], figures["mine"], figures["red_flags"]) == (2, 1, 1)
    assert figures["needs"] == {"red_flag": 1, "invite": 1}
    assert figures["alerts"]["red_flag"] == {"now": 1.0, "before": 0.0, "change": 1.0}
    assert figures["responding"] == {"now": None, "before": None, "change": None}
