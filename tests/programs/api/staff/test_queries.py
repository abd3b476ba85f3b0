"""How many statements an endpoint takes, as written down: the same for one row and for three."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import Clinic, StaffToken
from clinic.roles import Role
from programs.models import Alert, AlertEvent
from tests.api import Tool
from tests.factories import NOW, TODAY, make_assessment, make_case, make_program, make_template, make_user

DOOR = 4
"""Of any request, savepoints aside: whose token it is, the count of requests, the clinic they work in."""

BEHIND_IT = {
    "patients": 3,
    "patients?search=robin&case=open": 3,
    "caseload": 17,
    "caseload/figures": 7,
    "cases": 2,
    "assessments": 2,
    "programs": 2,
    "alerts": 3,
    "absences": 1,
    "exercises": 1,
    "templates": 1,
    "staff": 1,
    "policy": 1,
}
"""The rows, what stands below them, and that they were read."""


def fill(clinic: Clinic) -> None:
    case = make_case(clinic)
    make_program(case)
    make_assessment(case)
    make_template(clinic=clinic)
    alert = Alert.objects.create(
        clinic=clinic, episode=case, kind="stall", summary="Flat", opened_on=TODAY, opened_at=NOW
    )
    AlertEvent.objects.create(clinic=clinic, alert=alert, what="opened", at=NOW)


def asked(tool: Tool, path: str) -> int:
    StaffToken.objects.update(last_used_at=NOW)
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert tool.get(path).status_code == 200, path
    return sum("SAVEPOINT" not in query["sql"] for query in found)


@pytest.mark.parametrize("path", BEHIND_IT)
def test_as_many_statements_for_one_row_as_for_three(own: Clinic, path: str) -> None:
    tool = Tool(make_user(clinic=own, role=Role.OWNER))
    fill(own)
    one = asked(tool, path)
    fill(own)
    fill(own)
    assert asked(tool, "token") == DOOR
    assert (one, asked(tool, path)) == (DOOR + BEHIND_IT[path],) * 2
