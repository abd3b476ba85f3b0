"""Files into the clinic's library: looked at first, and what was looked at is what is written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import reverse

from programs.models import Exercise, Template
from programs.services.library import export_template
from tests.factories import make_exercise, make_template

pytestmark = pytest.mark.django_db
PROGRAMS, EXERCISES = "admin:programs_template_import", "admin:programs_exercise_import"
MOST = 200_000


def record(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name.replace(" ", "_"), "name": name, "category": "strength", **more}


def send(client: Any, address: str, text: str, **more: Any) -> Any:
    return client.post(reverse(address), {"text": text, **more})


def look(client: Any, address: str, text: str) -> dict[str, Any]:
    """What the page with the preview sends back."""
    form = send(client, address, text).context["form"]
    return {"looked": form["looked"].value()}


def test_a_program_is_shown_before_it_is_written(staff: Any) -> None:
    text = export_template(template=make_template(name="Hops", slug="hops", stages=2))
    client = staff.client(staff.physio)
    shown = send(client, PROGRAMS, text).content.decode()
    assert "<h2>Hops</h2>" in shown
    assert "yours is the same, and is used" in shown
    assert not Template.objects.filter(clinic=staff.clinic).exists()
    answer = send(client, PROGRAMS, text, **look(client, PROGRAMS, text), name="Our hops")
    made = Template.objects.get(clinic=staff.clinic)
    assert (made.name, made.stages.count()) == ("Our hops", 2)
    assert answer.url == reverse("admin:programs_template_change", args=[made.pk])


def test_a_program_of_the_starter_library_comes_in_under_a_name_of_its_own(staff: Any) -> None:
    text = export_template(template=make_template(name="Hops", slug="hops"))
    client = staff.client(staff.physio)
    assert "Empty: Hops (ours)." in send(client, PROGRAMS, text).content.decode()
    send(client, PROGRAMS, text, **look(client, PROGRAMS, text))
    send(client, PROGRAMS, text, **look(client, PROGRAMS, text))
    names = Template.objects.filter(clinic=staff.clinic).order_by("pk").values_list("name", flat=True)
    assert [*names] == ["Hops (ours)", "Hops (ours) 2"]


def test_a_text_that_was_changed_after_the_preview_is_shown_again(staff: Any) -> None:
    text = export_template(template=make_template(name="Hops", slug="hops"))
    client = staff.client(staff.physio)
    looked = look(client, PROGRAMS, text)
    other = send(client, PROGRAMS, text.replace("name: Hops", "name: Jumps", 1), **looked)
    assert "<h2>Jumps</h2>" in other.content.decode()
    assert not Template.objects.filter(clinic=staff.clinic).exists()
    assert send(client, PROGRAMS, text.replace("\n", "\r\n"), **looked).status_code == 302


def test_an_exercise_that_differs_is_asked_about_and_a_clash_too(staff: Any) -> None:
    ours = make_template(clinic=staff.clinic, name="Hops", slug="hops", stages=1)
    slug = ours.stages.get().doses.get().exercise.slug
    text = export_template(template=ours).replace("kind: strength", "kind: stretch")
    client = staff.client(staff.physio)
    first = send(client, PROGRAMS, text).content.decode()
    assert "differs: kind" in first
    assert "Replace our Hops" in first
    assert "This field is required" not in first
    looked = look(client, PROGRAMS, text)
    assert "This field is required" in send(client, PROGRAMS, text, **looked).content.decode()
    choice = {f"choice-{slug}": "copy"}
    assert "another name, or replace it" in send(client, PROGRAMS, text, **looked, **choice).content.decode()
    assert Template.objects.filter(clinic=staff.clinic).count() == 1
    assert send(client, PROGRAMS, text, **looked, **choice, replace_ours="on").status_code == 302
    ours.refresh_from_db()
    assert ours.version == 2


@pytest.mark.parametrize(
    ("address", "text", "said"),
    [
        (PROGRAMS, "a: &a [x]\nb: *a\n", "Line 2: aliases"),
        (
            PROGRAMS,
            "format: knee-clinic-template/1\ntemplate:\n  slug: x\n",
            "Line 3, template.name: is miss",
        ),
        (EXERCISES, "{", "Line 1: is no JSON"),
        (
            EXERCISES,
            json.dumps([record("A"), record("B", primaryMuscles="x")]),
            "Record 2 (B).primaryMuscles",
        ),
        (EXERCISES, json.dumps([record("A")] * 501), "At most 500 records"),
        (EXERCISES, "x" * (MOST + 1), "Too much at once"),
    ],
)
def test_a_mistake_names_its_place(staff: Any, address: str, text: str, said: str) -> None:
    answer = send(staff.client(staff.physio), address, text)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Exercise.objects.filter(clinic=staff.clinic).exists()


def test_only_the_ticked_exercises_are_added(staff: Any) -> None:
    make_exercise(slug="wall-sit", name="Wall sit")
    text = json.dumps([record("Hop", primaryMuscles=["calves"]), record("Jump"), record("Wall sit")])
    client = staff.client(staff.physio)
    shown = send(client, EXERCISES, text).content.decode()
    assert shown.count(" checked>") == 2
    assert 'data-name="Hop" data-muscle="calves" data-category="strength"' in shown
    assert "Your library has it already." in shown
    looked = look(client, EXERCISES, text)
    assert "Tick at least one exercise." in send(client, EXERCISES, text, **looked).content.decode()
    assert not Exercise.objects.filter(clinic=staff.clinic).exists()
    assert send(client, EXERCISES, text, **looked, take=["jump"]).status_code == 302
    assert [each.name for each in Exercise.objects.filter(clinic=staff.clinic)] == ["Jump"]


def test_as_much_as_the_service_takes_passes(staff: Any) -> None:
    rows = [record(f"Exercise {n:03}") for n in range(500)]
    spare = MOST - len(json.dumps(rows)) - len(rows) * len(', "instructions": [""]')
    for row in rows:
        row["instructions"] = ["x" * (spare // len(rows) - 1)]
    text = json.dumps(rows)
    assert MOST - 2000 < len(text) <= MOST
    client = staff.client(staff.physio)
    taken = [f"exercise-{n:03}" for n in range(500)]
    answer = send(client, EXERCISES, text, **look(client, EXERCISES, text), take=taken)
    assert answer.status_code == 302
    assert Exercise.objects.filter(clinic=staff.clinic).count() == 500


@pytest.mark.parametrize("address", [PROGRAMS, EXERCISES])
def test_who_does_not_treat_imports_nothing(staff: Any, address: str) -> None:
    client = staff.client(staff.assistant)
    assert client.get(reverse(address)).status_code == 403
    assert send(client, address, json.dumps([record("Hop")])).status_code == 403
