"""The drawings on the pages of exercises and programs; an exercise of the clinic's own has none."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from programs.models import Dose, Exercise, ProgramDose
from tests.factories import make_case, make_exercise, make_program, make_template

pytestmark = pytest.mark.django_db

DRAWN = "/static/programs/drawings/step-down.svg"
QUERIES = 13
STILL = f'<source media="(prefers-reduced-motion: reduce)" srcset="{DRAWN}#still">'


@pytest.fixture
def step_down(db: Any) -> Exercise:
    return make_exercise(slug="step-down", name="Step-down")


def page(staff: Any, name: str, row: Any) -> str:
    answer = staff.client(staff.physio).get(reverse(f"admin:programs_{name}_change", args=[row.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_of_an_exercise_shows_its_drawing_large(staff: Any, step_down: Exercise) -> None:
    shown = page(staff, "exercise", step_down)
    assert f'<img class="kc-drawing kc-large" src="{DRAWN}" alt="How to do it: Step-down"' in shown
    assert STILL in shown


def test_an_exercise_of_the_clinics_own_has_none_whatever_its_name(staff: Any) -> None:
    own = make_exercise(slug="step-down", name="Step-down", clinic=staff.clinic)
    shown = page(staff, "exercise", own)
    assert "kc-drawing" not in shown
    assert "field-picture" not in shown
    new = staff.client(staff.physio).get(reverse("admin:programs_exercise_add"))
    assert "field-picture" not in new.content.decode()


def test_the_page_of_a_template_shows_each_drawing(staff: Any, step_down: Exercise) -> None:
    template = make_template(stages=1)
    Dose.objects.update(exercise=step_down)
    Dose.objects.create(stage=template.stages.get(), exercise=make_exercise(name="Undrawn"))
    assert page(staff, "template", template).count(f'src="{DRAWN}"') == 1


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_of_a_program_shows_each_drawing_in_as_many_queries(
    staff: Any, step_down: Exercise, rows: int, django_assert_num_queries: Any
) -> None:
    program = make_program(make_case(clinic=staff.clinic), stages=1)
    ProgramDose.objects.all().delete()
    for position in range(rows):
        ProgramDose.objects.create(
            clinic=staff.clinic, stage=program.stages.get(), exercise=step_down, position=position
        )
    client = staff.client(staff.physio)
    address = reverse("admin:programs_program_change", args=[program.pk])
    client.get(address)  # what is read once a process
    with django_assert_num_queries(QUERIES):
        shown = client.get(address).content.decode()
    assert shown.count(f'src="{DRAWN}"') == rows


def test_the_patients_page_shows_the_drawing_beside_the_dose(staff: Any, step_down: Exercise) -> None:
    case = make_case(clinic=staff.clinic)
    make_program(case, stages=1)
    ProgramDose.objects.update(exercise=step_down)
    address = reverse("admin:patients_patient_change", args=[case.patient_id])
    shown = staff.client(staff.physio).get(address).content.decode()
    assert f'<img class="kc-drawing" src="{DRAWN}" alt="How to do it: Step-down"' in shown
