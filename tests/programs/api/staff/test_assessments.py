"""Assessments over the API: whole intakes, refusals by path, confirmed values, signing, red flags."""

from __future__ import annotations

import pytest

from patients.models import Addendum, Assessment, Episode
from programs.models import Alert, Program
from programs.rules.red_flags import Symptom
from tests.api import Tool, fields_of, problem_of
from tests.factories import make_assessment, make_case

FEVER = Symptom.HOT_KNEE.value
INTAKE = {
    "kind": "intake",
    "locations": ["retropatellar"],
    "worst_pain": 6,
    "pain_squat": True,
    "body_mass_kg": 70,
    "strength_tests": [
        {
            "muscle_group": "hip_abductors",
            "side": side,
            "method": "handheld_dynamometer",
            "value": value,
            "unit": "N",
        }
        for side, value in (("left", 80), ("right", 120))
    ],
    "aggravating_activities": [{"activity": "Stairs", "pain": 5, "ability": 4}],
}


def record(tool: Tool, case: Episode, **more: object) -> dict[str, object]:
    response = tool.post("assessments", {"case": case.pk, "values": INTAKE, **more})
    assert response.status_code == 201, response.content
    found: dict[str, object] = response.json()
    return found


def test_an_intake_comes_back_with_what_its_values_amount_to(tool: Tool, case: Episode) -> None:
    made = record(tool, case)
    assert (made["case"], made["assessed_on"], made["signed_at"]) == (case.pk, "2026-03-02", None)
    assert made["values"]["worst_pain"] == 6.0  # type: ignore[index]
    texts = [f"{row['of']}: {row['text']}" for row in made["derived"]]  # type: ignore[attr-defined]
    assert any("66" in text or "67" in text for text in texts), texts
    assert tool.get(f"assessments/{made['id']}").json() == made
    assert [row["id"] for row in tool.get(f"assessments?case={case.pk}&kind=intake").json()["results"]] == [
        made["id"]
    ]


def test_what_can_t_be_is_refused_by_its_path_and_nothing_is_stored(tool: Tool, case: Episode) -> None:
    values = {**INTAKE, "cadence_spm": 20, "foot_postures": [{"side": "left", "fpi6": 40}], "shoe": 1}
    refused = tool.post("assessments", {"case": case.pk, "values": values})
    assert refused.status_code == 400
    assert set(fields_of(refused)) == {"values.cadence_spm", "values.foot_postures.0.fpi6", "values.shoe"}
    future = tool.post("assessments", {"case": case.pk, "values": {"assessed_on": "2999-01-01"}})
    assert (future.status_code, fields_of(future)) == (400, ["values.assessed_on"])
    assert not Assessment.objects.exists()


def test_what_is_unusual_is_stored_once_it_is_confirmed(tool: Tool, case: Episode) -> None:
    odd = {**INTAKE, "body_mass_kg": 180}
    asked = tool.post("assessments", {"case": case.pk, "values": odd})
    [error] = problem_of(asked)["errors"]
    assert (asked.status_code, error["field"], error["code"]) == (400, "values.body_mass_kg", "unusual")
    confirmed = [error["detail"].split('"')[1]]
    assert (
        tool.post("assessments", {"case": case.pk, "values": odd, "confirmed": confirmed}).status_code == 201
    )


def test_an_edit_is_of_one_version_and_a_signed_one_is_only_corrected(
    tool: Tool, physio, case: Episode
) -> None:  # type: ignore[no-untyped-def]
    path, second = f"assessments/{record(tool, case)['id']}", Tool(physio)
    read = second.etag(path)
    changed = tool.patch(path, {"values": {"worst_pain": 7}}, headers=tool.etag(path))
    assert (changed.status_code, changed.json()["values"]["worst_pain"]) == (200, 7.0)
    assert len(changed.json()["values"]["strength_tests"]) == 2
    assert second.patch(path, {"values": {"worst_pain": 1}}, headers=read).status_code == 412
    assert second.post(f"{path}/sign", headers=read).status_code == 412
    assert tool.post(f"{path}/sign").status_code == 428
    assert tool.post(f"{path}/sign", headers=tool.etag(path)).json()["signed_by"] == physio.pk
    late = tool.patch(path, {"values": {"worst_pain": 1}}, headers=tool.etag(path))
    assert (late.status_code, fields_of(late)) == (400, ["assessment"])
    assert Assessment.objects.get().worst_pain == 7
    added = tool.post(f"{path}/addenda", {"text": "Left, not right."})
    assert (added.status_code, Addendum.objects.get().text) == (201, "Left, not right.")


def test_a_red_flag_holds_the_program_and_opens_an_alert(tool: Tool, program: Program) -> None:
    record(tool, program.episode, values={**INTAKE, "red_flags": [FEVER]})
    assert Alert.objects.get().kind == "red_flag"
    assert program.holds.filter(cleared_at=None).exists()


def test_suggestions_rank_the_library_or_say_refer(tool: Tool, case: Episode) -> None:
    found = tool.get(f"assessments/{record(tool, case)['id']}/suggestions").json()
    assert found["refer"] is None
    flagged = record(tool, make_case(case.clinic), values={**INTAKE, "red_flags": [FEVER]})
    assert tool.get(f"assessments/{flagged['id']}/suggestions").json()["refer"]


@pytest.mark.parametrize(
    "body", [{}, {"values": {}}, {"case": 0, "values": {}}, {"case": 1}, {"case": 1, "values": []}]
)
def test_a_body_without_case_or_values_is_refused(tool: Tool, case: Episode, body: dict[str, object]) -> None:
    assert tool.post("assessments", body).status_code == 400


def test_an_assessment_of_strangers_is_not_there(tool: Tool, foreign: Episode) -> None:
    theirs = make_assessment(foreign)
    assert tool.get(f"assessments/{theirs.pk}").status_code == 404
    refused = tool.post("assessments", {"case": foreign.pk, "values": INTAKE})
    assert (refused.status_code, fields_of(refused)) == (400, ["case"])
