"""What touches the patient's record and the program at once: screening, invitation, discharge, calls."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from clinic.models import User
from clinic.roles import Capability, require
from clinic.thresholds import FIELDS, PolicyError, parse, to_json
from patients.models import Assessment, AssessmentDraft, Episode, Invitation, LoginCode, OutcomeScore, Patient
from patients.scoring import akps_red_flags
from patients.services import (
    JUDGED_TOGETHER,
    CaseError,
    check_contact,
    close_episode,
    open_episode,
    revoke_devices,
)
from patients.vocabulary import OutcomeMeasure
from programs.models import Alert, ContactLog, Program, RelapseWatch, Template
from programs.rules.red_flags import AKPS_SYMPTOMS, Symptom, akps_symptoms, screen_minor
from programs.rules.schedule import local_date
from programs.services import watches
from programs.services.alerts import close
from programs.services.assign import end_program, hand_out
from programs.services.checkins import schedule_next
from programs.services.derived import akps_sources
from programs.services.due import review_again, review_patient_again
from programs.services.hand_overs import hand_over_cases
from programs.services.red_flags import raise_red_flag

CONTACT_MINUTES = 480
CONTACT_LENGTH, NOTE_LENGTH = 500, 4000

# The other groups are the clinic's alone: its digest, its library, its red flags.
GROUPS_OF_A_CASE = (
    *("Stall", "Baseline", "Pain now", "Success", "Reasons", "Alerts", "24-hour pain rule", "Stage gates"),
    *("Running", "Check-ins", "After discharge"),
)


@transaction.atomic
def screen_assessment(
    *, assessment: Assessment, by: User, now: datetime, draft: AssessmentDraft | None = None
) -> Alert | None:
    """Raise what a saved assessment, with its measurements, shows: ticked symptoms, AKPS items, a hip
    finding under 18. It raises each of them once, however often it is saved; what was raised from the
    ``draft`` it was typed in is raised by it, unless it is worse since. None if nothing is new.

    Raises:
        Denied: ``by`` may do no clinical work here.
    """
    require(by, Capability.WRITE_CLINICAL, assessment.clinic_id)
    review_again(episode=assessment.episode, now=now)
    answered = akps_sources(_akps_items(assessment))
    found = [*assessment.red_flags, *answered, *_minor_flag(assessment)]
    told = _raised_from_drafts(assessment, draft)
    worse = _worse_akps_flags(assessment, told)
    known = _raised_by(assessment) | (told.keys() - set(worse))
    codes = [code for code in found if code not in known]
    if draft:
        _adopt(draft, told, assessment)
    if not codes:
        return None
    unticked = answered.keys() - set(assessment.red_flags)
    return raise_red_flag(
        episode=assessment.episode,
        codes=codes,
        worse=[flag for flag in worse if flag in codes],
        found=dict.fromkeys(assessment.red_flags, assessment.assessed_on),
        source=str(assessment),
        sources={code: f"{assessment}, {answered[code]}" for code in unticked},
        evidence=[{"assessment": assessment.pk, "day": assessment.assessed_on.isoformat()}],
        now=now,
    )


def _raised_by(assessment: Assessment) -> set[str]:
    """Codes this assessment raised before, cleared since or not: correcting its text raises nothing."""
    alerts = assessment.episode.alerts.filter(kind=Alert.Kind.RED_FLAG)
    evidence = [row for alert in alerts for row in alert.evidence if "draft" not in row]
    return {row["code"] for row in evidence if row.get("assessment") == assessment.pk}


def _raised_from_drafts(assessment: Assessment, draft: AssessmentDraft | None) -> dict[str, dict[str, int]]:
    """Codes raised from this draft of the assessment, or one it was saved from before, each with its AKPS
    answers then.
    """
    Episode.objects.select_for_update(no_key=True).get(pk=assessment.episode_id)
    alerts = assessment.episode.alerts.filter(kind=Alert.Kind.RED_FLAG).order_by("opened_at", "pk")
    return {
        row["code"]: row.get("akps", {})
        for alert in alerts
        for row in alert.evidence
        if "draft" in row
        and (row.get("assessment") == assessment.pk or (draft and _tells(row, alert, draft)))
    }


def _tells(row: Mapping[str, Any], alert: Alert, draft: AssessmentDraft) -> bool:
    """Whether this evidence is of the draft; of a flag ticked anew since it was cleared it says nothing."""
    code, cleared = row["code"], alert.resolved_at
    stands = cleared is None or (code in draft.red_flags and draft.ticked_since(code) <= cleared)
    return row["draft"] == draft.pk and stands


def _adopt(draft: AssessmentDraft, told: Collection[str], assessment: Assessment) -> None:
    """Note the assessment with what was raised from its draft, which is gone when it is saved again."""
    for alert in assessment.episode.alerts.filter(kind=Alert.Kind.RED_FLAG):
        mine = [row for row in alert.evidence if row.get("draft") == draft.pk and row["code"] in told]
        for row in mine:
            row["assessment"] = assessment.pk
        if mine:
            alert.save(update_fields=["evidence"])


def _worse_akps_flags(assessment: Assessment, told: Mapping[str, Mapping[str, int]]) -> list[Symptom]:
    """Flags of AKPS items with fewer points than in the questionnaire before, or, if they were ``told``
    from the draft, than when they were: cleared ones are worse.
    """
    items = _akps_items(assessment)
    earlier = OutcomeScore.objects.filter(
        episode=assessment.episode_id, measure=OutcomeMeasure.AKPS, taken_on__lt=assessment.assessed_on
    ).first()
    before = dict(earlier.items) if earlier else {}
    for item, code in AKPS_SYMPTOMS.items():
        before[item] = told.get(code, {}).get(item, before.get(item, 0))
    return list(akps_symptoms(code for code in akps_red_flags(items) if items[code] < before[code]))


def _akps_items(assessment: Assessment) -> dict[str, int]:
    akps = assessment.outcome_scores.filter(measure=OutcomeMeasure.AKPS).first()
    return dict(akps.items) if akps else {}


def _minor_flag(assessment: Assessment) -> list[Symptom]:
    age = assessment.patient_age
    if age is None:
        return []
    verdict = screen_minor(age, hip_examined=assessment.hip_examined, hip_findings=assessment.hip_findings)
    return [verdict.flag] if verdict.flag else []


@transaction.atomic
def change_contact(*, patient: Patient, changed: Collection[str], by: User, now: datetime) -> Patient:
    """Save the changed columns of a patient's contact data, with what follows from them.

    A changed e-mail ends what went to the old one: open invitations, login codes, devices logged in. Whether
    the patient can be reached is judged anew.
    A changed time zone moves the next check-in.

    Raises:
        Denied: ``by`` may not write contact data here.
        ValidationError: as ``check_contact``.
    """
    require(by, Capability.WRITE_CONTACT, patient.clinic_id)
    columns = set(changed)
    together = columns | (JUDGED_TOGETHER if columns & JUDGED_TOGETHER else set())
    check_contact(
        {name: getattr(patient, name) for name in together}, today=local_date(now, patient.timezone)
    )
    if "email" in columns:
        patient.email_bounced_at, patient.user = None, None
        columns |= {"email_bounced_at", "user"}
        Invitation.objects.filter(patient=patient, accepted_at=None, revoked_at=None).update(revoked_at=now)
        LoginCode.objects.filter(patient=patient, used_at=None).update(used_at=now)
        revoke_devices(patient=patient)
    if columns:
        patient.save(update_fields=sorted(columns))
    if "email" in columns:
        review_patient_again(patient=patient, now=now)
    if "timezone" in columns:
        for program in Program.objects.active().filter(episode__patient=patient):
            schedule_next(program=program, now=now)
    return patient


@transaction.atomic
def reassign(*, episode: Episode, clinician: User, by: User, now: datetime, why: str = "") -> Episode:
    """Hand the case to another clinician, with its alerts; they are told by e-mail.

    Raises:
        Denied: ``by`` may do no clinical work here.
        CaseError: the new clinician does not treat in this clinic, or has not signed in yet.
    """
    hand_over_cases(cases=[episode], to=clinician, by=by, now=now, why=why)
    return episode


@transaction.atomic
def set_case_policy(*, episode: Episode, by: User, values: Mapping[str, object], now: datetime) -> Episode:
    """Thresholds for this case alone; what equals the clinic's value is not kept.

    Raises:
        Denied: ``by`` may do no clinical work here.
        CaseError: the case is closed.
        PolicyError: a value is unknown, of the wrong type, out of range or out of order; its key is named.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    if not Episode.objects.select_for_update(no_key=True).get(pk=episode.pk).is_open:
        raise CaseError("episode", "This case is closed: its thresholds stay as they were.")
    of_clinic = episode.clinic.thresholds()
    parsed = {key: parse(key, raw) for key, raw in values.items()}
    for key in parsed:
        if FIELDS[key].metadata["group"] not in GROUPS_OF_A_CASE:
            raise PolicyError(key, "is the same for all cases of the clinic")
    overrides = {key: to_json(value) for key, value in parsed.items() if value != getattr(of_clinic, key)}
    episode.clinic.thresholds(overrides)
    episode.policy_overrides = overrides
    episode.save(update_fields=["policy_overrides"])
    review_again(episode=episode, now=now)
    return episode


