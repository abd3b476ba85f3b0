"""Drafts of assessments by the API: the same as those of the admin's form, of the same author."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.models import User
from patients.models import Assessment, AssessmentDraft, Episode
from programs.models import Alert
from programs.rules.red_flags import Symptom
from programs.services import assessment_drafts
from tests.api import Tool, fields_of
from tests.enforced import enforced
from tests.factories import make_user
from tests.programs.admin.intake.filling import FULL, form, opened
from tests.programs.services.assessing import record
from tests.staff import sign_in

FEVER = Symptom.HOT_KNEE.value
TYPED: dict[str, Any] = {
    "kind": "intake",
    "worst_pain": 6.5,
    "notes": "Sore on stairs",
    "locations": ["retropatellar"],
    "strength_tests": [
        {
            "muscle_group": "hip_abductors",
            "side": "left",
            "method": "handheld_dynamometer",
            "value": 80,
            "unit": "N",
            "position": "side-lying",
        }
    ],
    "q_angles": [{"side": "left", "degrees": 17, "position": "supine", "quadriceps": "relaxed"}],
    "outcome_scores": [{"measure": "akps", "items": {"limp": 5}}],
}
STAR = {"If-Match": "*"}


@pytest.fixture
def staff(physio: User) -> Client:
    client = Client()
    sign_in(client, physio)
    return client


def test_what_is_typed_is_kept_read_and_thrown_away(tool: Tool, case: Episode, physio: User) -> None:
    path = f"cases/{case.pk}/draft"
    with enforced():
        assert tool.get(path).json()["values"] is None
        kept = tool.put(path, {"values": TYPED}, headers=tool.etag(path))
        assert kept.status_code == 200, kept.content
        assert kept.json() == tool.get(path).json()
        assert kept.json()["values"] == TYPED
        assert (kept.json()["base"], kept.json()["version"]) == (0, 0)
        [row] = tool.get(f"cases/{case.pk}/drafts").json()["results"]
        assert (row["author"], row["assessment"], "values" in row) == (physio.pk, None, False)
        gone = tool.put(path, {"values": None}, headers=tool.etag(path))
    assert (gone.status_code, gone.json()["values"]) == (200, None)
    assert not AssessmentDraft.objects.exists()
    assert not Assessment.objects.exists()


def test_of_two_devices_of_one_author_the_second_is_told(tool: Tool, physio: User, case: Episode) -> None:
    path, second = f"cases/{case.pk}/draft", Tool(physio)
    read = second.etag(path)
    assert tool.put(path, {"values": {"worst_pain": 6}}).status_code == 428
    done = tool.put(path, {"values": {"worst_pain": 6}}, headers=read)
    late = second.put(path, {"values": {"worst_pain": 1}}, headers=read)
    assert (done.status_code, late.status_code, late["ETag"]) == (200, 412, done["ETag"])
    assert tool.get(path).json()["values"] == {"worst_pain": 6.0}


def test_a_draft_is_its_author_s_alone_and_a_red_flag_in_it_is_everybody_s(
    tool: Tool, case: Episode, assistant: Tool, foreign: Episode
) -> None:
    colleague, path = Tool(make_user(clinic=case.clinic)), f"cases/{case.pk}/draft"
    with enforced():
        kept = tool.put(path, {"values": {"red_flags": [FEVER]}}, headers=STAR)
        assert (kept.status_code, kept.json()["red_flags"]) == (200, [FEVER])
        assert colleague.get(path).json()["values"] is None
        [row] = colleague.get(f"cases/{case.pk}/drafts").json()["results"]
        assert row["red_flags"] == [FEVER]
        for denied in (assistant.get(path), assistant.put(path, {"values": {}}, headers=STAR)):
            assert denied.status_code == 403
        assert assistant.get(f"cases/{case.pk}/drafts").status_code == 403
        theirs = f"cases/{foreign.pk}/draft"
        assert tool.put(theirs, {"values": {}}, headers=STAR).status_code == 404
    assert AssessmentDraft.objects.count() == 1
    assert not Alert.objects.exists()


def test_a_draft_says_when_somebody_has_saved_since(tool: Tool, case: Episode) -> None:
    assessment = record(case)
    path = f"assessments/{assessment.pk}"
    version = tool.get(path).json()["version"]
    first = tool.put(f"{path}/draft", {"values": {"worst_pain": 8}}, headers=STAR).json()
    assert (first["base"], first["version"]) == (version, version)
    colleague = Tool(make_user(clinic=case.clinic))
    colleague.patch(path, {"values": {"notes": "Mine"}}, headers=STAR)
    now = tool.put(f"{path}/draft", {"values": {"worst_pain": 9}}, headers=STAR).json()
    assert (now["base"], now["version"]) == (version, version + 1)
    read = tool.put(f"{path}/draft", {"values": {"worst_pain": 9}, "base": version + 1}, headers=STAR).json()
    assert read["base"] == version + 1
    ahead = tool.put(f"{path}/draft", {"values": {}, "base": version + 2}, headers=STAR)
    assert (ahead.status_code, fields_of(ahead)) == (400, ["base"])


def test_a_draft_is_gone_with_what_it_became_and_only_then(tool: Tool, case: Episode) -> None:
    path = f"cases/{case.pk}/draft"
    tool.put(path, {"values": TYPED}, headers=STAR)
    whole = {"case": case.pk, "values": {**TYPED, "outcome_scores": []}}
    refused = tool.post("assessments", {**whole, "values": TYPED, "from_draft": True})
    assert refused.status_code == 400
    assert tool.post("assessments", whole).status_code == 201
    assert AssessmentDraft.objects.count() == 1
    made = tool.post("assessments", {**whole, "from_draft": True})
    assert made.status_code == 201, made.content
    assert not AssessmentDraft.objects.exists()


def test_a_signed_assessment_and_a_closed_case_take_no_draft(tool: Tool, case: Episode) -> None:
    assessment = record(case)
    tool.post(f"assessments/{assessment.pk}/sign", headers=STAR)
    refused = tool.put(f"assessments/{assessment.pk}/draft", {"values": {}}, headers=STAR)
    assert (refused.status_code, fields_of(refused)) == (400, ["assessment"])
    Episode.objects.update(closed_on=case.opened_on, outcome="recovered")
    closed = tool.put(f"cases/{case.pk}/draft", {"values": {}}, headers=STAR)
    assert (closed.status_code, fields_of(closed)) == (400, ["episode"])
    assert not AssessmentDraft.objects.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"worst_pain": "sore"}, "values.worst_pain"),
        ({"moon": 1}, "values.moon"),
        ({"outcome_scores": [{"measure": "akps", "items": {"\ud800": 1}}]}, "values.outcome_scores.0.items"),
        ({"outcome_scores": [{"measure": "akps", "items": {"limp": 5.5}}]}, "values.outcome_scores.0.items"),
        ({"outcome_scores": [{"measure": "groc"}]}, "values.outcome_scores.0.value"),
        ({"outcome_scores": [{"measure": "groc", "items": {"groc": "x"}}]}, "values.outcome_scores.0.items"),
        ({"red_flags": [FEVER, "calf_swelling_typo"]}, "values.red_flags"),
        ({"strength_tests": [{"side": "left"}]}, None),
    ],
)
def test_what_no_assessment_could_hold_is_no_draft(
    tool: Tool, case: Episode, values: dict[str, Any], field: str | None
) -> None:
    checked = tool.post("assessments/check", {"case": case.pk, "values": values})
    refused = tool.put(f"cases/{case.pk}/draft", {"values": values}, headers=STAR)
    assert (checked.status_code, refused.status_code) == (400, 400)
    assert field is None or fields_of(checked) == fields_of(refused) == [field]
    assert not AssessmentDraft.objects.exists()


def test_what_a_tool_kept_stands_in_the_form_of_the_admin(tool: Tool, case: Episode, staff: Client) -> None:
    tool.put(f"cases/{case.pk}/draft", {"values": TYPED}, headers=STAR)
    page = staff.get(reverse("admin:patients_assessment_add"), {"episode": case.pk}).context["form"]
    shown = {name: page.data.getlist(name) for name in page.data}
    expected = {
        "worst_pain": ["6.5"],
        "notes": ["Sore on stairs"],
        "s0-left": ["80"],
        "s-position": ["side-lying"],
        "q0-left": ["17"],
        "o-akps-limp": ["5"],
    }
    assert {name: shown.get(name) for name in expected} == expected


@pytest.mark.parametrize("measure", ["groc", "lefs"])
def test_a_score_without_a_value_that_was_kept_before_is_an_empty_field(
    case: Episode, physio: User, staff: Client, measure: str
) -> None:
    assessment_drafts.keep_draft(
        episode=case,
        assessment=None,
        base=0,
        content={},
        red_flags=[],
        by=physio,
        now=timezone.now(),
        values={"outcome_scores": [{"measure": measure}]},
    )
    page = staff.get(reverse("admin:patients_assessment_add"), {"episode": case.pk})
    assert page.status_code == 200
    assert not [name for name in page.context["form"].data if name.startswith("o-")]


@pytest.mark.parametrize("kept_by_the_form", [False, True])
def test_scores_of_another_day_in_a_tool_s_draft_are_saved_with_the_form(
    tool: Tool, case: Episode, staff: Client, kept_by_the_form: bool
) -> None:
    before = case.opened_on.isoformat()
    score = {"measure": "lefs", "value": 60, "taken_on": before}
    tool.put(f"cases/{case.pk}/draft", {"values": {**TYPED, "outcome_scores": [score]}}, headers=STAR)
    address = reverse("admin:patients_assessment_add")
    if kept_by_the_form:
        typed = opened(staff, f"{address}?episode={case.pk}")
        kept = staff.post(reverse("admin:patients_assessment_draft", args=[case.pk]), typed)
        assert kept.status_code == 204
        [row] = tool.get(f"cases/{case.pk}/draft").json()["values"]["outcome_scores"]
        assert (row["measure"], row["value"]) == ("lefs", 60)

    saved = staff.post(address, opened(staff, f"{address}?episode={case.pk}"))

    assert saved.status_code == 302
    [stored] = Assessment.objects.get().outcome_scores.all()
    assert (stored.measure, stored.value, stored.taken_on) == ("lefs", 60, case.opened_on)


def test_a_score_of_another_day_stays_however_often_it_is_saved_and_a_forged_one_is_none(
    tool: Tool, case: Episode, staff: Client
) -> None:
    assessment = record(case)
    score = {"measure": "lefs", "value": 60, "taken_on": case.opened_on.isoformat()}
    tool.put(f"assessments/{assessment.pk}/draft", {"values": {"outcome_scores": [score]}}, headers=STAR)
    address = reverse("admin:patients_assessment_change", args=[assessment.pk])
    held = opened(staff, address)
    assert staff.post(address, held).status_code == 302
    assert "lefs" in assessment.outcome_scores.values_list("measure", flat=True)
    stored = assessment.outcome_scores.count()
    again = opened(staff, address) | {"kept": '{"outcome_scores": [1]}'}
    assert staff.post(address, again).status_code == 302
    assert assessment.outcome_scores.count() == stored


def test_of_an_assessment_the_form_shows_it_with_the_tool_s_changes(
    tool: Tool, case: Episode, staff: Client
) -> None:
    assessment = record(case)
    tool.put(f"assessments/{assessment.pk}/draft", {"values": {"notes": "Typed"}}, headers=STAR)
    stored = tool.get(f"assessments/{assessment.pk}").json()["values"]
    page = staff.get(reverse("admin:patients_assessment_change", args=[assessment.pk])).context["form"]
    assert page.data.getlist("notes") == ["Typed"]
    assert float(page.data.getlist("worst_pain")[0]) == stored["worst_pain"]


def test_the_form_says_who_has_saved_since_the_tool_s_draft(tool: Tool, case: Episode, staff: Client) -> None:
    assessment = record(case)
    tool.put(f"assessments/{assessment.pk}/draft", {"values": {"notes": "Typed"}}, headers=STAR)
    colleague = Tool(make_user(clinic=case.clinic, name="Kim Vos"))
    colleague.patch(f"assessments/{assessment.pk}", {"values": {"sleep_hours": 6}}, headers=STAR)
    address = reverse("admin:patients_assessment_change", args=[assessment.pk])
    page = staff.get(address)
    assert [save.by for save in page.context["changed"]] == ["Kim Vos"]
    assert page.context["form"].data.getlist("notes") == ["Typed"]
    assert page.context["form"].data.getlist("sleep_hours") == ["6"]


def test_what_the_form_of_the_admin_kept_is_read_by_a_tool(tool: Tool, case: Episode, staff: Client) -> None:
    kept = staff.post(reverse("admin:patients_assessment_draft", args=[case.pk]), form(case, **FULL))
    assert kept.status_code == 204
    with enforced():
        found = tool.get(f"cases/{case.pk}/draft").json()["values"]
    assert (found["worst_pain"], found["load_changes"]) == (6.5, ["hills"])
    assert {row["value"] for row in found["strength_tests"]} == {118.0, 162.0}


def test_values_are_judged_before_they_are_saved(tool: Tool, case: Episode) -> None:
    odd = {**TYPED, "body_mass_kg": 180, "red_flags": [FEVER]}
    with enforced():
        found = tool.post("assessments/check", {"case": case.pk, "values": odd})
    assert found.status_code == 200, found.content
    told = found.json()
    assert [row["field"] for row in told["refused"]] == ["values.outcome_scores.0.items"]
    assert [row["field"] for row in told["unusual"]] == ["values.body_mass_kg"]
    assert told["red_flags"] == [FEVER]
    assert any(row["of"].startswith("Hip abductors") for row in told["derived"])
    assert not Assessment.objects.exists()


def test_the_scores_of_an_assessment_are_not_in_their_own_way(tool: Tool, case: Episode) -> None:
    values = {"kind": "intake", "outcome_scores": [{"measure": "akps", "value": 70}]}
    made = tool.post("assessments", {"case": case.pk, "values": values}).json()
    whole = {"case": case.pk, "values": {"notes": "More"}}
    alone = tool.post("assessments/check", {**whole, "values": values}).json()
    assert [row["field"] for row in alone["refused"]] == ["values.outcome_scores.0.value"]
    assert tool.post("assessments/check", {**whole, "assessment": made["id"]}).json()["refused"] == []


def test_a_colleague_raises_the_red_flag_of_a_draft_once(
    tool: Tool, case: Episode, assistant: Tool, physio: User
) -> None:
    path = f"cases/{case.pk}/draft"
    tool.put(path, {"values": {"red_flags": [FEVER]}}, headers=STAR)
    colleague = Tool(make_user(clinic=case.clinic))
    [row] = colleague.get(f"cases/{case.pk}/drafts").json()["results"]
    raising = f"assessments/drafts/{row['id']}/raise"

    assert assistant.post(raising).status_code == 403
    assert not Alert.objects.exists()
    with enforced():
        raised = colleague.post(raising)
    assert (raised.status_code, raised.json()["kind"], raised.json()["case"]) == (200, "red_flag", case.pk)
    again = colleague.post(raising)
    assert (again.status_code, fields_of(again)) == (400, ["draft"])
    assert Alert.objects.get().evidence[0]["code"] == FEVER
