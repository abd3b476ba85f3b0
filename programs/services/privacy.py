"""A patient's data leave the service: copied for someone entitled to them, or erased.

Erasing takes the patient out of every table at once. What the law has the clinic keep goes, without contact
data and sealed with a key of its own, into a record that daily work does not see; at its term it is purged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from clinic import data_keys
from clinic.audit import seen
from clinic.audit.reading import Access, readers
from clinic.legal_terms import LONGEST, term_of
from clinic.models import Clinic, Membership, OutboxMessage, User
from clinic.roles import Capability, require
from clinic.row_security import Tenant, acting_for, explain
from patients.models import Episode, Erasure, Patient, PrivacyEvent, RestrictedRecord
from patients.services import CaseError, highest_number
from programs.models import Alert, Digest, Program
from programs.services.patient_data import (
    TO_STAFF,
    Export,
    clinical_record,
    collect,
    delete_all,
    hold_all,
    to_json,
)

logger = logging.getLogger(__name__)

What = PrivacyEvent.What


class PurgeError(Exception):
    """Some records could not be purged; raised after all the others were."""


@transaction.atomic
def export_patient(*, patient: Patient, by: User | None, reason: str, now: datetime) -> Export:
    """All data of the patient. ``by`` is nobody where the patient asks, or a command.

    Raises:
        Denied: ``by`` may not export here.
        CaseError: no reason.
    """
    if by is not None:
        require(by, Capability.EXPORT, patient.clinic_id)
    _require_reason(reason)
    _note(What.EXPORTED, patient.clinic_id, patient.pk, by, reason, now)
    read_by = [_reading(access) for access in readers(patient=patient, most=None)]
    seen.take_out(patient.pk, patient.clinic_id)
    return Export(patient.pk, now, collect(patient), read_by)


def _reading(access: Access) -> dict[str, object]:
    """As the patient is shown it in the app."""
    return {"at": access.at, "name": access.by.name, "role": access.by.role, "how": access.kind.label}


def confirmation(patient: Patient) -> str:
    """What is typed to confirm an erasure: the number of the latest case, or the name without one."""
    return latest_case_number(patient) or patient.full_name


def latest_case_number(patient: Patient) -> str:
    """Empty where the patient has no case."""
    latest = patient.episodes.order_by("-opened_on", "-pk").first()
    return str(latest.case_number) if latest else ""


def what_ends(patient: Patient) -> list[str]:
    """What is under way, for whoever is about to erase it."""
    running = Program.objects.active().filter(episode__patient=patient)
    alerts = Alert.objects.unresolved().filter(episode__patient=patient)
    waiting = OutboxMessage.objects.filter(patient_key=patient.pk, state=OutboxMessage.State.PENDING)
    waiting = waiting.exclude(TO_STAFF)
    flags = alerts.filter(kind=Alert.Kind.RED_FLAG).count()
    return [
        *(
            f"The program “{program}” is running: it ends, and nothing is asked any more."
            for program in running
        ),
        *(["An open red flag disappears: make sure that the patient is looked after."] if flags else []),
        *([f"{count} open alerts disappear."] if (count := alerts.count() - flags) else []),
        *([f"{count} e-mails to the patient are not sent any more."] if (count := waiting.count()) else []),
    ]


def what_is_kept(patient: Patient, today: date) -> str:
    """Of someone erased today: until when, and by which law."""
    if not patient.episodes.exists():
        return "Nothing has to be kept: there is no case."
    term, until = term_of(patient.clinic.country), _legal_term(patient, today)
    why = f"{term.country}: {term.years} years after the last treatment ({term.source})"
    if term is LONGEST:
        why = f"The clinic names no country, so the longest term we know holds: {term.years} years"
    return (
        f"The clinical record is put away until {until:%-d %b %Y}. {why}; "
        f"of someone under 18 at least until they are {term.minors_until}."
    )


def exports_of(patient: Patient) -> QuerySet[PrivacyEvent]:
    """When all data of the patient were taken out, by whom and why; the latest first."""
    return _events(patient.pk, What.EXPORTED)


def openings_of(record: RestrictedRecord) -> QuerySet[PrivacyEvent]:
    """When what is left of someone erased was opened, by whom and why; the latest first."""
    return _events(record.erasure_id, What.OPENED)


def _events(patient_key: UUID, what: str) -> QuerySet[PrivacyEvent]:
    return PrivacyEvent.objects.filter(patient_key=patient_key, what=what).select_related("by")


@transaction.atomic
def erase_patient(
    *, patient: Patient, by: User, case_number: str, reason: str, now: datetime, today: date
) -> Erasure:
    """Erase the patient for good. Asked again for someone who is erased already, it changes nothing.

    Raises:
        Denied: ``by`` may not erase here.
        CaseError: the case number typed is not the patient's, or there is no reason.
    """
    require(by, Capability.ERASE, patient.clinic_id)
    _hold(patient)
    done: Erasure | None = Erasure.objects.filter(pk=patient.pk).first()
    if done is not None:
        return done
    if case_number.strip() != confirmation(patient):
        raise CaseError("case_number", f"Type {confirmation(patient)} to confirm.")
    _require_reason(reason)
    _note(What.ERASED, patient.clinic_id, patient.pk, by, reason, now)
    return _erase(patient, now=now, keep_until=_legal_term(patient, today))


@transaction.atomic
def open_record(*, record: RestrictedRecord, by: User, reason: str, now: datetime) -> str:
    """The clinical record of someone erased, as JSON.

    Raises:
        Denied: ``by`` may not erase here, and so not read it either.
        CaseError: no reason.
    """
    require(by, Capability.ERASE, record.clinic_id)
    _require_reason(reason)
    _note(What.OPENED, record.clinic_id, record.erasure_id, by, reason, now)
    seen.take_out(record.erasure_id, record.clinic_id)
    return str(record.content)


def purge_due(*, now: datetime, today: date) -> int:
    """Destroy what the law has let go of; how many records it were.

    Raises:
        PurgeError: some could not be destroyed; raised after all the others were.
    """
    due = Erasure.objects.filter(purged_at=None, keep_until__lte=today)
    purged, failed = 0, list[Exception]()
    for erasure in due.order_by("keep_until", "pk"):
        try:
            _purge(erasure, now)
            purged += 1
        except Exception as error:
            logger.exception("the record of erasure %s could not be purged", erasure.pk)
            failed.append(error)
    if failed:
        raise PurgeError(f"{len(failed)} records could not be purged.") from failed[0]
    return purged


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the ledger."""

    patient_key: UUID
    clinic: int
    erased_at: datetime
    keep_until: date
    purged_at: datetime | None = None


