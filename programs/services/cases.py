"""What touches the patient's record and the program at once: screening, invitation, discharge, calls."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from clinic import outbox
from clinic.models import User
from clinic.roles import Capability, require
from patients.models import Assessment, Episode, Invitation, Patient
from patients.scoring import akps_red_flags
from patients.services import CaseError, close_episode, issue_invitation
from patients.vocabulary import OutcomeMeasure
from programs import emails
from programs.models import Alert, ContactLog
from programs.rules.red_flags import Symptom, akps_symptoms, screen_minor
from programs.services.alerts import close
from programs.services.assign import end_program
from programs.services.red_flags import raise_red_flag


@transaction.atomic
def screen_assessment(*, assessment: Assessment, by: User, now: datetime) -> Alert | None:
    """Raise what a saved assessment, with its measurements, shows: ticked symptoms, AKPS items, a hip
    finding under 18. None if there is nothing new.

    Raises:
        Denied: ``by`` may do no clinical work here.
    """
    require(by, Capability.WRITE_CLINICAL, assessment.clinic_id)
    codes = [*assessment.red_flags, *_akps_flags(assessment), *_minor_flag(assessment)]
    if not codes:
        return None
    return raise_red_flag(
        episode=assessment.episode,
        codes=codes,
        source=str(assessment),
        evidence=[{"assessment": assessment.pk, "day": assessment.assessed_on.isoformat()}],
        now=now,
    )


def _akps_flags(assessment: Assessment) -> list[Symptom]:
    akps = assessment.outcome_scores.filter(measure=OutcomeMeasure.AKPS).first()
    items = akps.items if akps else {}
    return list(akps_symptoms(akps_red_flags(items)))


def _minor_flag(assessment: Assessment) -> list[Symptom]:
    age = assessment.episode.patient.age_on(assessment.assessed_on)
    if age is None:
        return []
    verdict = screen_minor(age, hip_examined=assessment.hip_examined, hip_findings=assessment.hip_findings)
    return [verdict.flag] if verdict.flag else []


@transaction.atomic
def invite(*, patient: Patient, by: User, now: datetime) -> Invitation:
    """Invite the patient, or again: a fresh link by e-mail, an earlier one stops working.

    Raises:
        Denied: ``by`` may not invite here.
        ValidationError: the patient has no e-mail.
    """
    invitation, token = issue_invitation(patient=patient, by=by, now=now)
    email = emails.invitation(invitation=invitation, now=now)
    outbox.put(
        clinic=patient.clinic,
        kind="invitation",
        dedupe_key=f"invitation:{invitation.pk}",
        to_email=patient.email,
        subject=email.subject,
        text=email.text,
        html=email.html,
        patient_key=patient.pk,
        secret=token,
        now=now,
    )
    return invitation


@transaction.atomic
def discharge(*, episode: Episode, outcome: str, note: str, by: User, now: datetime, today: date) -> Episode:
    """Close the case: its program ends, its alerts resolve as discharged, except a red flag, which stays.

    Raises:
        Denied: ``by`` may do no clinical work here.
        CaseError: closed already, or an unknown outcome.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    closed = close_episode(episode=episode, outcome=outcome, note=note, on=today)
    for program in closed.programs.active():
        end_program(program=program, reason="Discharged", on=today)
    open_alerts = Alert.objects.unresolved().filter(episode=closed).exclude(kind=Alert.Kind.RED_FLAG)
    for alert in open_alerts.select_for_update():
        close(
            alert=alert,
            resolution=Alert.Resolution.DISCHARGED,
            outcome=f"Discharged: {closed.get_outcome_display().lower()}",
            by=by,
            now=now,
            today=today,
        )
    return closed


def log_contact(*, episode: Episode, kind: str, note: str, by: User, now: datetime) -> ContactLog:
    """Note a call or message. It closes no alert: only an answer or a clinician does.

    Raises:
        Denied: ``by`` is not of this clinic.
        CaseError: an unknown kind, or a note that is too long.
    """
    require(by, Capability.WRITE_CONTACT, episode.clinic_id)
    if kind not in ContactLog.Kind.values:
        raise CaseError("kind", f"expected one of {', '.join(ContactLog.Kind.values)}.")
    if len(note) > 500:
        raise CaseError("note", "At most 500 characters.")
    return ContactLog.objects.create(
        clinic_id=episode.clinic_id, episode=episode, kind=kind, note=note, by=by, at=now
    )
