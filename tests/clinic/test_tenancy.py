"""Which rows a person sees: those of their clinics, or only their own cases where policy says so."""

import pytest

from clinic.models import Clinic, Membership
from clinic.roles import Role
from patients.models import Episode, Patient
from programs.models import Answer, Exercise, Program
from tests.factories import (
    make_case,
    make_clinic,
    make_exercise,
    make_operator,
    make_patient,
    make_program,
    make_user,
)

pytestmark = pytest.mark.django_db


def test_staff_see_the_rows_of_their_own_clinic_only():
    case, foreign = make_case(), make_case()
    program, _ = make_program(case), make_program(foreign)
    assert list(Episode.objects.scoped(case.clinician)) == [case]
    assert list(Patient.objects.scoped(case.clinician)) == [case.patient]
    assert list(Program.objects.scoped(case.clinician)) == [program]
    assert list(Clinic.objects.scoped(case.clinician)) == [case.clinic]


def test_operators_patients_and_strangers_see_no_rows():
    make_case()
    for nobody in (make_operator(), make_user(role=None)):
        assert not Episode.objects.scoped(nobody).exists()
        assert not Answer.objects.scoped(nobody).exists()


@pytest.mark.parametrize("what", ["user", "membership", "clinic"])
def test_whoever_is_disabled_sees_nothing_at_the_next_request(what):
    case = make_case()
    row = {"user": case.clinician, "membership": Membership.objects.get(), "clinic": case.clinic}[what]
    row.is_active = False
    row.save()
    user = type(case.clinician).objects.get(pk=case.clinician.pk)
    assert not Episode.objects.scoped(user).exists()


def test_own_cases_only_limits_a_physio_but_not_the_owner_or_an_assistant():
    clinic = make_clinic(own_cases_only=True)
    mine, theirs = make_case(clinic), make_case(clinic)
    assert list(Episode.objects.scoped(mine.clinician)) == [mine]
    assert list(Patient.objects.scoped(mine.clinician)) == [mine.patient]
    for role in (Role.OWNER, Role.ASSISTANT):
        other = make_user(role=role, clinic=clinic)
        assert set(Episode.objects.scoped(other)) == {mine, theirs}


def test_a_patient_with_two_own_cases_is_listed_once():
    clinic = make_clinic(own_cases_only=True)
    patient = make_patient(clinic)
    first = make_case(clinic, patient=patient)
    make_case(clinic, patient=patient, clinician=first.clinician)
    assert list(Patient.objects.scoped(first.clinician)) == [patient]


def test_the_global_library_is_everybodys_and_a_clinics_own_is_its_own():
    clinic = make_clinic()
    physio = make_user(clinic=clinic)
    shared, own = make_exercise(), make_exercise(clinic=clinic)
    make_exercise(clinic=make_clinic())
    assert set(Exercise.objects.scoped(physio)) == {shared, own}
    assert set(Exercise.objects.usable_by(clinic)) == {shared, own}
