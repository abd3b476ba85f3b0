"""A patient with a row in every table that is kept apart, and what a tenant meets of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import transaction

from clinic import outbox
from clinic.models import Absence, ApiCreation, BreakGlass, Clinic, RowAttempt, StaffToken, User
from clinic.row_security import Tenant, acting_for
from patients import consents
from patients import models as patients
from patients.models import Episode, Patient
from programs import models as programs
from programs.models import Exercise
from programs.rules.letters import Letter, to_json
from tests.api import log_in
from tests.enforced import enforced
from tests.factories import (
    NOW,
    TODAY,
    make_assessment,
    make_case,
    make_operator,
    make_program,
    make_template,
)

HOUR = timedelta(hours=1)
LETTER = Letter(
    title="Referral",
    made_on=TODAY,
    sender=("A clinic",),
    recipient="Dr. Visser",
    patient=("Robin",),
    flag="",
    sections=(("My question to you", "Would you see Robin?"),),
    picture="",
    picture_words="",
    signed="A physio",
)


@contextmanager
def as_tenant(tenant: Tenant) -> Iterator[None]:
    with transaction.atomic(), enforced(), acting_for(tenant):
        yield


def whole_case(clinic: Clinic) -> Episode:
    """A patient of the clinic with one row, at least, in every protected table."""
    episode = make_case(clinic)
    patient, by = episode.patient, episode.clinician
    in_clinic: dict[str, Any] = {"clinic": clinic}
    assessment = make_assessment(episode)
    patients.OutcomeScore.objects.create(
        **in_clinic, episode=episode, measure="akps", taken_on=TODAY - 24 * HOUR, value=Decimal(80)
    )
    _write_on(assessment)
    program = make_program(episode, stages=1)
    _library(clinic, by)
    on_program = {**in_clinic, "program": program}
    programs.StageMove.objects.create(**on_program, from_stage=1, to_stage=2, moved_on=TODAY, moved_by=by)
    decided_and_watched(program)
    programs.Pause.objects.create(**on_program, kind="holiday", starts_on=TODAY, paused_by=by)
    programs.Hold.objects.create(**on_program, since=NOW, red_flags=["fever"], reason="Fever")
    programs.CheckInRequest.objects.create(
        **on_program, local_date=TODAY, due_at=NOW, missed_at=NOW + 48 * HOUR, recall_days=3
    )
    for kind, fields in DIARY.items():
        kind.objects.create(
            **on_program,
            patient=patient,
            episode=episode,
            client_id=uuid4(),
            occurred_at=NOW,
            local_date=TODAY,
            **fields,
        )
    programs.SessionExercise.objects.create(
        **in_clinic,
        session=programs.Session.objects.get(patient=patient),
        dose=programs.ProgramDose.objects.get(stage__program=program),
        sets_done=3,
    )
    programs.Review.objects.create(
        **on_program,
        episode=episode,
        day=TODAY,
        week=1,
        state="too_early",
        verdict={},
        thresholds={},
        reviewed_at=NOW,
    )
    alert = programs.Alert.objects.create(
        **in_clinic, episode=episode, kind="red_flag", summary="Fever", opened_on=TODAY, opened_at=NOW
    )
    programs.AlertEvent.objects.create(**in_clinic, alert=alert, what="opened", at=NOW)
    programs.Letter.objects.create(
        **in_clinic, episode=episode, kind="stall", content=to_json(LETTER), made_by=by, made_at=NOW
    )
    Absence.objects.create(**in_clinic, clinician=by, starts_on=TODAY, ends_on=TODAY, set_by=by, set_at=NOW)
    programs.Digest.objects.create(
        **in_clinic, clinician=by, iso_year=2026, iso_week=10, sent_for=TODAY, created_at=NOW
    )
    put(clinic, patient)
    RowAttempt.objects.create(**in_clinic, sweep="ask_check_ins", key=program.pk, attempts=1, began_at=NOW)
    patients.Invitation.objects.create(
        **in_clinic, patient=patient, token_hash=uuid4().hex, created_at=NOW, expires_at=NOW
    )
    patients.LoginCode.objects.create(**in_clinic, patient=patient, code_hash="x", expires_at=NOW)
    patients.Consent.objects.create(
        **in_clinic, patient=patient, version=consents.current().version, text_hash="x", accepted_at=NOW
    )
    _erase_another(in_clinic)
    log_in(patient)
    StaffToken.objects.create(
        **in_clinic, user=by, name="Tool", digest=uuid4().hex, tied="x", created_at=NOW, expires_at=NOW + HOUR
    )
    ApiCreation.objects.create(
        **in_clinic, user=by, route="api-patients", key=uuid4().hex, body_hash="x", created_at=NOW
    )
    operator = make_operator()
    BreakGlass.objects.create(
        **in_clinic, operator=operator, reason="A restore", started_at=NOW, ends_at=NOW + HOUR
    )
    return episode


def _erase_another(in_clinic: dict[str, Any]) -> None:
    erasure = patients.Erasure.objects.create(
        **in_clinic, patient_key=uuid4(), erased_at=NOW, keep_until=TODAY
    )
    patients.RestrictedRecord.objects.create(
        **in_clinic, erasure=erasure, case_numbers=["1"], content="A record."
    )
    patients.PrivacyEvent.objects.create(**in_clinic, patient_key=erasure.pk, what="erased", at=NOW)


def _write_on(assessment: patients.Assessment) -> None:
    about: dict[str, Any] = {"clinic": assessment.clinic, "assessment": assessment}
    for kind, fields in MEASUREMENTS.items():
        kind.objects.create(**about, **fields)
    author = assessment.assessed_by
    patients.Addendum.objects.create(**about, text="A correction.", by=author, at=NOW)
    patients.AssessmentDraft.objects.create(
        **about,
        episode=assessment.episode,
        author=author,
        content='{"notes": ["A draft."]}',
        started_at=NOW,
        saved_at=NOW,
    )


def decided_and_watched(program: programs.Program) -> None:
    shared: dict[str, Any] = {"clinic": program.clinic, "program": program}
    episode, by = program.episode, program.assigned_by
    programs.ContactLog.objects.create(clinic=program.clinic, episode=episode, kind="call", at=NOW, by=by)
    decided = {"decided_on": TODAY, "decided_at": NOW, "decided_by": by}
    programs.LoadDecision.objects.create(
        **shared, activity="strength", what="hold", reason="Steady", **decided
    )
    programs.RelapseWatch.objects.create(
        **shared, episode=episode, starts_on=TODAY, ends_on=TODAY + 180 * 24 * HOUR, set_by=by
    )


def _library(clinic: Clinic, by: User) -> None:
    """A template with a former version; every exercise is the clinic's own, one has a film."""
    template = make_template(clinic=clinic, stages=1, version=2)
    programs.TemplateVersion.objects.create(template=template, number=1, content={}, replaced_by=by)
    Exercise.objects.filter(clinic=None).update(clinic=clinic)
    exercise = Exercise.objects.filter(clinic=clinic).latest("pk")
    programs.Clip.objects.create(clinic=clinic, exercise=exercise, url="https://example.org/clip")