def ledger() -> list[Entry]:
    """Every erasure that the tenant may see, the oldest first."""
    rows = Erasure.objects.order_by("erased_at", "pk")
    return [Entry(*row) for row in rows.values_list("pk", "clinic", "erased_at", "keep_until", "purged_at")]


def reapply(*, entries: Iterable[Entry], now: datetime) -> Mapping[str, int]:
    """After a restore: erase again, and purge again, whom the ledger names. A second time changes nothing."""
    counts = {"erased": 0, "purged": 0, "unchanged": 0}
    with acting_for(Tenant(platform=True)):
        clinics = set(Clinic.objects.values_list("pk", flat=True))
    for entry in entries:
        if entry.clinic not in clinics:
            counts["unchanged"] += 1
            continue
        with acting_for(Tenant((entry.clinic,))), transaction.atomic():
            counts[_reapply(entry, now)] += 1
    return counts


def _reapply(entry: Entry, now: datetime) -> str:
    patient = Patient.objects.select_for_update().filter(pk=entry.patient_key).first()
    erasure = Erasure.objects.filter(pk=entry.patient_key).first()
    if patient is not None:
        _note(What.ERASED, entry.clinic, entry.patient_key, None, "Applied again after a restore.", now)
        erasure = _erase(patient, now=entry.erased_at, keep_until=entry.keep_until)
    elif erasure is None:  # erased after the copy was made of someone who came after it
        purged_at = entry.purged_at or now
        Erasure.objects.create(
            patient_key=entry.patient_key,
            clinic_id=entry.clinic,
            erased_at=entry.erased_at,
            keep_until=entry.keep_until,
            purged_at=purged_at,
        )
    if erasure is not None and entry.purged_at and erasure.purged_at is None:
        _purge(erasure, entry.purged_at)
        return "purged" if patient is None else "erased"
    return "unchanged" if patient is None else "erased"


