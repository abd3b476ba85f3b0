"""The clinic's own exercises and programs, edited by the API; the starter library stays as it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import Clinic, StaffToken
from patients.models import Episode
from programs.models import Clip, Exercise, Program, Template, TemplateVersion
from tests.api import Tool, bare, fields_of
from tests.enforced import enforced
from tests.factories import NOW, make_exercise, make_template

FILM = "https://films.example.org/clamshell"


@pytest.fixture
def exercise(own: Clinic) -> Exercise:
    return make_exercise(clinic=own, slug="clamshell", name="Clamshell")


@pytest.fixture
def template(own: Clinic) -> Template:
    return make_template(clinic=own, slug="hip-led", name="Hip-led")


def test_an_exercise_takes_each_field_and_has_a_version_more(tool: Tool, exercise: Exercise) -> None:
    make_exercise(slug="plank", name="Plank")
    path, values = (
        f"exercises/{exercise.pk}",
        {
            "name": "Clamshell with a band",
            "kind": "isometric",
            "muscle_groups": ["hip_abductors", "hip_external_rotators"],
            "tags": ["deep_knee_flexion"],
            "cues": ["Feet together", "Slowly"],
            "equipment": "A band",
            "per_side": True,
            "easier": "plank",
            "harder": "",
            "source": "Willy 2019",
        },
    )
    with enforced():
        done = tool.patch(path, values, headers=tool.etag(path))
        assert done.status_code == 200, done.content
        assert done.json() == tool.get(path).json()
        assert {name: done.json()[name] for name in values} == values
        assert (done.json()["version"], done.json()["slug"]) == (2, "clamshell")
        same = tool.patch(path, values, headers=tool.etag(path))
        assert (same.status_code, same.json()["version"]) == (200, 2)


def test_a_template_s_head_changes_and_what_it_held_is_kept(
    tool: Tool, template: Template, own: Clinic
) -> None:
    path, values = (
        f"templates/{template.pk}",
        {
            "name": "Hips first",
            "summary": "From the hip down.",
            "diagnoses": ["pfp", "itb_syndrome"],
            "drivers": {"hip_weakness": 3, "training_load": 1},
            "strength_per_week": 2,
            "quadriceps_only": True,
            "deep_flexion": True,
            "maintenance": True,
        },
    )
    with enforced():
        done = tool.patch(path, values, headers=tool.etag(path))
        assert done.status_code == 200, done.content
        assert done.json() == tool.get(path).json()
    assert {name: done.json()[name] for name in values} == values
    assert (done.json()["version"], len(done.json()["stages"])) == (2, template.stages.count())
    former = TemplateVersion.objects.get()
    assert (former.number, former.content["name"]) == (1, "Hip-led")


def test_whether_a_template_is_offered_is_no_part_of_its_content(tool: Tool, template: Template) -> None:
    path = f"templates/{template.pk}"
    done = tool.patch(path, {"is_active": False}, headers=tool.etag(path)).json()
    assert (done["is_active"], done["version"]) == (False, 1)
    assert not Template.objects.get(pk=template.pk).is_active
    assert not TemplateVersion.objects.exists()


def test_a_program_under_way_stays_as_it_was_made(tool: Tool, case: Episode, template: Template) -> None:
    sent = tool.post("programs", {"case": case.pk, "template": template.pk})
    assert sent.status_code == 201, sent.content
    path = f"templates/{template.pk}"
    done = tool.patch(path, {"name": "Other", "strength_per_week": 1}, headers=tool.etag(path))
    assert done.status_code == 200
    kept = Program.objects.get()
    assert (kept.name, kept.template_version) == ("Hip-led", 1)
    assert kept.strength_per_week == 3


def test_a_link_to_a_film_is_set_shown_and_taken_away(tool: Tool, own: Clinic) -> None:
    starter = make_exercise(slug="plank", name="Plank")
    path = f"exercises/{starter.pk}/clip"
    with enforced():
        assert tool.get(path).json() == {"url": ""}
        first = tool.etag(path)
        assert tool.put(path, {"url": FILM}, headers=first).json() == {"url": FILM}
        assert tool.get(path).json() == {"url": FILM}
        assert tool.put(path, {"url": f"{FILM}/2"}, headers=first).status_code == 412
        assert tool.put(path, {"url": ""}).status_code == 428
        assert tool.get(path).json() == {"url": FILM}
        assert tool.put(path, {"url": ""}, headers=tool.etag(path)).json() == {"url": ""}
    assert not Clip.objects.exists()


def test_an_edit_takes_as_many_statements_for_one_stage_as_for_three(tool: Tool, own: Clinic) -> None:
    assert [edit_of_template(tool, own, stages) for stages in (1, 3)] == [28, 28]


def edit_of_template(tool: Tool, own: Clinic, stages: int) -> int:
    """How many statements it takes, savepoints aside."""
    path = f"templates/{make_template(clinic=own, stages=stages).pk}"
    etag = tool.etag(path)
    StaffToken.objects.update(last_used_at=NOW)
    with CaptureQueriesContext(connection) as found:
        assert tool.patch(path, {"name": "Changed"}, headers=etag).status_code == 200
    return sum("SAVEPOINT" not in query["sql"] for query in found)


EDITS: dict[str, tuple[Callable[..., Exercise | Template], dict[str, object]]] = {
    "exercises": (make_exercise, {"name": "Changed"}),
    "templates": (make_template, {"name": "Changed"}),
}


@pytest.mark.parametrize("resource", EDITS)
def test_an_edit_names_its_version_and_the_late_one_is_told(tool: Tool, own: Clinic, resource: str) -> None:
    make, change = EDITS[resource]
    row = make(clinic=own)
    path = f"{resource}/{row.pk}"
    assert tool.patch(path, change).status_code == 428
    read = tool.etag(path)
    done = tool.patch(path, change, headers=read)
    late = tool.patch(path, {"name": "Late"}, headers=read)
    assert (done.status_code, late.status_code, late["ETag"]) == (200, 412, done["ETag"])
    row.refresh_from_db()
    assert (row.name, row.version) == ("Changed", 2)


@pytest.mark.parametrize("resource", EDITS)
def test_only_the_clinic_s_own_is_edited_and_by_who_treats(
    tool: Tool, assistant: Tool, own: Clinic, foreign: Episode, resource: str
) -> None:
    make, change = EDITS[resource]
    starter, theirs, ours = make(), make(clinic=foreign.clinic), make(clinic=own)
    names = {row.pk: row.name for row in (starter, theirs, ours)}
    star = {"If-Match": "*"}
    with enforced():
        assert tool.patch(f"{resource}/{starter.pk}", change, headers=star).status_code == 403
        found = tool.patch(f"{resource}/{theirs.pk}", change, headers=star)
        none = tool.patch(f"{resource}/0", change, headers=star)
        assert (found.status_code, bare(found)) == (404, bare(none))
        assert assistant.patch(f"{resource}/{ours.pk}", change, headers=star).status_code == 403
    rows = type(ours).objects.filter(pk__in=names)
    assert dict(rows.values_list("pk", "name")) == names
    assert set(rows.values_list("version", flat=True)) == {1}


def test_no_film_is_linked_to_a_stranger_s_exercise_or_by_an_assistant(
    tool: Tool, assistant: Tool, exercise: Exercise, foreign: Episode
) -> None:
    theirs, star = make_exercise(clinic=foreign.clinic), {"If-Match": "*"}
    Clip.objects.create(clinic=foreign.clinic, exercise=theirs, url=FILM)
    with enforced():
        assert tool.get(f"exercises/{theirs.pk}/clip").status_code == 404
        assert tool.put(f"exercises/{theirs.pk}/clip", {"url": ""}, headers=star).status_code == 404
        assert assistant.put(f"exercises/{exercise.pk}/clip", {"url": FILM}, headers=star).status_code == 403
    assert Clip.objects.get().url == FILM


@pytest.mark.parametrize(
    ("resource", "wrong", "field"),
    [
        ("exercises", {"name": ""}, "name"),
        ("exercises", {"kind": "dance"}, "kind"),
        ("exercises", {"muscle_groups": ["ears"]}, "muscle_groups.0"),
        ("exercises", {"cues": ["x" * 301]}, "cues.0"),
        ("exercises", {"easier": "nothing-like-it"}, "easier"),
        ("exercises", {"harder": "clamshell"}, "harder"),
        ("exercises", {"slug": "other"}, "slug"),
        ("templates", {"diagnoses": []}, "diagnoses"),
        ("templates", {"diagnoses": ["flu"]}, "diagnoses.0"),
        ("templates", {"drivers": {"moon": 1}}, "drivers"),
        ("templates", {"drivers": {"training_load": 4}}, "drivers.training_load"),
        ("templates", {"strength_per_week": 0}, "strength_per_week"),
        ("templates", {"stages": []}, "stages"),
    ],
)
def test_what_is_not_valid_is_refused_by_name_and_nothing_changes(
    tool: Tool, exercise: Exercise, template: Template, resource: str, wrong: dict[str, object], field: str
) -> None:
    row = exercise if resource == "exercises" else template
    path = f"{resource}/{row.pk}"
    before = tool.get(path).json()
    valid = {"source": "Mine"} if resource == "exercises" else {"summary": "Mine"}
    refused = tool.patch(path, {**valid, **wrong}, headers=tool.etag(path))
    assert (refused.status_code, fields_of(refused)) == (400, [field])
    assert tool.get(path).json() == before


@pytest.mark.parametrize("url", ["http://films.example.org/1", "films", "https://10.0.0.1/x", "x" * 501])
def test_a_link_that_a_phone_can_t_follow_is_refused(tool: Tool, exercise: Exercise, url: str) -> None:
    path = f"exercises/{exercise.pk}/clip"
    refused = tool.put(path, {"url": url}, headers=tool.etag(path))
    assert (refused.status_code, fields_of(refused)) == (400, ["url"])
    assert not Clip.objects.exists()
