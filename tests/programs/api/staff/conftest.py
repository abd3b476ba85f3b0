"""A clinic on a Monday morning, a tool for each role, and a stranger's clinic."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.models import Clinic, User
from clinic.roles import Role
from patients.models import Episode
from programs.models import Program
from tests.api import Tool
from tests.factories import TODAY, make_case, make_clinic, make_program, make_user


@pytest.fixture
def own(db: None) -> Clinic:
    return make_clinic()


@pytest.fixture
def physio(own: Clinic) -> User:
    return make_user(clinic=own)


@pytest.fixture
def tool(physio: User) -> Tool:
    return Tool(physio)


@pytest.fixture
def owner(own: Clinic) -> Tool:
    return Tool(make_user(clinic=own, role=Role.OWNER))


@pytest.fixture
def assistant(own: Clinic) -> Tool:
    return Tool(make_user(clinic=own, role=Role.ASSISTANT))


@pytest.fixture
def case(own: Clinic, physio: User) -> Episode:
    return make_case(own, clinician=physio, opened_on=TODAY - timedelta(days=28))


@pytest.fixture
def program(case: Episode) -> Program:
    start = TODAY - timedelta(days=28)
    return make_program(case, started_on=start, stage_started_on=start)


@pytest.fixture
def foreign(db: None) -> Episode:
    return make_case(make_clinic())
