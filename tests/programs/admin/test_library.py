"""The library in the admin: versions, copies, a file, a clip; and the clip in the patient's program."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from programs.models import Clip, Exercise, Template, TemplateVersion
from tests.api import log_in
from tests.factories import make_case, make_exercise, make_program, make_template

pytestmark = pytest.mark.django_db
CLIP = "https://video.example.org/1"


def do(name: str, row: Any) -> str:
    return reverse("admin:do", args=[name, row.pk])


def page_of(row: Any) -> str:
    return reverse(f"admin:programs_{row._meta.model_name}_change", args=[row.pk])


def saved(client: Any, template: Template, **changed: Any) -> Any:
    """The template's page, sent as it is shown but for what changed."""
    form = client.get(page_of(template)).context["adminform"].form
    data = {
        name: value
        for name in form.fields
        if (value := form.get_initial_for_field(form.fields[name], name)) not in (None, False)
    }
    data |= {"stages-TOTAL_FORMS": 0, "stages-INITIAL_FORMS": 0, **changed}
    return client.post(page_of(template), data)


def test_an_edit_is_a_version_more_and_the_page_says_who_is_on_which(staff: Any) -> None:
    template = make_template(clinic=staff.clinic)
    make_program(make_case(staff.clinic), template=template)
    client = staff.client(staff.physio)
    assert saved(client, template).status_code == 302
    assert not TemplateVersion.objects.exists()
    assert saved(client, template, name="Renamed").status_code == 302
    template.refresh_from_db()
    assert (template.name, template.version) == ("Renamed", 2)
    assert TemplateVersion.objects.get().replaced_by == staff.physio
    shown = client.get(page_of(template)).content.decode()
    assert "Your own, version 2" in shown
    assert "1 patient on version 1" in shown
    assert "Name changed" in shown
    listed = client.get(reverse("admin:programs_template_changelist")).content.decode()
    assert "1 patient on version 1" in listed


def test_a_program_says_its_templates_version_and_a_newer_one(staff: Any) -> None:
    template = make_template(clinic=staff.clinic, name="Hops")
    program = make_program(make_case(staff.clinic), template=template)
    client = staff.client(staff.physio)
    address = reverse("admin:adjust", args=[program.pk])
    link = f'<a class="kc-link" href="{page_of(template)}">Hops</a>'
    assert f"From version 1 of {link}, the newest." in client.get(address).content.decode()
    saved(client, template, summary="Changed")
    assert (
        f"From version 1 of {link}; the library is at version 2 now" in client.get(address).content.decode()
    )


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_counts_patients_in_as_many_queries(
    staff: Any, rows: int, django_assert_num_queries: Any
) -> None:
    for _ in range(rows):
        make_program(make_case(staff.clinic), template=make_template(clinic=staff.clinic))
    client = staff.client(staff.physio)
    address = reverse("admin:programs_template_changelist")
    client.get(address)
    with django_assert_num_queries(LIST_QUERIES):
        assert client.get(address).content.decode().count("1 patient on version 1") == rows


LIST_QUERIES = 8


def test_a_starter_template_is_copied_with_one_press(staff: Any) -> None:
    starter = make_template(name="Hops", slug="hops")
    client = staff.client(staff.physio)
    assert do("copy-template", starter) in client.get(page_of(starter)).content.decode()
    answer = client.post(do("copy-template", starter))
    copy = Template.objects.get(clinic=staff.clinic)
    assert answer.url == page_of(copy)
    assert "copied from version 1 of the starter library" in client.get(page_of(copy)).content.decode()


def test_an_exercise_too_and_who_does_not_treat_copies_nothing(staff: Any, stranger: Any) -> None:
    starter, foreign = make_exercise(name="Hop", slug="hop"), make_exercise(clinic=stranger.clinic)
    assert staff.client(staff.assistant).post(do("copy-exercise", starter)).status_code == 403
    assert staff.client(staff.physio).post(do("copy-exercise", foreign)).status_code == 404
    assert not Exercise.objects.filter(clinic=staff.clinic).exists()
    assert staff.client(staff.physio).post(do("copy-exercise", starter)).status_code == 302
    assert Exercise.objects.get(clinic=staff.clinic).name == "Hop (ours)"


def test_a_template_is_saved_as_a_file(staff: Any) -> None:
    template = make_template(name="Hops", slug="hops")
    answer = staff.client(staff.physio).post(do("export-template", template))
    assert answer["Content-Disposition"] == 'attachment; filename="hops.yaml"'
    assert answer.content.decode().startswith("format: knee-clinic-template/1\ntemplate:\n  name: Hops\n")


