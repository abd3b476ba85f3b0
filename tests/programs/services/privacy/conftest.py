"""A case with a row in every table."""

from __future__ import annotations

import pytest

from clinic.models import Clinic, User
from clinic.roles import Role
from patients.models import Episode
from programs.models import Answer
from tests.factories import (
    make_clinic,
    make_user,
)
from tests.whole_case import whole_case


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic(country="DE")


@pytest.fixture
def owner(clinic: Clinic) -> User:
    return make_user(role=Role.OWNER, clinic=clinic)


@pytest.fixture
def case(clinic: Clinic) -> Episode:
    """With a row in every table, and a note in the answer."""
    episode = whole_case(clinic)
    answer = Answer.objects.get(episode=episode)
    answer.note = "=HYPERLINK(1)"
    answer.save()
    return episode
