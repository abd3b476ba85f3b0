"""Whoever decides by what a row says holds the row first: two at once would both find the way free."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.accounts.factors import remove_factor
from clinic.data_keys import rewrap
from clinic.models import Factor, Membership
from clinic.roles import Role
from clinic.services import change_member
from patients.models import Episode
from patients.services import accept_invitation, close_episode, issue_invitation
from programs.models import Alert, Answer
from programs.services.alerts import acknowledge
from programs.services.cases import discharge, set_case_policy
from programs.services.plan import declare_fair_trial
from programs.services.red_flags import clear
from tests.factories import NOW, TODAY, make_case, make_program, make_user
from tests.staff import give_app

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


def set_a_threshold(case: Episode) -> None:
    set_case_policy(episode=case, by=case.clinician, values={}, now=NOW)


def start_the_trial_anew(case: Episode) -> None:
    program = make_program(case)
    declare_fair_trial(program=program, on=program.started_on, reason="Ill", by=case.clinician)


def acknowledge_an_alert(case: Episode) -> None:
    acknowledge(alert=an_alert(case), by=case.clinician, now=NOW)


def discharge_with_an_alert(case: Episode) -> None:
    an_alert(case, kind="stall")
    discharge(episode=case, outcome="recovered", note="", by=case.clinician, now=NOW, today=TODAY)


def clear_a_red_flag(case: Episode) -> None:
    clear(alert=an_alert(case), by=case.clinician, finding="Seen", now=NOW)


def an_alert(case: Episode, kind: str = "red_flag") -> Alert:
    return Alert.objects.create(
        clinic=case.clinic, episode=case, kind=kind, summary="Fever", opened_on=TODAY, opened_at=NOW
    )


def remove_one_of_two_factors(case: Episode) -> None:
    give_app(case.clinician)
    give_app(case.clinician)
    remove_factor(user=case.clinician, pk=Factor.objects.earliest("pk").pk)


def wrap_the_keys_anew(case: Episode) -> None:
    Answer.objects.create(
        clinic=case.clinic,
        patient=case.patient,
        episode=case,
        client_id=uuid4(),
        occurred_at=NOW,
        local_date=TODAY,
        worst_left=3,
        note="Sealed",
    )
    assert rewrap() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("act", "locked"),
    [
        (remove_one_of_two_factors, ["clinic_user"]),
        (wrap_the_keys_anew, ["clinic_datakey"]),
        (change_the_owner, ["clinic_clinic"]),
        (close, ["patients_episode"]),
        (invite, ["patients_patient"]),
        (invite_and_accept, ["patients_patient", "patients_patient", "patients_invitation"]),
        (set_a_threshold, ["patients_episode"]),
        (start_the_trial_anew, ["patients_episode"]),
        (acknowledge_an_alert, ["programs_alert"]),
        (discharge_with_an_alert, ["patients_episode", "programs_alert"]),
        (clear_a_red_flag, ["patients_episode"]),
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
