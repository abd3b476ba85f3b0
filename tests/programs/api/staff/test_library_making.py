"""New exercises and programs of the clinic's own, from nothing or from a file, by the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import Clinic, StaffToken
from patients.models import Episode
from programs.models import Exercise, Program, Template, TemplateVersion
from tests.api import Tool, fields_of
from tests.enforced import enforced
from tests.factories import NOW, make_exercise, make_template

EXERCISE = {
    "name": "Clamshell with a band",
    "kind": "strength",
    "muscle_groups": ["hip_abductors"],
    "tags": ["deep_knee_flexion"],
    "cues": ["Feet together"],
    "equipment": "A band",
    "per_side": True,
    "easier": "plank",
    "source": "Willy 2019",
}
HOP = [{"id": "Hop_On_Box", "name": "Hop on a box", "category": "plyometrics", "primaryMuscles": ["calves"]}]
SKI = {"id": "Ski", "name": "Ski", "category": "cardio"}


def template(exercise: Exercise, **more: Any) -> dict[str, Any]:
    dose = {"exercise": exercise.pk, "sets": 3, "reps_low": 8, "reps_high": 10, "note": "Slow"}
    return {
        "name": "Hips first",
        "summary": "From the hip down.",
        "diagnoses": ["pfp"],
        "drivers": {"hip_weakness": 3},
        "strength_per_week": 2,
        "stages": [
            {"name": "Settle", "goal": "Calm", "min_days": 5, "max_weeks": 2, "doses": [dose]},
            {"name": "Run", "is_running": True},
        ],
        **more,
    }


@pytest.fixture
def plank(db: None) -> Exercise:
    return make_exercise(slug="plank", name="Plank")


def test_an_exercise_from_nothing_is_the_clinic_s_own(tool: Tool, own: Clinic, plank: Exercise) -> None:
    with enforced():
        made = tool.post("exercises", EXERCISE)
        assert made.status_code == 201, made.content
        assert {name: made.json()[name] for name in EXERCISE} == EXERCISE
        assert tool.get(f"exercises/{made.json()['id']}").json() == made.json()
    row = Exercise.objects.get(pk=made.json()["id"])
    assert (row.clinic, row.slug, row.version) == (own, "clamshell-with-a-band", 1)
    assert made.json()["own"] is True


def test_a_program_from_nothing_has_its_stages_and_can_be_assigned(
    tool: Tool, own: Clinic, case: Episode, plank: Exercise
) -> None:
    with enforced():
        made = tool.post("templates", template(plank))
        assert made.status_code == 201, made.content
        found = made.json()
        assert tool.get(f"templates/{found['id']}").json() == found
        assert [(s["number"], s["name"], s["min_days"], s["max_weeks"]) for s in found["stages"]] == [
            (1, "Settle", 5, 2),
            (2, "Run", 7, None),
        ]
        [dose] = found["stages"][0]["doses"]
        assert (dose["exercise"], dose["text"], dose["times_per_week"]) == (plank.pk, "3 x 8-10", 3)
        sent = tool.post("programs", {"case": case.pk, "template": found["id"]})
        assert sent.status_code == 201, sent.content
    row = Template.objects.get(pk=found["id"])
    assert (row.clinic, row.slug, row.version, row.drivers) == (own, "hips-first", 1, {"hip_weakness": 3})
    assert Program.objects.get().name == "Hips first"


def test_other_stages_are_a_version_more_and_patients_keep_what_they_have(
    tool: Tool, case: Episode, plank: Exercise
) -> None:
    made = tool.post("templates", template(plank)).json()
    tool.post("programs", {"case": case.pk, "template": made["id"]})
    path = f"templates/{made['id']}"
    stages = [{"name": "Only", "doses": [{"exercise": plank.pk, "seconds_low": 30, "times_per_week": 7}]}]
    with enforced():
        done = tool.patch(path, {"stages": stages}, headers=tool.etag(path))
        assert done.status_code == 200, done.content
        assert done.json() == tool.get(path).json()
        assert ([s["name"] for s in done.json()["stages"]], done.json()["version"]) == (["Only"], 2)
        same = tool.patch(path, {"stages": stages}, headers=tool.etag(path)).json()
    assert same["version"] == 2
    assert [stage["name"] for stage in TemplateVersion.objects.get().content["stages"]] == ["Settle", "Run"]
    assert Program.objects.get().stages.count() == 2


def test_a_retry_makes_no_twin_and_a_name_is_taken_once(tool: Tool, plank: Exercise) -> None:
    bodies = {"exercises": EXERCISE, "templates": template(plank)}
    for resource, body in bodies.items():
        key = {"Idempotency-Key": f"{resource}-1"}
        first, again = (tool.post(resource, body, headers=key) for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 200), first.content
        assert first.json() == again.json()
        twin = tool.post(resource, body)
        assert (twin.status_code, fields_of(twin)) == (400, ["name"])
    assert (Exercise.objects.exclude(clinic=None).count(), Template.objects.count()) == (1, 1)


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("exercises", {"name": "?!"}, "name"),
    ("exercises", {"easier": "nothing-like-it"}, "easier"),
    ("exercises", {"easier": "clamshell-with-a-band"}, "easier"),
    ("exercises", {"kind": "dance"}, "kind"),
    ("exercises", {"slug": "mine"}, "slug"),
    ("templates", {"name": "--"}, "name"),
    ("templates", {"diagnoses": []}, "diagnoses"),
    ("templates", {"drivers": {"moon": 1}}, "drivers"),
    ("templates", {"stages": []}, "stages"),
    ("templates", {"stages": [{"goal": "No name"}]}, "stages.0.name"),
    ("templates", {"stages": [{"name": "One", "doses": [{"exercise": 99999}]}]}, "stages.0.doses.0.exercise"),
    ("templates", {"stages": [{"name": "One", "min_days": -1}]}, "stages.0.min_days"),
    ("templates", {"is_active": None}, "is_active"),
]


@pytest.mark.parametrize(("resource", "wrong", "field"), WRONG)
def test_what_can_t_be_is_named_and_nothing_is_made(
    tool: Tool, plank: Exercise, resource: str, wrong: dict[str, Any], field: str
) -> None:
    whole = EXERCISE if resource == "exercises" else template(plank)
    refused = tool.post(resource, {**whole, **wrong})
    assert (refused.status_code, fields_of(refused)) == (400, [field])
    assert not Template.objects.exists()
    assert Exercise.objects.get() == plank


def test_a_dose_upside_down_and_a_stranger_s_exercise_are_named_by_their_place(
    tool: Tool, plank: Exercise, foreign: Episode
) -> None:
    theirs = make_exercise(clinic=foreign.clinic)
    doses = [{"exercise": plank.pk, "reps_low": 10, "reps_high": 8}, {"exercise": theirs.pk}]
    whole = template(plank, stages=[{"name": "One"}, {"name": "Two", "doses": doses}])
    with enforced():
        refused = tool.post("templates", whole)
    assert refused.status_code == 400
    assert set(fields_of(refused)) == {"stages.1.doses.0.reps_high", "stages.1.doses.1.exercise"}
    assert not Template.objects.exists()


def test_a_new_program_takes_as_many_statements_for_one_exercise_as_for_three(
    tool: Tool, plank: Exercise
) -> None:
    counts = []
    for number in (1, 3):
        doses = [{"exercise": make_exercise().pk} for _ in range(number)]
        whole = template(plank, name=f"Of {number}", stages=[{"name": "One", "doses": doses}])
        StaffToken.objects.update(last_used_at=NOW)
        with CaptureQueriesContext(connection) as found:
            assert tool.post("templates", whole).status_code == 201
        counts.append(sum("SAVEPOINT" not in query["sql"] for query in found))
    assert counts == [13, 13]


def test_exercises_of_the_public_database_are_looked_at_then_added(tool: Tool, own: Clinic) -> None:
    text = json.dumps([*HOP, SKI])
    with enforced():
        looked = tool.post("exercises/import/preview", {"text": text})
        assert looked.status_code == 200, looked.content
        assert [(row["slug"], bool(row["skipped"])) for row in looked.json()] == [
            ("hop-on-box", False),
            ("", True),
        ]
        assert not Exercise.objects.exists()
        done = tool.post("exercises/import", {"text": text})
        assert (done.status_code, done.json()) == (200, looked.json())
        again = tool.post("exercises/import", {"text": text}).json()
        assert again[0]["skipped"] == "Your library has it already."
        none = tool.post("exercises/import", {"text": json.dumps(SKI), "chosen": ["hop-on-box"]})
        assert (none.status_code, none.json()) == (200, [])
    row = Exercise.objects.get()
    assert (row.clinic, row.kind, row.muscle_groups) == (own, "plyometric", ["calf"])


@pytest.mark.parametrize(
    "address", ["exercises/import", "exercises/import/preview", "templates/import/preview"]
)
@pytest.mark.parametrize("text", ["{", "[1]", "", "x" * 60_001])
def test_a_text_that_is_no_such_file_is_refused(tool: Tool, address: str, text: str) -> None:
    refused = tool.post(address, {"text": text})
    assert (refused.status_code, fields_of(refused)) == (400, ["text"])
    assert not Exercise.objects.exists()


def test_a_program_of_a_file_is_looked_at_before_it_is_added(tool: Tool, own: Clinic) -> None:
    ours = make_template(clinic=own, slug="hip-led", name="Hip-led", stages=1)
    text = tool.get(f"templates/{ours.pk}/yaml").content.decode()
    with enforced():
        looked = tool.post("templates/import/preview", {"text": text.replace("reps_low: 10", "reps_low: 9")})
    assert looked.status_code == 200, looked.content
    assert (looked.json()["name"], looked.json()["yours"]) == ("Hip-led", ours.pk)
    assert [row["is_new"] for row in looked.json()["exercises"]] == [False]
    assert Template.objects.count() == 1


def test_an_assistant_and_a_token_that_reads_add_nothing(
    assistant: Tool, physio: Any, plank: Exercise
) -> None:
    reader = Tool(physio, writes=False)
    for who in (assistant, reader):
        assert who.post("exercises", EXERCISE).status_code == 403
        assert who.post("templates", template(plank)).status_code == 403
        assert who.post("exercises/import", {"text": json.dumps(HOP)}).status_code == 403
    assert reader.post("exercises/import/preview", {"text": json.dumps(HOP)}).status_code == 200
    assert assistant.post("exercises/import/preview", {"text": json.dumps(HOP)}).status_code == 403
    assert (Exercise.objects.count(), Template.objects.count()) == (1, 0)
