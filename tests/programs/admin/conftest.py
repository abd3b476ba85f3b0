"""A clinic with each role, logged in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from clinic.models import Clinic, User
from clinic.roles import Role
from tests import enforced
from tests.factories import make_clinic, make_user
from tests.staff import signed_in


@dataclass
class Staff:
    """One clinic's people and a client logged in as each."""

    clinic: Clinic
    owner: User
    physio: User
    assistant: User

    def client(self, user: User) -> Client:
        return signed_in(user)


@pytest.fixture
def staff(db: Any) -> Staff:
    clinic = make_clinic(name="Own clinic")
    people = {role.value: make_user(role=role, clinic=clinic) for role in Role}
    return Staff(clinic=clinic, **people)


@pytest.fixture
def stranger(db: Any) -> Staff:
    """Another clinic's people."""
    clinic = make_clinic(name="Other clinic")
    people = {role.value: make_user(role=role, clinic=clinic) for role in Role}
    return Staff(clinic=clinic, **people)


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are not held to the policies: the queries alone keep clinics apart."""
    monkeypatch.setattr(enforced, "_set", lambda value: None)
