"""Cases of a caseload, in a few words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

from clinic.models import User
from patients.models import Episode, OutcomeScore, Patient
from programs.models import Alert, Answer, Program, Review
from tests.factories import NOW, TODAY, make_case, make_patient, make_program


def case_of(
    clinician: User,
    number: str,
    *,
    alerts: Sequence[dict[str, Any]] = (),
    program: dict[str, Any] | None = None,
    **fields: Any,
) -> Episode:
    """A case in the clinician's first clinic; with a program where its values are given. Its
    patient has an account, unless another ``patient`` is given.
    """
    clinic = clinician.memberships.order_by("pk")[0].clinic
    patient = fields.pop("patient", None) or with_account(make_patient(clinic))
    case = make_case(clinic, clinician=clinician, patient=patient, case_number=number, **fields)
    for values in alerts:
        alert(case, **values)
    if program is not None:
        program_of(case, **program)
    return case


def with_account(patient: Patient) -> Patient:
    patient.user = User.objects.join(f"{patient.pk}@login.example")
    patient.save(update_fields=["user"])
    return patient


def draft_of(case: Episode, **values: Any) -> Program:
    """A program that is prepared and was not sent."""
    return Program.with_drafts.create(
        clinic=case.clinic,
        episode=case,
        assigned_by=case.clinician,
        name="Draft",
        started_on=TODAY,
        stage_started_on=TODAY,
        is_draft=True,
        **values,
    )


def program_of(case: Episode, **values: Any) -> Program:
    """With the review that found it so, if it was reviewed."""
    program = make_program(case, stages=0, **values)
    if program.review_state:
        Review.objects.create(
            clinic=case.clinic,
            episode=case,
            program=program,
            day=TODAY,
            week=program.review_week or 6,
            state=program.review_state,
            trend=program.review_trend,
            verdict={},
            thresholds={},
            reviewed_at=NOW,
        )
    return program


def alert(case: Episode, **values: Any) -> Alert:
    """A red flag is never put aside."""
    if values.get("state") == "snoozed":
        aside = values["kind"] != "red_flag"
        values |= {"state": "snoozed", "snoozed_until": TODAY} if aside else {"state": "open"}
    usual = {"summary": "Why", "action": "Act", "opened_on": TODAY, "opened_at": NOW}
    return Alert.objects.create(clinic=case.clinic, episode=case, **usual | values)


def answered(case: Episode, *, on: date = TODAY, worst: str = "5", **values: Any) -> Answer:
    received_at = values.pop("received_at", NOW)
    return Answer.objects.create(
        clinic=case.clinic,
        patient=case.patient,
        episode=case,
        client_id=uuid4(),
        occurred_at=NOW,
        local_date=on,
        worst_left=Decimal(worst),
        received_at=received_at,
        **values,
    )


def score(case: Episode, on: date) -> OutcomeScore:
    return OutcomeScore.objects.create(
        clinic=case.clinic, episode=case, measure="akps", taken_on=on, value=80, items={}
    )
