"""docs/api.md cannot rot: its examples are run, its answers are what the server says.

``WRITE_DOCS=1`` writes the answers anew.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta

import pytest
from drf_spectacular.generators import SchemaGenerator

from clinic.models import Clinic
from clinic.roles import Role
from programs.models import Alert, Exercise
from tests.api import Tool
from tests.factories import (
    NOW,
    TODAY,
    make_case,
    make_clinic,
    make_exercise,
    make_patient,
    make_program,
    make_template,
    make_user,
)
from tests.programs.api.staff.examples import DOCUMENT, Examples, resources


@pytest.fixture
def riverside(db: None) -> Clinic:
    return make_clinic(name="Riverside Physio", slug="riverside", timezone="Europe/Amsterdam")


def test_each_example_answers_as_the_document_says(riverside: Clinic) -> None:
    owner = make_user("kim@example.org", Role.OWNER, riverside, name="Kim Vos")
    sam = make_user("sam@example.org", Role.PHYSIO, riverside, name="Sam Bakker")
    start = TODAY - timedelta(days=42)
    patient = make_patient(riverside, given_name="Robin", family_name="Runner", email="robin@example.org")
    case = make_case(riverside, patient=patient, clinician=sam, case_number="1001", opened_on=start)
    program = make_program(case, started_on=start, stage_started_on=start)
    make_exercise(slug="clamshell", name="Clamshell", muscle_groups=["hip_abductors"], cues=["Feet together"])
    template = make_template(stages=1, slug="hip-led", name="Hip-led", summary="Hips first.")
    for number, exercise in enumerate(Exercise.objects.exclude(slug="clamshell").order_by("pk")):
        Exercise.objects.filter(pk=exercise.pk).update(slug=f"squat-{number}", name=f"Squat {number}")
    alert = Alert.objects.create(
        clinic=riverside,
        episode=case,
        kind="stall",
        level="stalling",
        reason="not_doing",
        summary="6.5 at the start, 6.0 now: not doing the exercises.",
        action="Simplify the program, ask what gets in the way",
        opened_on=TODAY,
        opened_at=NOW,
    )
    known = {
        "sam": sam.pk,
        "alert": alert.pk,
        "program": program.pk,
        "template": template.pk,
        "case": case.pk,
        "exercise": Exercise.objects.get(slug="clamshell").pk,
    }
    examples = Examples(Tool(owner, name="Dashboard"), patient=patient.pk, **known)
    text = examples.written(DOCUMENT.read_text())
    if os.environ.get("WRITE_DOCS"):
        DOCUMENT.write_text(text)
    assert text == DOCUMENT.read_text()


def test_each_resource_has_an_example(db: None) -> None:
    schema = SchemaGenerator().get_schema(public=True)
    shown = set(re.findall(r"\$API/(\w+)", DOCUMENT.read_text()))
    assert set(resources(schema)) <= shown
