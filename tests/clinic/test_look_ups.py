"""What may be asked before a tenant is known: by one exact secret or id, through functions, no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from knox.crypto import hash_token as digest_of

from clinic.models import User
from clinic.row_security import NOBODY, acting_for
from patients.models import Patient
from patients.services import device_of
from tests.api import log_in
from tests.enforced import enforced
from tests.factories import make_clinic, make_patient, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    patient = make_patient(make_clinic())
    log_in(patient)
    return patient


def asked(question: str, *values: Any) -> list[tuple[Any, ...]]:
    """The answer to somebody who has shown nothing yet."""
    with enforced(), acting_for(NOBODY), connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {question}", values)
        return cursor.fetchall()


def test_each_function_that_sees_past_the_policies_is_pinned_and_for_the_application_only() -> None:
    """Those that a trigger calls can't be called at all; what they see is pinned all the same."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT proname, pg_get_userbyid(proowner), proconfig,
                prorettype <> 'trigger'::regtype AND EXISTS (
                    SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0
                ),
                has_function_privilege(current_user, oid, 'EXECUTE')
            FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace
            """
        )
        functions = {name: tuple(rest) for name, *rest in cursor.fetchall()}
        cursor.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'clinic_clinic'")
        (owner,) = cursor.fetchone()
    expected = (owner, ["search_path=public, pg_temp"], False, True)
    assert {name for name, told in functions.items() if told != expected} == set()
    assert functions.keys() >= {
        *("login_by_id", "login_by_email", "clinics_of_staff", "clinics_with_login"),
        *("device_by_digest", "invitation_by_hash"),
    }


@pytest.mark.parametrize("address", ["", "%", "patient%", "PATIENT", "@example.org"])
def test_part_of_an_address_finds_no_login(patient: Patient, address: str) -> None:
    assert asked("login_by_email(%s)", address) == []
    assert asked("clinics_with_login(%s)", address) == []
    assert len(asked("login_by_email(%s)", patient.email.upper())) == 1


def test_part_of_a_secret_opens_nothing() -> None:
    patient = make_patient()
    token = log_in(patient)
    assert device_of(token=token, now=timezone.now()) is not None
    digest = digest_of(token)
    for secret in (token, digest[:-1], digest[:15], "%", "", digest.upper()):
        assert asked("device_by_digest(%s, %s)", secret, timezone.now()) == []
        assert asked("invitation_by_hash(%s, %s)", secret, timezone.now()) == []
    assert len(asked("device_by_digest(%s, %s)", digest, timezone.now())) == 1
    assert asked("device_by_digest(%s, %s)", digest, timezone.now() + timedelta(days=400)) == []


def test_a_token_of_a_login_that_the_record_no_longer_has_opens_nothing(patient: Patient) -> None:
    token = log_in(patient)
    Patient.objects.filter(pk=patient.pk).update(user=make_user(role=None))
    assert device_of(token=token, now=timezone.now()) is None


@pytest.mark.parametrize("gone", ["user", "membership", "clinic", None])
def test_who_works_nowhere_any_more_is_told_no_clinic(gone: str | None) -> None:
    clinic = make_clinic()
    user = make_user(clinic=clinic)
    row = {"user": user, "membership": user.memberships.get(), "clinic": clinic, None: None}[gone]
    if row is not None:
        row.is_active = False
        row.save()
    assert asked("clinics_of_staff(%s)", user.pk) == [([clinic.pk] if gone is None else [],)]


def test_whose_session_it_is_and_where_they_work_is_one_statement(django_assert_num_queries: Any) -> None:
    clinics = [make_clinic() for _ in range(3)]
    user = make_user(clinic=clinics[0])
    for clinic in clinics[1:]:
        user.memberships.create(clinic=clinic, role="physio")
    with enforced(), acting_for(NOBODY), django_assert_num_queries(1):
        found = User.objects.of_session(user.pk)
        assert found is not None
        assert found.tenant.clinics == tuple(clinic.pk for clinic in clinics)