@transaction.atomic
def discharge(
    *,
    episode: Episode,
    outcome: str,
    note: str,
    by: User,
    now: datetime,
    today: date,
    maintenance: Template | None = None,
    watch: bool = False,
) -> Episode:
    """Close the case: its program ends, its alerts resolve as discharged, except a red flag, which stays.

    ``maintenance`` is handed out to keep up; ``watch`` asks the patient monthly whether the pain is back.

    Raises:
        Denied: ``by`` may do no clinical work here.
        CaseError: closed already, an unknown outcome, recovered in pain without a word about it, or a watch
            over a case that had no program.
        AssignError: ``maintenance`` is not a maintenance template for this case.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    closed = close_episode(episode=episode, outcome=outcome, note=note, on=today)
    pain = watches.pain_lately(episode=closed, today=today)
    _check_recovered(closed, pain)
    for program in closed.programs.active():
        end_program(program=program, reason="Discharged", on=today)
    Program.with_drafts.drafts().filter(episode=closed).delete()
    open_alerts = Alert.objects.unresolved().filter(episode=closed).exclude(kind=Alert.Kind.RED_FLAG)
    outcome_of_alerts = f"Discharged: {closed.get_outcome_display().lower()}"
    _close_all(open_alerts, Alert.Resolution.DISCHARGED, outcome_of_alerts, by=by, now=now, today=today)
    kept_up = hand_out(episode=closed, template=maintenance, by=by, today=today) if maintenance else None
    if watch:
        watches.start(episode=closed, program=kept_up, pain_at_discharge=pain, by=by, today=today)
    return closed


def _check_recovered(episode: Episode, pain: Decimal | None) -> None:
    """A slip of the list is not kept as an outcome; the bound is the pain rule's green (our default)."""
    limit = episode.thresholds.green_max
    recovered = episode.outcome == Episode.Outcome.RECOVERED
    if recovered and not episode.discharge_note.strip() and pain is not None and pain > limit:
        found = f"Worst pain was lately {pain.normalize():f}, over {limit.normalize():f}"
        raise CaseError("note", f'{found}. Choose another outcome, or write why this is "Recovered".')


