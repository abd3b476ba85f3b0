"""Rows that tests start from: plain functions, each with the least that is needed."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from clinic.models import Clinic, ClinicPolicy, Membership, User
from clinic.roles import Role
from patients.models import Assessment, Episode, Patient, StrengthTest
from programs.models import Dose, Exercise, Program, ProgramDose, ProgramStage, Stage, Template

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning."""
TODAY = NOW.date()

_number = itertools.count(1)


def make_clinic(
    *, overrides: dict[str, Any] | None = None, own_cases_only: bool = False, **fields: Any
) -> Clinic:
    number = next(_number)
    values = {"slug": f"clinic-{number}", "name": f"Clinic {number}", "phone": "+31 20 555 0100", **fields}
    clinic = Clinic.objects.create(**values)
    ClinicPolicy.objects.create(clinic=clinic, overrides=overrides or {}, own_cases_only=own_cases_only)
    return clinic


def make_user(
    email: str = "",
    role: Role | None = Role.PHYSIO,
    clinic: Clinic | None = None,
    password: str = "",
    **fields: Any,
) -> User:
    """A member of staff; with ``role=None`` or no clinic, a user without a membership."""
    number = next(_number)
    values = {"name": f"Physio {number}", "is_staff": role is not None, **fields}
    user = User.objects.create_user(email or f"user{number}@example.org", password or None, **values)
    if role is not None and clinic is not None:
        Membership.objects.create(clinic=clinic, user=user, role=role, arrived_at=NOW)
    return user


def make_operator(**fields: Any) -> User:
    return make_user(role=None, is_staff=True, is_operator=True, **fields)


def make_patient(clinic: Clinic | None = None, **fields: Any) -> Patient:
    number = next(_number)
    values = {
        "given_name": "Robin",
        "family_name": f"Runner{number}",
        "email": f"patient{number}@example.org",
        "timezone": "Europe/Amsterdam",
        **fields,
    }
    return Patient.objects.create(clinic=clinic or make_clinic(), **values)


def make_case(
    clinic: Clinic | None = None,
    *,
    clinician: User | None = None,
    patient: Patient | None = None,
    **fields: Any,
) -> Episode:
    clinic = clinic or (patient.clinic if patient else make_clinic())
    clinician = clinician or make_user(clinic=clinic)
    values = {
        "case_number": f"C{next(_number):04}",
        "index_side": "left",
        "diagnosis": "pfp",
        "opened_on": TODAY,
        **fields,
    }
    return Episode.objects.create(
        clinic=clinic, patient=patient or make_patient(clinic), clinician=clinician, **values
    )


def make_assessment(episode: Episode, **fields: Any) -> Assessment:
    values = {"assessed_on": TODAY, "worst_pain": Decimal("6.0"), "locations": ["retropatellar"], **fields}
    return Assessment.objects.create(
        clinic=episode.clinic, episode=episode, assessed_by=episode.clinician, **values
    )


def add_strength(assessment: Assessment, *, left: int, right: int, **fields: Any) -> None:
    """A strength test of each side, in newtons; of the hip abductors where ``fields`` do not say else."""
    values = {"muscle_group": "hip_abductors", "method": "handheld_dynamometer", "unit": "N", **fields}
    for side, newtons in (("left", left), ("right", right)):
        StrengthTest.objects.create(
            clinic=assessment.clinic, assessment=assessment, side=side, value=Decimal(newtons), **values
        )


def make_exercise(**fields: Any) -> Exercise:
    number = next(_number)
    values = {"slug": f"exercise-{number}", "name": f"Exercise {number}", "kind": "strength", **fields}
    return Exercise.objects.create(**values)


def make_template(*, stages: int = 2, clinic: Clinic | None = None, **fields: Any) -> Template:
    """A template with one dosed exercise a stage."""
    number = next(_number)
    values = {"slug": f"template-{number}", "name": f"Template {number}", "diagnoses": ["pfp"], **fields}
    template = Template.objects.create(clinic=clinic, **values)
    for index in range(1, stages + 1):
        stage = Stage.objects.create(template=template, number=index, name=f"Stage {index}", min_days=7)
        Dose.objects.create(stage=stage, exercise=make_exercise(), sets=3, reps_low=10)
    return template


def make_program(episode: Episode | None = None, *, stages: int = 2, **fields: Any) -> Program:
    """An active program of a case, with one exercise a stage."""
    episode = episode or make_case()
    values = {"name": "Runner's knee", "started_on": TODAY, "stage_started_on": TODAY, **fields}
    program = Program.objects.create(
        clinic=episode.clinic, episode=episode, assigned_by=episode.clinician, **values
    )
    for index in range(1, stages + 1):
        stage = ProgramStage.objects.create(
            clinic=episode.clinic, program=program, number=index, name=f"Stage {index}", min_days=7
        )
        ProgramDose.objects.create(
            clinic=episode.clinic, stage=stage, exercise=make_exercise(), sets=3, reps_low=10
        )
    return program
