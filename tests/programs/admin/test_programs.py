"""A program is edited for one person; the library is read by all and changed by its owner."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from programs.models import Exercise, Program, ProgramDose, Template
from tests.factories import make_case, make_exercise, make_program, make_template

pytestmark = pytest.mark.django_db


def form(program: Program, **changes: Any) -> dict[str, Any]:
    """The program's page as the browser would post it back."""
    return {"name": program.name, "strength_per_week": 3, "check_in_time": "", **changes}


def page_of(program: Program) -> str:
    return reverse("admin:programs_program_change", args=[program.pk])


def test_stages_and_exercises_are_shown_and_changed_on_the_page_to_adjust_alone(staff: Any) -> None:
    program = make_program(make_case(staff.clinic, clinician=staff.physio))
    ProgramDose.objects.update(tempo="slow", note="or to a chair")
    before = list(ProgramDose.objects.order_by("pk").values())
    client = staff.client(staff.physio)
    changes = {
        "stages-0-doses-0-sets": 5,
        "stages-0-doses-0-exercise": make_exercise().pk,
        "stages-0-name": "Other",
        "stages-0-is_running": "on",
    }

    page = client.get(page_of(program)).content.decode()
    answer = client.post(page_of(program), form(program) | changes)

    assert answer.status_code == 302
    assert list(ProgramDose.objects.order_by("pk").values()) == before
    assert not program.stages.filter(is_running=True).exists()
    assert ProgramDose.objects.all()[0].exercise.name in page
    assert reverse("admin:adjust", args=[program.pk]) in page
    assert ">slow; or to a chair<" in page
    assert 'name="stages-0' not in page


@pytest.mark.parametrize(("per_week", "due"), [(3, False), (2, True)])
def test_another_frequency_is_judged_by_at_the_next_sweep(staff: Any, per_week: int, due: bool) -> None:
    later = timezone.localdate() + timedelta(days=2)
    program = make_program(make_case(staff.clinic, clinician=staff.physio), next_review_on=later)

    staff.client(staff.physio).post(page_of(program), form(program, name="Hers", strength_per_week=per_week))

    program.refresh_from_db()
    assert (program.name, program.strength_per_week) == ("Hers", per_week)
    assert program.next_review_on == (None if due else later)


def test_other_check_in_days_move_the_next_question(staff: Any) -> None:
    program = make_program(make_case(staff.clinic, clinician=staff.physio))

    staff.client(staff.physio).post(
        page_of(program), form(program, check_in_weekdays=["7"], check_in_time="08:00")
    )

    program.refresh_from_db()
    assert program.check_in_weekdays == [7]
    assert program.next_check_in_at is not None
    assert program.next_check_in_at.isoweekday() == 7


def test_an_ended_program_is_read_only(staff: Any) -> None:
    program = make_program(make_case(staff.clinic, clinician=staff.physio))
    Program.objects.update(ended_on=program.started_on)

    answer = staff.client(staff.physio).post(page_of(program), form(program, name="Changed"))

    assert answer.status_code == 403
    assert Program.objects.get().name == program.name


def test_neither_an_assistant_nor_another_clinic_edits_a_program(staff: Any, stranger: Any) -> None:
    program = make_program(make_case(staff.clinic, clinician=staff.physio))
    data = form(program, name="Changed")

    assert staff.client(staff.assistant).post(page_of(program), data).status_code == 403
    assert stranger.client(stranger.owner).post(page_of(program), data).status_code == 404
    assert Program.objects.get().name == program.name


def test_the_starter_library_is_read_and_not_written(staff: Any) -> None:
    template = make_template(name="Starter one")
    client = staff.client(staff.physio)
    url = reverse("admin:programs_template_change", args=[template.pk])

    assert "Starter one" in client.get(url).content.decode()
    assert client.post(url, {"name": "Changed"}).status_code == 403
    assert Template.objects.get().name == "Starter one"


def test_an_own_exercise_gets_its_clinic_and_slug_once(staff: Any) -> None:
    client = staff.client(staff.physio)
    data = {
        "name": "Wall sit, deep",
        "kind": "isometric",
        "muscle_groups": ["quadriceps"],
        "cues": "Back flat\nSlow",
    }
    url = reverse("admin:programs_exercise_add")

    assert client.post(url, data).status_code == 302
    exercise = Exercise.objects.get()
    assert (exercise.clinic, exercise.slug, exercise.cues) == (
        staff.clinic,
        "wall-sit-deep",
        ["Back flat", "Slow"],
    )

    assert "already has this name" in client.post(url, data).content.decode()
    assert Exercise.objects.count() == 1


def test_an_own_template_keeps_what_it_targets(staff: Any) -> None:
    exercise = make_exercise()
    data = {
        "name": "Hip first",
        "diagnoses": ["pfp"],
        "strength_per_week": 3,
        "is_active": "on",
        "driver_hip_weakness": "3",
        "driver_footwear": "",
        "stages-TOTAL_FORMS": 1,
        "stages-INITIAL_FORMS": 0,
        "stages-0-number": 1,
        "stages-0-name": "Settle",
        "stages-0-min_days": 7,
        "stages-0-doses-TOTAL_FORMS": 1,
        "stages-0-doses-INITIAL_FORMS": 0,
        "stages-0-doses-0-exercise": exercise.pk,
        "stages-0-doses-0-sets": 3,
        "stages-0-doses-0-times_per_week": 3,
    }

    answer = staff.client(staff.owner).post(reverse("admin:programs_template_add"), data)

    assert answer.status_code == 302, answer.context["errors"]
    template = Template.objects.get()
    assert (template.clinic, template.drivers) == (staff.clinic, {"hip_weakness": 3})
    assert template.stages.get().doses.get().exercise == exercise


def test_another_emphasis_of_an_own_template_is_kept(staff: Any) -> None:
    template = make_template(clinic=staff.clinic, stages=0, drivers={"hip_weakness": 1})
    data = {
        "name": template.name,
        "diagnoses": ["pfp"],
        "strength_per_week": 3,
        "is_active": "on",
        "driver_hip_weakness": "3",
        "stages-TOTAL_FORMS": 0,
        "stages-INITIAL_FORMS": 0,
    }

    page = reverse("admin:programs_template_change", args=[template.pk])
    answer = staff.client(staff.owner).post(page, data)

    assert answer.status_code == 302, answer.context["errors"]
    assert Template.objects.get().drivers == {"hip_weakness": 3}


def test_without_the_policies_another_clinics_exercise_is_not_offered(
    staff: Any, stranger: Any, everything: None
) -> None:
    make_exercise(clinic=staff.clinic, name="Own hop")
    make_exercise(clinic=stranger.clinic, name="Their secret hop")
    client = staff.client(staff.physio)

    for name in ("programs_template_add", "programs_exercise_add"):
        html = client.get(reverse(f"admin:{name}")).content.decode()
        assert "Own hop" in html
        assert "Their secret hop" not in html


def test_another_clinics_library_is_not_seen(staff: Any, stranger: Any) -> None:
    make_template(clinic=stranger.clinic, name="Their secret")

    html = staff.client(staff.physio).get(reverse("admin:programs_template_changelist")).content.decode()

    assert "Their secret" not in html