@transaction.atomic
def reopen(*, episode: Episode, by: User, now: datetime, today: date) -> Episode:
    """The pain is back: a new case with the same diagnosis, knee, running track and clinician, or ``by``
    where that one does not treat any more. Its relapse watch ends, an alert about the relapse resolves.

    Raises:
        Denied: ``by`` may do no clinical work here.
        CaseError: the case is open, was re-opened already, or has a red flag that nobody cleared: the new
            case would know nothing of it.
    """
    require(by, Capability.WRITE_CLINICAL, episode.clinic_id)
    cases = Episode.objects.select_for_update(of=("self",), no_key=True)
    closed: Episode = cases.select_related("clinic__policy", "patient", "clinician").get(pk=episode.pk)
    if closed.is_open:
        raise CaseError("episode", "This case is open.")
    watch = RelapseWatch.objects.filter(episode=closed).select_related("reopened_as").first()
    again = watch.reopened_as if watch and watch.reopened_as else gone_on_as(closed)
    if again:
        raise CaseError("episode", f"Re-opened already, as {str(again).lower()}.")
    if Alert.objects.unresolved().filter(episode=closed, kind=Alert.Kind.RED_FLAG).exists():
        raise CaseError("episode", "A red flag of this case is open: clear it with a finding first.")
    treating = closed.clinician.may(Capability.WRITE_CLINICAL, closed.clinic_id)
    created = open_episode(
        patient=closed.patient,
        by=by,
        clinician=closed.clinician if treating else by,
        diagnosis=closed.diagnosis,
        index_side=closed.index_side,
        both_knees=closed.both_knees,
        running_track=closed.running_track,
        policy_overrides=closed.policy_overrides,
        opened_on=today,
        today=today,
    )
    if watch:
        watches.reopened(watch=watch, created=created, now=now)
    relapses = Alert.objects.unresolved().filter(episode=closed, kind=Alert.Kind.RELAPSE)
    reopened = f"Re-opened as case {created.case_number}"
    _close_all(relapses, Alert.Resolution.CLINICIAN, reopened, by=by, now=now, today=today)
    return created


