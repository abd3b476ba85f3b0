"""Whoever decides by what a row says holds the row first: two at once would both find the way free."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.accounts.factors import remove_factor
from clinic.data_keys import rewrap
from clinic.models import Factor, Membership, OutboxMessage
from clinic.roles import Role
from clinic.services import change_member
from patients.models import Episode
from patients.services import accept_invitation, close_episode, issue_invitation, open_episode
from programs.models import Alert, Answer, CheckInRequest, Digest
from programs.services.access import CodeError, send_codes, sign_in_by_code
from programs.services.alerts import acknowledge
from programs.services.assign import assign, prepare_program, send_program
from programs.services.cases import discharge, set_case_policy
from programs.services.checkins import remind_due
from programs.services.digests import send_due
from programs.services.imports import import_diary
from programs.services.plan import declare_fair_trial
from programs.services.privacy import Entry, reapply
from programs.services.red_flags import clear, escalate_due, raise_red_flag
from programs.services.retention import forget_of_clinic
from programs.services.reviews import review_due
from tests.factories import NOW, TODAY, make_case, make_program, make_template, make_user
from tests.staff import give_app
from tests.whole_case import put

type Act = Callable[[Episode], object]

INVITED = ["patients_patient", "patients_patient", "patients_invitation"]


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


def open_a_case(case: Episode) -> None:
    open_episode(
        patient=case.patient,
        by=case.clinician,
        clinician=case.clinician,
        diagnosis="pfp",
        index_side="left",
        opened_on=TODAY,
        today=TODAY,
    )


def close(case: Episode) -> None:
    close_episode(episode=case, outcome="recovered", note="", on=TODAY)


def invite_and_accept(case: Episode) -> None:
    accept_invitation(token=invite(case), now=NOW)


def set_a_threshold(case: Episode) -> None:
    set_case_policy(episode=case, by=case.clinician, values={}, now=NOW)


def start_the_trial_anew(case: Episode) -> None:
    program = make_program(case)
    declare_fair_trial(program=program, on=program.started_on, reason="Ill", by=case.clinician, now=NOW)


def acknowledge_an_alert(case: Episode) -> None:
    acknowledge(alert=an_alert(case), by=case.clinician, now=NOW)


def discharge_with_an_alert(case: Episode) -> None:
    an_alert(case, kind="stall")
    discharge(episode=case, outcome="recovered", note="", by=case.clinician, now=NOW, today=TODAY)


def raise_one(case: Episode) -> None:
    assert raise_red_flag(episode=case, codes=["knee_locks"], source="a check-in", evidence=[], now=NOW)


def clear_a_red_flag(case: Episode) -> None:
    clear(alert=an_alert(case), by=case.clinician, finding="Seen", now=NOW)


def an_alert(case: Episode, kind: str = "red_flag", **fields: Any) -> Alert:
    values = {"kind": kind, "summary": "Fever", "opened_on": TODAY, "opened_at": NOW, **fields}
    return Alert.objects.create(clinic=case.clinic, episode=case, **values)


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


def sign_in_with_a_code(case: Episode) -> None:
    accept_invitation(token=invite(case), now=NOW)
    send_codes(email=case.patient.email, now=NOW)
    with pytest.raises(CodeError):
        sign_in_by_code(email=case.patient.email, code="000000", device_name="Phone", now=NOW)


def assign_anew(case: Episode) -> None:
    assign(episode=case, template=make_template(stages=1), by=case.clinician, now=NOW, today=TODAY)


def send_and_invite(case: Episode) -> None:
    draft = prepare_program(episode=case, template=make_template(stages=1), by=case.clinician, today=TODAY)
    send_program(program=draft, by=case.clinician, now=NOW, today=TODAY, invite=True)


def remind(case: Episode) -> None:
    program = make_program(case)
    CheckInRequest.objects.create(
        clinic=case.clinic,
        program=program,
        local_date=TODAY,
        due_at=NOW,
        remind_at=NOW,
        missed_at=NOW + timedelta(days=2),
    )
    assert remind_due(now=NOW) == 1


def send_digests(case: Episode) -> None:
    assert send_due(now=NOW + timedelta(days=9))


def import_a_diary(case: Episode) -> None:
    import_diary(
        content=b"case,date,worst_pain\nN1,2026-03-02,5\n",
        clinic=case.clinic,
        clinician=case.clinician,
        template=make_template(stages=1),
        every=7,
        now=NOW,
    )


def escalate(case: Episode) -> None:
    an_alert(case, escalate_at=NOW)
    assert escalate_due(now=NOW + timedelta(days=9)) == 1


def blank_old_mails(case: Episode) -> None:
    put(case.clinic, case.patient)
    OutboxMessage.objects.update(state="sent", sent_at=NOW)
    forget_of_clinic(now=NOW + timedelta(days=300), today=TODAY + timedelta(days=300))


def review(case: Episode) -> None:
    make_program(case)
    review_due(now=NOW + timedelta(days=9))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("act", "locked"),
    [
        (remove_one_of_two_factors, ["clinic_user"]),
        (wrap_the_keys_anew, ["clinic_datakey"]),
        (change_the_owner, ["clinic_clinic"]),
        (close, ["patients_episode"]),
        (invite, ["patients_patient"]),
        (invite_and_accept, INVITED),
        (set_a_threshold, ["patients_episode"]),
        (start_the_trial_anew, ["patients_episode"]),
        (acknowledge_an_alert, ["programs_alert"]),
        (discharge_with_an_alert, ["patients_episode", "programs_alert"]),
        (raise_one, ["patients_episode"]),
        (clear_a_red_flag, ["patients_episode"]),
        (sign_in_with_a_code, [*INVITED, "patients_logincode"]),
        (assign_anew, ["patients_episode", "programs_program"]),
        (
            send_and_invite,
            [
                "patients_episode",
                "patients_patient",
                "patients_episode",
                "programs_program",
                "patients_patient",
            ],
        ),
        (remind, ["programs_checkinrequest"]),
        (send_digests, ["clinic_membership"]),
        (import_a_diary, ["clinic_clinic", "clinic_membership"]),
        (open_a_case, ["clinic_membership"]),
        (escalate, ["programs_alert"]),
        (blank_old_mails, ["clinic_outboxmessage"]),
        (review, ["programs_program", "programs_alert"]),
    ],
)
def test_the_row_is_held_before_it_is_judged(act: Act, locked: list[str]) -> None:
    case = make_case()
    with CaptureQueriesContext(connection) as queries:
        act(case)
    assert [table for query in queries for table in _locked(query)] == locked


@pytest.mark.django_db
def test_an_erasure_holds_the_patient_all_rows_and_the_digests_that_name_them() -> None:
    case = make_case()
    put(case.clinic, None)
    Digest.objects.create(
        clinic=case.clinic,
        clinician=case.clinician,
        iso_year=2026,
        iso_week=10,
        sent_for=TODAY,
        created_at=NOW,
        content={"new": [case.pk]},
        message=OutboxMessage.objects.get(),
    )
    with CaptureQueriesContext(connection) as queries:
        reapply(entries=[Entry(case.patient_id, case.clinic_id, NOW, TODAY)], now=NOW)
    locked = [table for query in queries for table in _locked(query)]
    assert locked[:2] == ["patients_patient", "patients_patient"]
    assert locked.count("clinic_outboxmessage") == 2


def _locked(query: dict[str, Any]) -> list[str]:
    held = re.search(r'FROM "(\w+)".* FOR (NO KEY )?UPDATE', query["sql"], flags=re.DOTALL)
    return [held[1]] if held else []
