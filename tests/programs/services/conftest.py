"""A clinic with its owner and two physios: Anna, who treats, and Piet, who stands in or takes over."""

from __future__ import annotations

import pytest

from clinic.models import Clinic, User
from clinic.roles import Role
from tests.factories import make_clinic, make_user


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def owner(clinic: Clinic) -> User:
    return make_user("owner@example.org", role=Role.OWNER, clinic=clinic)


@pytest.fixture
def anna(clinic: Clinic) -> User:
    return make_user("anna@example.org", clinic=clinic, name="Anna Berg")


@pytest.fixture
def piet(clinic: Clinic) -> User:
    return make_user("piet@example.org", clinic=clinic, name="Piet")