def gone_on_as(closed: Episode) -> Episode | None:
    """The open case of the same diagnosis and knee that followed: without a watch nothing else says so."""
    following: Episode | None = Episode.objects.following(
        patient=closed.patient_id,
        diagnosis=closed.diagnosis,
        index_side=closed.index_side,
        closed_on=closed.closed_on,
    ).first()
    return following


def _close_all(
    alerts: QuerySet[Alert], resolution: str, outcome: str, *, by: User, now: datetime, today: date
) -> None:
    for alert in alerts.select_for_update(no_key=True):
        close(alert=alert, resolution=resolution, outcome=outcome, by=by, now=now, today=today)


def last_template(episode: Episode) -> Template | None:
    """What the case's last program was copied from: a new case may start from it."""
    last = episode.programs.treating().select_related("template").first()
    return last.template if last else None


def log_contact(
    *,
    episode: Episode,
    kind: str,
    note: str,
    by: User,
    now: datetime,
    minutes: int | None = None,
    is_live: bool = False,
) -> ContactLog:
    """Note a call or message, how many ``minutes`` it took, and whether both spoke at the same time; or, as
    the kind ``note``, what a clinician wants to keep about the case, which is no contact.

    It closes no alert: only an answer or a clinician does.

    Raises:
        Denied: ``by`` is not of this clinic, or writes a note and does no clinical work.
        CaseError: an unknown kind, a note that is empty or too long, minutes out of range, or a live contact
            that was none.
    """
    is_note = kind == ContactLog.Kind.NOTE
    require(by, Capability.WRITE_CLINICAL if is_note else Capability.WRITE_CONTACT, episode.clinic_id)
    if kind not in ContactLog.Kind.values:
        raise CaseError("kind", f"expected one of {', '.join(ContactLog.Kind.values)}.")
    if is_note and not note.strip():
        raise CaseError("note", "A note needs words.")
    most = NOTE_LENGTH if is_note else CONTACT_LENGTH
    if len(note) > most:
        raise CaseError("note", f"At most {most} characters.")
    if minutes is not None and not 1 <= minutes <= CONTACT_MINUTES:
        raise CaseError("minutes", f"From 1 to {CONTACT_MINUTES} minutes.")
    if is_live and kind not in (ContactLog.Kind.CALL, ContactLog.Kind.VISIT):
        raise CaseError("is_live", "Nobody spoke with the patient: choose a call or a visit.")
    return ContactLog.objects.create(
        clinic_id=episode.clinic_id,
        episode=episode,
        kind=kind,
        note=note,
        by=by,
        at=now,
        minutes=minutes,
        is_live=is_live,
    )
