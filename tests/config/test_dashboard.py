"""Today: what a clinician meets first."""

import pytest
from django.test import Client
from django.urls import reverse

from clinic.models import Membership
from clinic.roles import Role
from programs.models import Alert
from tests.factories import NOW, TODAY, make_case, make_clinic, make_user

pytestmark = pytest.mark.django_db


def stalled(clinic, summary):
    case = make_case(clinic)
    return Alert.objects.create(
        clinic=clinic, episode=case, kind="stall", summary=summary, opened_on=TODAY, opened_at=NOW
    )


def test_the_role_in_each_clinic_decides_what_is_read_of_its_cases(client: Client) -> None:
    treats, assists = make_clinic(), make_clinic()
    physio = make_user(clinic=treats)
    Membership.objects.create(clinic=assists, user=physio, role=Role.ASSISTANT)
    stalled(treats, "Flat at 6 where I treat")
    hidden = stalled(assists, "Flat at 6 where I assist")
    client.force_login(physio)
    page = client.get(reverse("admin:index")).content.decode()
    assert "Flat at 6 where I treat" in page
    assert hidden.episode.case_number in page
    assert "Flat at 6 where I assist" not in page
