"""What may be there once is refused a second time by the database itself, whatever a form forgets."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, models, transaction
from psycopg.errors import UniqueViolation

from clinic import models as clinic
from patients import models as patients
from programs import models as programs
from scripts.guards import FRAMEWORK, UNIQUE
from tests.clinic.test_audit_chain import as_owner
from tests.factories import make_clinic
from tests.staff import give_app
from tests.whole_case import whole_case

type Copy = dict[str, Any]

PROMISES: dict[str, tuple[type[models.Model], Copy]] = {
    "clinic_clinic_slug_key": (clinic.Clinic, {}),
    "clinic_user_email_key": (clinic.User, {}),
    "membership_once_per_clinic": (clinic.Membership, {}),
    "clinic_clinicpolicy_clinic_id_key": (clinic.ClinicPolicy, {}),
    "factor_once": (clinic.Factor, {}),
    "clinic_stafftoken_digest_key": (clinic.StaffToken, {}),
    "api_creation_once": (clinic.ApiCreation, {}),
    "row_attempt_once": (clinic.RowAttempt, {}),
    "clinic_outboxmessage_dedupe_key_key": (clinic.OutboxMessage, {}),
    "patient_email_once_per_clinic": (patients.Patient, {"user": lambda _: None}),
    "patient_user_once_per_clinic": (patients.Patient, {"email": lambda _: "another@example.org"}),
    "episode_case_number_once_per_clinic": (patients.Episode, {}),
    "invitation_one_open": (patients.Invitation, {"token_hash": lambda _: uuid4().hex}),
    "patients_invitation_token_hash_key": (patients.Invitation, {"revoked_at": lambda row: row.created_at}),
    "patients_logincode_patient_id_key": (patients.LoginCode, {}),
    "consent_once_a_version": (patients.Consent, {}),
    "patients_restrictedrecord_erasure_id_key": (patients.RestrictedRecord, {}),
    "outcome_once_per_day": (patients.OutcomeScore, {}),
    "draft_once_an_author": (patients.AssessmentDraft, {}),
    "strength_test_once_per_side": (patients.StrengthTest, {}),
    "exercise_slug_once": (programs.Exercise, {}),
    "template_slug_once": (programs.Template, {}),
    "template_version_number_once": (programs.TemplateVersion, {}),
    "clip_once_per_exercise": (programs.Clip, {}),
    "stage_number_once": (programs.Stage, {}),
    "program_one_running_per_case": (programs.Program, {}),
    "program_stage_number_once": (programs.ProgramStage, {}),
    "pause_one_open_per_program": (programs.Pause, {}),
    "hold_one_open_per_program": (programs.Hold, {}),
    "request_once_per_program_and_date": (programs.CheckInRequest, {}),
    "answer_once_per_client_id": (programs.Answer, {}),
    "session_once_per_client_id": (programs.Session, {}),
    "run_once_per_client_id": (programs.Run, {}),
    "session_exercise_once": (programs.SessionExercise, {}),
    "review_once_per_program_and_day": (programs.Review, {}),
    "alert_one_open_per_case_and_kind": (programs.Alert, {}),
    "digest_once_per_clinician_and_week": (programs.Digest, {}),
    "programs_relapsewatch_episode_id_key": (programs.RelapseWatch, {}),
}
"""Each constraint with a kind of row, and how a copy differs where another constraint would refuse it."""

CORRECTION: Copy = {"client_id": lambda _: uuid4(), "corrects": lambda row: row.corrects or row}
SECOND_COPY: dict[str, tuple[type[models.Model], Copy]] = {
    "program_one_draft_per_case": (programs.Program, {"is_draft": lambda _: True}),
    "programs_answer_corrects_id_key": (programs.Answer, CORRECTION),
    "programs_session_corrects_id_key": (programs.Session, CORRECTION),
    "programs_run_corrects_id_key": (programs.Run, CORRECTION),
    "programs_digest_message_id_key": (
        programs.Digest,
        {
            "iso_week": lambda row: row.iso_week + 1,
            "message": lambda row: (
                row.message or clinic.OutboxMessage.objects.filter(clinic=row.clinic).first()
            ),
        },
    ),
}
"""Those that refuse the second copy, because the row itself leaves the place empty."""


IN_CHAIN = "clinic_auditentry_position_key"


def copy(row: Any, different: Copy) -> Any:
    """Stored under a key of its own, past all validation."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    del values[row._meta.pk.attname]
    made = type(row)(**values)
    for name, value in different.items():
        setattr(made, name, value(row))
    with transaction.atomic():
        made.save(force_insert=True)
    return made


@pytest.fixture
def case(db: None) -> Any:
    case = whole_case(make_clinic())
    give_app(case.clinician)
    return case


def test_nothing_is_there_twice_that_may_be_once(case: Any) -> None:
    for name, (model, different) in PROMISES.items():
        row = model._base_manager.order_by("pk").first()
        with pytest.raises(IntegrityError, match=f'unique constraint "{name}"'):
            copy(row, different)


@pytest.mark.parametrize("name", SECOND_COPY)
def test_nothing_is_corrected_or_mailed_twice(case: Any, name: str) -> None:
    model, different = SECOND_COPY[name]
    first = copy(model._base_manager.order_by("pk").first(), different)
    with pytest.raises(IntegrityError, match=f'unique constraint "{name}"'):
        copy(first, different)


def test_no_two_entries_of_the_trail_take_one_place_in_the_chain(db: None) -> None:
    """As the owner: the application can't write there at all."""
    entry = (
        "INSERT INTO clinic_auditentry (who, route, action, table_name, row_id, patients, why, position) "
        "VALUES ('x', '', 'added', '', '', '{}', '', 1000000)"
    )
    with pytest.raises(UniqueViolation, match=f'unique constraint "{IN_CHAIN}"'):
        as_owner(entry, entry)


def test_every_unique_constraint_is_tried_above(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(UNIQUE, [list(FRAMEWORK)])
        found = {constraint or index for _, index, constraint in cursor.fetchall()}
    assert found == PROMISES.keys() | SECOND_COPY.keys() | {IN_CHAIN}