MEASUREMENTS: dict[Any, dict[str, Any]] = {
    patients.QAngle: {"side": "left", "degrees": 15, "position": "supine", "quadriceps": "relaxed"},
    patients.StrengthTest: {
        "muscle_group": "quadriceps",
        "side": "left",
        "method": "handheld_dynamometer",
        "value": 250,
        "unit": "N",
    },
    patients.AggravatingActivity: {"activity": "stairs"},
    patients.FlexibilityTest: {"structure": "hamstrings", "side": "left"},
    patients.FootPosture: {"side": "left", "fpi6": 3},
    patients.MovementTest: {"test": "step_down", "side": "left"},
}
DIARY: dict[Any, dict[str, Any]] = {
    programs.Answer: {"worst_left": Decimal(3), "recall_days": 3},
    programs.Session: {"pain_during": Decimal(2)},
    programs.Run: {"pain_during": Decimal(2), "distance_km": 5},
}


def put(clinic: Clinic, patient: Patient | None, **fields: Any) -> None:
    values = {
        "clinic": clinic,
        "kind": "check_in",
        "dedupe_key": str(uuid4()),
        "to_email": "robin@example.org",
        "subject": "Hello",
        "text": "A text.",
        "patient_key": patient.pk if patient else None,
        "now": NOW,
        **fields,
    }
    outbox.put(**values)
