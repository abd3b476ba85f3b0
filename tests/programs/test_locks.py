"""Whoever decides by what a row says holds the row first: two at once would both find the way free."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import Membership
from clinic.roles import Role
from clinic.services import change_member
from patients.models import Episode
from patients.services import accept_invitation, close_episode, issue_invitation
from tests.factories import NOW, TODAY, make_case, make_user

type Act = Callable[[Episode], object]


def change_the_owner(case: Episode) -> None:
    owner = make_user(role=Role.OWNER, clinic=case.clinic)
    make_user(role=Role.OWNER, clinic=case.clinic)
    change_member(
        membership=Membership.objects.get(user=owner),
        by=owner,
        role=Role.ASSISTANT,
        is_active=True,
        cover=None,
        digest_weekday=None,
        digest_time=None,
    )


def invite(case: Episode) -> str:
    return issue_invitation(patient=case.patient, by=case.clinician, now=NOW)[1]


def close(case: Episode) -> None:
    close_episode(episode=case, outcome="recovered", note="", on=TODAY)


def invite_and_accept(case: Episode) -> None:
    accept_invitation(token=invite(case), now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("act", "locked"),
    [
        (change_the_owner, ["clinic_clinic"]),
        (close, ["patients_episode"]),
        (invite, ["patients_patient"]),
        (invite_and_accept, ["patients_patient", "patients_patient", "patients_invitation"]),
    ],
)
def test_the_row_is_held_before_it_is_judged(act: Act, locked: list[str]) -> None:
    case = make_case()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        act(case)
    assert [table for query in queries for table in _locked(query)] == locked


def _locked(query: dict[str, Any]) -> list[str]:
    held = re.search(r'FROM "(\w+)".* FOR (NO KEY )?UPDATE', query["sql"], flags=re.DOTALL)
    return [held[1]] if held else []
