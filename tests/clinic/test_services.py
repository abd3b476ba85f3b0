"""Staff and policy, beside what the admin's tests show."""

from __future__ import annotations

import pytest
from django.db import transaction

from clinic.roles import Role
from clinic.services import change_member
from patients.models import Patient
from tests.connections import from_another_connection
from tests.factories import make_clinic, make_patient, make_user


@pytest.mark.django_db(transaction=True)
def test_the_clinic_goes_on_while_a_member_is_changed() -> None:
    clinic = make_clinic()
    owner = make_user(role=Role.OWNER, clinic=clinic)
    member = make_user(clinic=clinic).memberships.get()

    with transaction.atomic():
        change_member(
            membership=member,
            by=owner,
            role=Role.ASSISTANT,
            is_active=True,
            cover=None,
            digest_weekday=None,
            digest_time=None,
        )
        from_another_connection(lambda: make_patient(clinic))

    assert Patient.objects.get().clinic == clinic