def test_a_clip_is_linked_and_a_wrong_one_refused_beside_its_field(staff: Any) -> None:
    exercise = make_exercise()
    client = staff.client(staff.physio)
    refused = client.post(do("clip", exercise), {"url": "http://example.org"})
    assert "begins with https://" in refused.content.decode()
    assert not Clip.objects.exists()
    client.post(do("clip", exercise), {"url": CLIP})
    assert (Clip.objects.get().clinic, Clip.objects.get().url) == (staff.clinic, CLIP)
    assert CLIP in client.get(do("clip", exercise)).content.decode()
    client.post(do("clip", exercise), {"url": "https://"})
    assert not Clip.objects.exists()


def test_the_patient_sees_their_own_clinics_clip(staff: Any, stranger: Any) -> None:
    case = make_case(staff.clinic)
    stage = make_program(case, stages=1).stages.get()
    exercise = stage.doses.get().exercise
    Clip.objects.create(clinic=stranger.clinic, exercise=exercise, url="https://other.example.org/")
    headers = {"Authorization": f"Token {log_in(case.patient)}"}

    def clip() -> str | None:
        program = Client().get("/api/v1/me/program", headers=headers).json()
        found: str | None = program["stage"]["exercises"][0]["exercise"]["clip"]
        return found

    assert clip() is None
    Clip.objects.create(clinic=staff.clinic, exercise=exercise, url=CLIP)
    assert clip() == CLIP


def test_a_starter_exercise_is_shown_in_words(staff: Any) -> None:
    make_exercise(slug="harder", name="Harder one")
    exercise = make_exercise(
        slug="hop",
        muscle_groups=["quadriceps", "hip_abductors"],
        cues=["Spring.", "Land <softly>."],
        harder="harder",
        per_side=True,
    )
    shown = staff.client(staff.physio).get(page_of(exercise)).content.decode()
    assert "Quadriceps, Hip abductors" in shown
    assert "<ol><li>Spring.</li><li>Land &lt;softly&gt;.</li></ol>" in shown
    assert ">Harder one</a>" in shown
    assert "Each side" in shown
    assert "hip_abductors" not in shown


def test_a_starter_template_is_shown_in_words_with_its_stages_as_a_table(staff: Any) -> None:
    template = make_template(stages=2, drivers={"training_load": 1, "hip_weakness": 3}, diagnoses=["pfp"])
    shown = staff.client(staff.physio).get(page_of(template)).content.decode()
    assert "Hip weakness (its main point), Training load (also treated)" in shown
    for stage in template.stages.prefetch_related("doses__exercise"):
        dose = stage.doses.all()[0]
        assert f"<h3>{stage}</h3>" in shown
        assert f'<th scope="row">{dose.exercise}</th><td>{dose.text}</td><td>{dose.frequency}</td>' in shown
    assert "stages-TOTAL_FORMS" not in shown
    own = staff.client(staff.physio).get(page_of(make_template(clinic=staff.clinic))).content.decode()
    assert "stages-TOTAL_FORMS" in own


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Hop", "Press", "Wall sit"]),
        ("?muscle=calf", ["Hop"]),
        ("?muscle=quadriceps&library=own", ["Press"]),
        ("?equipment=nothing", ["Hop"]),
        ("?equipment=bench", ["Press"]),
        ("?kind__exact=isometric", ["Wall sit"]),
        ("?muscle=nonsense", []),
    ],
)
def test_the_gallery_is_narrowed_down(staff: Any, query: str, names: list[str]) -> None:
    make_exercise(slug="hop", name="Hop", muscle_groups=["calf"], equipment="none")
    make_exercise(
        slug="press",
        name="Press",
        clinic=staff.clinic,
        muscle_groups=["quadriceps"],
        equipment="bench or chair, light dumbbells",
    )
    make_exercise(
        slug="wall-sit", name="Wall sit", kind="isometric", muscle_groups=["quadriceps"], equipment="wall"
    )
    answer = staff.client(staff.physio).get(reverse("admin:programs_exercise_changelist") + query)
    shown = answer.content.decode()
    assert [name for name in ("Hop", "Press", "Wall sit") if f"<strong>{name}</strong>" in shown] == names
    assert ("drawings/wall-sit.svg" in shown) == ("Wall sit" in names)
    assert "Light dumbbells" in shown