def _erase(patient: Patient, *, now: datetime, keep_until: date) -> Erasure:
    """Whoever writes about the patient at this moment waits, and then finds nobody."""
    hold_all(patient.pk)
    cases = list(patient.episodes.order_by("pk").values_list("pk", "case_number"))
    record = to_json(clinical_record(patient)) if cases else ""
    erasure = Erasure.objects.create(
        patient_key=patient.pk,
        clinic_id=patient.clinic_id,
        erased_at=now,
        keep_until=keep_until,
        purged_at=None if cases else now,
    )
    if cases:
        RestrictedRecord.objects.create(
            clinic_id=patient.clinic_id,
            erasure=erasure,
            case_numbers=[number for _, number in cases],
            content=record,
        )
    _forget_digests(patient.clinic_id, {pk for pk, _ in cases})
    login = patient.user_id
    delete_all(patient.pk)
    data_keys.destroy(patient.pk)
    if login is not None:
        _ask("forget_login", login)
    if not cases:
        _ask("audit_forget", erasure.pk)
    return erasure


def _hold(patient: Patient) -> None:
    """Of two who erase, the second waits, and finds it done."""
    list(Patient.objects.select_for_update().filter(pk=patient.pk))


def _forget_digests(clinic_id: int, cases: set[int]) -> None:
    """What digests said that named these cases. One that waits is taken back, and written again without them;
    one on its way is not: its week was told.
    """
    for digest in Digest.objects.filter(clinic=clinic_id).exclude(message=None):
        if not cases & _cases_named(digest):
            continue
        message = OutboxMessage.objects.select_for_update(of=("self",)).get(pk=digest.message_id)
        if message.state in (OutboxMessage.State.SENT, OutboxMessage.State.DEAD):
            blank(message)
            continue
        if message.state == OutboxMessage.State.PENDING:
            digest.delete()
            Membership.objects.filter(clinic=clinic_id, user=digest.clinician_id).update(next_digest_at=None)
        message.delete()


def blank(message: OutboxMessage) -> None:
    """That it was sent stays known; what it said does not."""
    message.text = message.html = ""
    message.images = {}
    message.save(update_fields=["text", "html", "images"])


def _cases_named(digest: Digest) -> set[int]:
    """Its content names alerts too, by the number of their row."""
    sections = (ids for name, ids in digest.content.items() if "alerts" not in name)
    return {pk for ids in sections if isinstance(ids, list) for pk in ids}


def _legal_term(patient: Patient, today: date) -> date:
    """Counted from the last treatment: today where a case is open."""
    days = list(Episode.objects.filter(patient=patient).values_list("closed_on", flat=True))
    if not days:
        return today
    last = today if None in days else max(day for day in days if day)
    return term_of(patient.clinic.country).ends_on(last, patient.birth_date)


@transaction.atomic
def _purge(erasure: Erasure, now: datetime) -> None:
    records = RestrictedRecord.objects.filter(erasure=erasure)
    numbers = highest_number(chain.from_iterable(records.values_list("case_numbers", flat=True)))
    Clinic.objects.filter(pk=erasure.clinic_id, case_number__lt=numbers).update(case_number=numbers)
    data_keys.destroy(*records.values_list("pk", flat=True))
    records.delete()
    Erasure.objects.filter(pk=erasure.pk).update(purged_at=now)
    _ask("audit_forget", erasure.pk)


def _ask(function: str, key: UUID | int) -> None:
    """Of the database, which lets the application do this and no more."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [key])


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise CaseError("reason", "Say why.")


def _note(what: str, clinic_id: int, patient_key: UUID, by: User | None, reason: str, now: datetime) -> None:
    explain(reason.strip())
    event = PrivacyEvent(
        clinic_id=clinic_id, patient_key=patient_key, what=what, by=by, reason=reason.strip()[:300], at=now
    )
    # Nothing is read back: a patient's own export is noted, and the note is the clinic's.
    PrivacyEvent.objects.bulk_create([event], ignore_conflicts=True)
