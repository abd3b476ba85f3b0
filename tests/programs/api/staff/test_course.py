"""The course of a case, what is proposed, absences, watches and hand-overs by the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.models import Absence, Clinic, User
from patients.models import Episode, OutcomeScore
from programs.models import Alert, LoadDecision, Program, RelapseWatch
from tests.api import Tool, fields_of
from tests.enforced import enforced
from tests.factories import NOW, TODAY, make_assessment, make_program, make_user

WEEK = timedelta(weeks=1)
OF_A_CASE = ("timeline", "outcomes", "prognosis", "re-tests", "monitoring")


def red_flag(case: Episode, *texts: str) -> Alert:
    rows = [{"code": "fever", "text": text, "source": "check-in"} for text in texts]
    opened = {"opened_on": TODAY, "opened_at": NOW, "summary": "Fever", "level": "tier_2"}
    alert: Alert = Alert.objects.create(
        clinic=case.clinic, episode=case, kind="red_flag", evidence=rows, **opened
    )
    return alert


def stall(case: Episode) -> Alert:
    opened = {"opened_on": TODAY, "opened_at": NOW, "summary": "Flat", "level": "stalling"}
    alert: Alert = Alert.objects.create(clinic=case.clinic, episode=case, kind="stall", **opened)
    return alert


@pytest.fixture
def colleague(own: Clinic) -> User:
    return make_user(clinic=own)


def test_a_timeline_tells_days_programs_and_adherence(tool: Tool, case: Episode, program: Program) -> None:
    stall(case)
    answer = tool.get(f"cases/{case.pk}/timeline").json()
    assert answer["course"]["started_on"] == program.started_on.isoformat()
    assert [knee["side"] for knee in answer["course"]["knees"]][:1] == [case.index_side]
    assert [event["label"] for event in answer["course"]["events"]] == [f"{program.name} starts"]
    assert [alert["until"] for alert in answer["course"]["alerts"]] == [None]
    assert [week["number"] for week in answer["adherence"]["weeks"]] == [0, 1, 2, 3, 4]


def test_before_the_first_program_there_is_no_course_and_no_prognosis(tool: Tool, case: Episode) -> None:
    assert tool.get(f"cases/{case.pk}/timeline").json() == {"course": None, "adherence": None}
    nothing = {"base_rates": None, "factors": None, "to_say": None}
    assert tool.get(f"cases/{case.pk}/prognosis").json() == nothing


def test_a_groc_is_recorded_and_shown_and_one_beyond_its_scale_is_not(tool: Tool, case: Episode) -> None:
    answer = tool.post(f"cases/{case.pk}/outcomes", {"groc": 5})
    assert answer.status_code == 200, answer.content
    assert [(row["measure"], row["scores"][0]["value"]) for row in answer.json()["measures"]] == [("groc", 5)]
    assert answer.json() == tool.get(f"cases/{case.pk}/outcomes").json()
    refused = tool.post(f"cases/{case.pk}/outcomes", {"groc": 8})
    assert (refused.status_code, fields_of(refused)) == (400, ["groc"])
    assert OutcomeScore.objects.get().value == 5


def test_re_tests_stand_side_by_side_with_the_change_judged(tool: Tool, case: Episode) -> None:
    for day, pain in ((TODAY - 4 * WEEK, 7), (TODAY, 3)):
        make_assessment(case, assessed_on=day, worst_pain=pain)
    answer = tool.get(f"cases/{case.pk}/re-tests").json()
    row = answer["blocks"][0]["rows"][0]
    assert (len(answer["visits"]), len(row["cells"])) == (2, 2)
    assert (row["change"]["kind"], row["change"]["difference"]) == ("improved", -4)


def test_the_prognosis_tells_base_rates_and_how_the_case_stands(
    tool: Tool, case: Episode, program: Program
) -> None:
    answer = tool.get(f"cases/{case.pk}/prognosis").json()
    assert answer["base_rates"][0]["source"] == "Collins 2013"
    assert [factor["met"] for factor in answer["factors"]] == [False, True, None]
    assert "About half of the people" in answer["to_say"]
    Episode.objects.update(diagnosis="other")
    answer = tool.get(f"cases/{case.pk}/prognosis").json()
    assert answer == {"base_rates": None, "factors": None, "to_say": None}


def test_counters_are_null_where_they_are_off(tool: Tool, case: Episode) -> None:
    assert tool.get(f"cases/{case.pk}/monitoring").json() == {"counts": None}
    Episode.objects.update(policy_overrides={"monitoring_counts": True})
    assert tool.get(f"cases/{case.pk}/monitoring").json()["counts"]["data_days"] == 0


def test_what_is_proposed_is_done_only_while_it_is_still_that(
    tool: Tool, case: Episode, program: Program
) -> None:
    path = f"programs/{program.pk}/proposal"
    shown = tool.get(path).json()
    refused = tool.post(path, {"expected": "progress sets 1:9"})
    assert (refused.status_code, fields_of(refused)) == (400, ["expected"])
    assert not LoadDecision.objects.exists()
    assert tool.post(path, {"expected": shown["key"]}).status_code == 200
    assert LoadDecision.objects.get().proposal == shown["proposal"]


def test_an_absence_is_one_s_own_or_an_owner_s_to_plan(
    tool: Tool, owner: Tool, physio: User, colleague: User
) -> None:
    days = {"starts_on": TODAY.isoformat(), "ends_on": (TODAY + WEEK).isoformat()}
    made = tool.post("absences", days)
    assert (made.status_code, made.json()["clinician"]) == (201, physio.pk)
    refused = tool.post("absences", {**days, "clinician": colleague.pk})
    assert refused.status_code == 403
    assert Absence.objects.count() == 1
    assert owner.post("absences", {**days, "clinician": colleague.pk}).status_code == 201
    found = tool.get(f"absences?clinician={colleague.pk}&since={TODAY}").json()["results"]
    assert [row["clinician"] for row in found] == [colleague.pk]
    assert tool.delete(f"absences/{found[0]['id']}").status_code == 403
    assert tool.delete(f"absences/{made.json()['id']}").status_code == 204
    assert Absence.objects.get().clinician == colleague


def test_an_absence_that_ends_before_it_starts_is_refused(tool: Tool) -> None:
    days = {"starts_on": (TODAY + WEEK).isoformat(), "ends_on": TODAY.isoformat()}
    response = tool.post("absences", days)
    assert (response.status_code, fields_of(response)) == (400, ["ends_on"])


def test_a_whole_caseload_is_an_owner_s_to_hand_over(
    tool: Tool, owner: Tool, physio: User, colleague: User, case: Episode
) -> None:
    path = f"staff/{physio.memberships.get().pk}/hand-over"
    assert tool.post(path, {"hand_over_to": colleague.pk}).status_code == 403
    assert Episode.objects.get().clinician == physio
    assert owner.post(path, {"hand_over_to": colleague.pk, "why": "Leaves"}).json() == {"cases": 1}
    assert Episode.objects.get().clinician == colleague


def test_a_watch_is_shown_and_ended_and_without_one_there_is_nothing(
    tool: Tool, case: Episode, program: Program, physio: User
) -> None:
    assert tool.get(f"cases/{case.pk}/watch").status_code == 404
    closed = tool.post(f"cases/{case.pk}/discharge", {"outcome": "recovered", "watch": True})
    assert closed.status_code == 200, closed.content
    assert tool.get(f"cases/{case.pk}/watch").json()["end_reason"] == ""
    assert tool.delete(f"cases/{case.pk}/watch").json()["end_reason"] == "clinician"
    assert not RelapseWatch.objects.running().exists()


def test_a_closed_case_is_re_opened_as_another_one_once(tool: Tool, case: Episode, program: Program) -> None:
    assert tool.post(f"cases/{case.pk}/reopen").status_code == 400
    tool.post(f"cases/{case.pk}/discharge", {"outcome": "recovered", "watch": True})
    again = tool.post(f"cases/{case.pk}/reopen")
    assert (again.status_code, again.json()["diagnosis"]) == (201, case.diagnosis)
    assert again.json()["id"] != case.pk
    assert tool.post(f"cases/{case.pk}/reopen").status_code == 400
    assert Episode.objects.count() == 2


def test_the_course_of_a_foreign_case_is_not_there_and_none_is_an_assistant_s(
    tool: Tool, assistant: Tool, case: Episode, foreign: Episode
) -> None:
    with enforced():
        for name in OF_A_CASE:
            assert tool.get(f"cases/{foreign.pk}/{name}").status_code == 404, name
            assert assistant.get(f"cases/{case.pk}/{name}").status_code == 403, name
        assert tool.post(f"cases/{foreign.pk}/outcomes", {"groc": 1}).status_code == 404
        assert tool.post(f"staff/{foreign.clinician.memberships.get().pk}/hand-over", {}).status_code == 403
    assert not OutcomeScore.objects.exists()


def test_a_token_that_only_reads_writes_nothing(physio: User, case: Episode, program: Program) -> None:
    tool, alert = Tool(physio, writes=False), stall(case)
    assert tool.get(f"cases/{case.pk}/timeline").status_code == 200
    for path, body in {
        f"cases/{case.pk}/outcomes": {"groc": 1},
        "absences": {"starts_on": TODAY.isoformat(), "ends_on": TODAY.isoformat()},
        "alerts/bulk": {"alerts": [alert.pk], "act": "acknowledge"},
        f"programs/{program.pk}/proposal": {"expected": "hold nothing"},
    }.items():
        assert tool.post(path, body).status_code == 403, path
    assert not OutcomeScore.objects.exists()
    assert not Absence.objects.exists()
    assert Alert.objects.get().state == "open"


def test_a_red_flag_is_acknowledged_only_by_who_says_what_was_read(tool: Tool, case: Episode) -> None:
    flag = red_flag(case, "Fever", "Night pain")
    refused = tool.post(f"alerts/{flag.pk}/acknowledge", {})
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == ["seen"]
    flag.refresh_from_db()
    assert flag.acknowledged_at is None
    assert tool.post(f"alerts/{flag.pk}/acknowledge", {"seen": 2}).status_code == 200


def test_in_a_bulk_no_red_flag_is_acknowledged_that_was_not_read(
    tool: Tool, case: Episode, foreign: Episode
) -> None:
    flag, other, theirs = red_flag(case, "Fever", "Night pain"), stall(case), stall(foreign)
    body = {"alerts": [flag.pk, theirs.pk, other.pk], "act": "acknowledge"}
    results = tool.post("alerts/bulk", body).json()
    assert [(row["id"], row["done"]) for row in results] == [
        (str(flag.pk), False),
        (str(theirs.pk), False),
        (str(other.pk), True),
    ]
    assert "has been read" in results[0]["detail"]
    assert results[1]["detail"] == "Not found."
    half = tool.post("alerts/bulk", {**body, "alerts": [flag.pk], "seen": {str(flag.pk): 1}}).json()
    assert half[0]["done"] is False
    flag.refresh_from_db()
    assert flag.acknowledged_at is None
    whole = tool.post("alerts/bulk", {**body, "alerts": [flag.pk], "seen": {str(flag.pk): 2}}).json()
    assert whole == [{"id": str(flag.pk), "done": True, "detail": ""}]
    theirs.refresh_from_db()
    assert theirs.acknowledged_at is None


def test_in_a_bulk_alerts_are_handed_over_with_their_cases(
    tool: Tool, case: Episode, colleague: User
) -> None:
    alerts = [stall(case).pk, red_flag(case, "Fever").pk]
    body = {"alerts": alerts, "act": "hand_over", "to": colleague.pk, "why": "Away"}
    assert [row["done"] for row in tool.post("alerts/bulk", body).json()] == [True, True]
    assert Episode.objects.get().clinician == colleague


def test_in_a_bulk_no_red_flag_is_resolved_or_snoozed(tool: Tool, case: Episode) -> None:
    flag, other = red_flag(case, "Fever"), stall(case)
    until = (TODAY + WEEK).isoformat()
    for act in ({"act": "snooze", "until": until}, {"act": "resolve", "came_of": "contacted"}):
        done = [
            row["done"] for row in tool.post("alerts/bulk", {"alerts": [flag.pk, other.pk], **act}).json()
        ]
        assert done == [False, True], act
    flag.refresh_from_db()
    assert flag.state == "open"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"act": "snooze"}, "until"),
        ({"act": "acknowledge", "until": "2026-03-09"}, "until"),
        ({"act": "resolve", "outcome": "Settled"}, "came_of"),
        ({"act": "hand_over"}, "to"),
        ({"act": "acknowledge", "seen": {"x": 1}}, "seen"),
    ],
)
def test_an_act_takes_its_own_fields_alone(
    tool: Tool, case: Episode, body: dict[str, object], field: str
) -> None:
    response = tool.post("alerts/bulk", {"alerts": [stall(case).pk], **body})
    assert (response.status_code, fields_of(response)) == (400, [field])
    assert Alert.objects.get().state == "open"


def test_the_track_is_corrected_before_a_program_and_switched_with_a_reason_after(
    tool: Tool, case: Episode
) -> None:
    Episode.objects.update(running_track="stopped")
    path = f"cases/{case.pk}"
    done = tool.patch(path, {"running_track": "still_running"}, headers=tool.etag(path))
    assert done.status_code == 200, done.content
    make_program(case, ladder_step=2)
    refused = tool.patch(path, {"running_track": "stopped", "both_knees": True}, headers=tool.etag(path))
    assert (refused.status_code, fields_of(refused)) == (400, ["running_track"])
    kept = Episode.objects.get()
    assert (kept.running_track, kept.both_knees) == ("still_running", False)
    same = tool.patch(path, {"running_track": "still_running", "both_knees": True}, headers=tool.etag(path))
    assert same.status_code == 200
