"""Paul, who has an authenticator app, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from clinic.models import User
from clinic.roles import Role
from tests.clinic.sign_in.door import PASSWORD
from tests.factories import NOW, make_clinic, make_user
from tests.staff import give_app


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def paul() -> User:
    paul = make_user("paul@example.org", Role.PHYSIO, make_clinic(), password=PASSWORD)
    give_app(paul)
    return paul
