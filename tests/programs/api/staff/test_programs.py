"""A program over the API: prepared, adjusted, checked, sent; moved, paused and resumed."""

from __future__ import annotations

from datetime import timedelta

from patients.models import Episode, StrengthTest
from programs.models import Exercise, Program
from tests.api import Tool, fields_of
from tests.factories import TODAY, make_assessment, make_exercise, make_template


def test_a_program_is_prepared_adjusted_and_sent(tool: Tool, case: Episode) -> None:
    template, more = make_template(stages=2), make_exercise(name="Clamshell")
    draft = tool.post("programs/prepare", {"case": case.pk, "template": template.pk}).json()
    path = f"programs/{draft['id']}"
    assert (draft["is_draft"], Program.objects.exists()) == (True, False)
    dose = draft["stages"][0]["doses"][0]["id"]
    assert tool.patch(f"{path}/doses/{dose}", {"sets": 5}).status_code == 428
    changed = tool.patch(
        f"{path}/doses/{dose}", {"sets": 5, "is_active": False}, headers=tool.etag(path)
    ).json()
    assert (changed["stages"][0]["doses"][0]["sets"], changed["stages"][0]["doses"][0]["is_active"]) == (
        5,
        False,
    )
    added = tool.post(f"{path}/doses", {"stage": 1, "exercise": more.pk}).json()
    assert added["stages"][0]["doses"][-1]["exercise"] == more.pk
    assert tool.post(f"{path}/stage", {"to_stage": 2}).status_code == 404  # it is not sent yet
    assert tool.post(f"{path}/send", {}).json()["started_on"] == TODAY.isoformat()
    assert [row["id"] for row in tool.get(f"programs?case={case.pk}&active=true").json()["results"]] == [
        draft["id"]
    ]
    assert (template.stages.first().doses.first().sets, template.stages.first().doses.count()) == (3, 1)


def test_a_measured_deficit_without_exercise_or_reason_can_t_be_sent(tool: Tool, case: Episode) -> None:
    assessment = make_assessment(case)
    for side, value in (("left", 80), ("right", 120)):
        StrengthTest.objects.create(
            clinic=case.clinic,
            assessment=assessment,
            muscle_group="hip_abductors",
            side=side,
            method="handheld_dynamometer",
            value=value,
            unit="N",
        )
    draft = tool.post("programs/prepare", {"case": case.pk, "template": make_template().pk}).json()
    path = f"programs/{draft['id']}"
    [row] = tool.get(f"{path}/coverage").json()
    assert (row["group"], row["is_open"]) == ("hip_abductors", True)
    refused = tool.post(f"{path}/send", {})
    assert (refused.status_code, fields_of(refused)) == (400, ["reason_hip_abductors"])
    [row] = tool.post(f"{path}/coverage", {"reasons": {"hip_abductors": "Sore after surgery."}}).json()
    assert row["is_open"] is False
    assert tool.post(f"{path}/send", {}).status_code == 200


def test_a_discarded_draft_is_gone_and_a_sent_one_stays(tool: Tool, case: Episode, program: Program) -> None:
    draft = tool.post("programs/prepare", {"case": case.pk, "template": make_template().pk}).json()
    assert tool.post(f"programs/{draft['id']}/discard").status_code == 204
    assert tool.get(f"programs/{draft['id']}").status_code == 404
    assert tool.post(f"programs/{program.pk}/discard").status_code == 400
    assert Program.objects.get() == program


def test_a_stage_needs_its_gate_or_a_reason(tool: Tool, program: Program) -> None:
    path = f"programs/{program.pk}"
    unmet = tool.get(f"{path}/gate").json()["unmet"]
    refused = tool.post(f"{path}/stage", {"to_stage": 2})
    assert (bool(unmet), refused.status_code, fields_of(refused)) == (True, 400, ["override_reason"])
    moved = tool.post(f"{path}/stage", {"to_stage": 2, "override_reason": "Ready"}).json()
    assert (moved["current_stage"], moved["stage_moves"][0]["unmet"]) == (2, unmet)


def test_it_is_paused_and_resumed(tool: Tool, program: Program) -> None:
    path, back = f"programs/{program.pk}", TODAY + timedelta(days=7)
    assert tool.post(f"{path}/pause", {"kind": "holiday"}).json()["pauses"][0]["ends_on"] is None
    twice = tool.post(f"{path}/pause", {"kind": "illness"})
    assert (twice.status_code, fields_of(twice)) == (400, ["starts_on"])
    assert (
        tool.post(f"{path}/resume", {"on": back.isoformat()}).json()["pauses"][0]["ends_on"]
        == back.isoformat()
    )


def test_a_starter_program_is_copied_and_goes_out_and_in_as_yaml(tool: Tool) -> None:
    template = make_template(name="Hip-led")
    copy = tool.post(f"templates/{template.pk}/copy", {}).json()
    assert (copy["own"], len(copy["stages"])) == (True, 2)
    text = tool.get(f"templates/{copy['id']}/yaml").content.decode()
    taken = tool.post("templates/import", {"text": text})
    assert taken.status_code == 400
    again = tool.post("templates/import", {"text": text, "name": "Another"})
    assert (again.status_code, again.json()["name"]) == (201, "Another")
    broken = tool.post("templates/import", {"text": "program: ["})
    assert (broken.status_code, fields_of(broken)) == (400, ["text"])
    assert not Exercise.objects.exclude(clinic=None).exists()
