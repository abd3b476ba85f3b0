"""One person, one e-mail, two clinics: it works in both, and neither learns of the other."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.models import Clinic, Membership, OutboxMessage, User
from clinic.roles import Role
from clinic.secrets import decrypt
from patients.models import Patient
from patients.services import accept_invitation, issue_invitation
from tests.api import Device
from tests.factories import make_case, make_clinic, make_patient, make_user
from tests.staff import signed_in

pytestmark = pytest.mark.django_db

ADD = reverse("admin:clinic_membership_add")
EMAIL = "robin@example.org"
PASSWORD = "a first password"
NEW = {"email": EMAIL, "name": "Robin Both", "role": "physio"}


@pytest.fixture
def here() -> Clinic:
    return make_clinic(name="Here")


@pytest.fixture
def elsewhere() -> Clinic:
    return make_clinic(name="Elsewhere")


def opened_account(clinic: Clinic) -> Patient:
    """A patient of the clinic, with the e-mail, who accepted the invitation."""
    patient = make_patient(clinic, email=EMAIL, given_name=clinic.name)
    _, token = issue_invitation(patient=patient, by=make_user(clinic=clinic), now=timezone.now())
    return accept_invitation(token=token, now=timezone.now())


def code_of(patient: Patient) -> str:
    message = OutboxMessage.objects.get(kind="login_code", patient_key=patient.pk)
    assert message.secret is not None
    return decrypt(message.secret)


def add(owner: User, **change: str) -> tuple[int, int, str]:
    """What an owner who adds the person sees, and how many statements it took; without ids and tokens."""
    client = signed_in(owner)
    with CaptureQueriesContext(connection) as statements:
        response = client.post(ADD, NEW | change, follow=True)
    page = re.sub(r'csrfmiddlewaretoken" value="\w+"|membership/\d+/', "", response.content.decode())
    return response.status_code, len(statements), page


def test_a_patient_of_two_clinics_has_a_record_a_code_and_a_token_in_each(
    here: Clinic, elsewhere: Clinic
) -> None:
    patients = [opened_account(clinic) for clinic in (here, elsewhere)]
    assert patients[0].user == patients[1].user
    assert Device().post("auth/code", {"email": EMAIL}).status_code == 202

    for patient in patients:
        body = {"email": EMAIL, "code": code_of(patient), "device_name": "Phone"}
        signed_in = Device().post("auth/token", body)
        assert (signed_in.status_code, signed_in.json()["clinic"]) == (201, patient.clinic.name)
        device = Device()
        device.headers = {"Authorization": f"Token {signed_in.json()['token']}"}
        shown = device.get("me")
        assert shown.json()["patient"]["family_name"] == patient.family_name
        other = next(one for one in patients if one != patient)
        assert other.clinic.name not in shown.content.decode()
        assert other.family_name not in shown.content.decode()


def test_staff_of_two_clinics_see_both_and_their_colleagues_only_their_own(
    here: Clinic, elsewhere: Clinic
) -> None:
    both = make_user(clinic=here, name="Robin Both")
    Membership.objects.create(clinic=elsewhere, user=both, role=Role.OWNER)
    mine, theirs = make_case(here, clinician=both), make_case(elsewhere, clinician=both)
    cases = reverse("admin:patients_patient_changelist")

    seen = signed_in(both).get(cases).content.decode()
    assert mine.patient.family_name in seen
    assert theirs.patient.family_name in seen

    owner = make_user(clinic=here, role=Role.OWNER)
    seen = signed_in(owner).get(cases).content.decode()
    assert mine.patient.family_name in seen
    assert theirs.patient.family_name not in seen
    staff = signed_in(owner).get(reverse("admin:clinic_membership_changelist")).content.decode()
    assert "Robin Both" in staff
    assert "Elsewhere" not in staff


@pytest.mark.parametrize("known_as", ["patient", "staff", "patient and staff", "former staff"])
def test_an_owner_who_adds_somebody_known_elsewhere_is_told_what_a_new_one_is_told(
    here: Clinic, elsewhere: Clinic, known_as: str
) -> None:
    if "patient" in known_as:
        opened_account(elsewhere)
    if "staff" in known_as:
        user, _ = User.objects.get_or_create(email=EMAIL, defaults={"name": "Robin Both"})
        user.is_staff = True
        user.set_password("a password of old")
        user.save()
        Membership.objects.create(
            clinic=elsewhere, user=user, role=Role.PHYSIO, is_active="former" not in known_as
        )
    owner = make_user("owner@example.org", Role.OWNER, here, name="Olga")
    attempts = ({}, {"name": ""})
    known = [undone(add, owner, **change) for change in attempts]
    User.objects.filter(email=EMAIL).update(email="gone@example.org")
    new = [undone(add, owner, **change) for change in attempts]
    assert known == new
    assert "Robin Both is now physio." in known[0][2]


def undone(act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What ``act`` returns, with nothing left of what it did."""
    with transaction.atomic():
        found = act(*args, **kwargs)
        transaction.set_rollback(True)
    return found


def test_a_patient_elsewhere_who_is_added_as_staff_sees_the_new_clinic_alone(
    here: Clinic, elsewhere: Clinic
) -> None:
    patient = opened_account(elsewhere)
    add(make_user(clinic=here, role=Role.OWNER))

    person = User.objects.get(email=EMAIL)
    assert person == patient.user
    assert person.tenant.clinics == (here.pk,)
    page = signed_in(person).get(reverse("admin:patients_patient_changelist"))
    assert page.status_code == 200
    assert patient.family_name not in page.content.decode()


def test_a_clinic_invites_as_a_patient_who_is_staff_elsewhere(here: Clinic, elsewhere: Clinic) -> None:
    physio = make_user(EMAIL, clinic=elsewhere, name="Dr Robin", password=PASSWORD)
    patient = opened_account(here)
    physio.refresh_from_db()
    assert patient.user == physio
    assert (physio.name, physio.check_password(PASSWORD)) == ("Dr Robin", True)
    owner = make_user(clinic=here, role=Role.OWNER)
    page: Any = signed_in(owner).get(reverse("admin:patients_patient_change", args=[patient.pk]))
    assert page.status_code == 200
    assert "Dr Robin" not in page.content.decode()
