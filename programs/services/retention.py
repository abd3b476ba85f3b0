"""What is kept how long, in one table, and forgetting it: what no law asks to keep goes by itself.

Access (device tokens, login codes, invitations) has its terms in ``patients.services.forget_expired``; the
record of someone erased has its legal term (``clinic.legal_terms``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Q

from clinic import attempts
from clinic.models import OutboxMessage, SweepRun
from programs.services import assessment_drafts
from programs.services.lateness import rows_of_sweeps
from programs.services.privacy import Entry, blank, ledger, purge_due

KEPT = {
    "what an e-mail said": timedelta(days=30),
    "that an e-mail was sent, and to whom": timedelta(days=400),
    "a draft of an assessment that nobody goes on with": assessment_drafts.KEPT,
    "when a periodic job last ran": timedelta(days=90),
}
BATCH = 500


class LedgerError(ValueError):
    """The file is no ledger of erasures; the line at fault is named."""


def forget_of_clinic(*, now: datetime, today: date) -> dict[str, int]:
    """What is over its term among the rows of the present clinic; at most a batch of each.

    Raises:
        PurgeError: some restricted records could not be destroyed.
    """
    return {
        "mails_blanked": _blank_mails(now),
        "mails_deleted": _delete_mails(now),
        "troubles_deleted": sum(
            attempts.forget_others(sweep, rows) for sweep, (rows, _) in rows_of_sweeps().items()
        ),
        "drafts_deleted": assessment_drafts.forget_drafts(now=now),
        "records_purged": purge_due(now=now, today=today),
    }


def forget_of_platform(*, now: datetime) -> dict[str, int]:
    """Jobs that run no more, e-mails of no clinic."""
    jobs, _ = SweepRun.objects.filter(started_at__lt=now - KEPT["when a periodic job last ran"]).delete()
    of_nobody = OutboxMessage.objects.filter(clinic=None)
    mails, _ = of_nobody.filter(_older("what an e-mail said", now)).delete()
    return {"jobs": jobs, "mails_deleted": mails}


def write_ledger(path: Path) -> int:
    """Add to the file what it lacks of the ledger, at once or not at all; how many lines it has then.

    What the file knows and the database does not stays: the database may have been restored.
    """
    known = {entry.patient_key: entry for entry in (read_ledger(path) if path.exists() else [])}
    for entry in ledger():
        before = known.get(entry.patient_key)
        if before is None or before.purged_at is None:
            known[entry.patient_key] = entry
    lines = [json.dumps(asdict(entry), cls=DjangoJSONEncoder) for entry in _in_order(known.values())]
    text = "".join(f"{line}\n" for line in lines)
    if not path.exists() or text != path.read_text(encoding="utf-8"):
        _write(path, text)
    return len(lines)


def read_ledger(path: Path) -> list[Entry]:
    """Raises LedgerError."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_entry(line, number) for number, line in enumerate(lines, start=1) if line.strip()]


def _write(path: Path, text: str) -> None:
    """On disk when it returns: the machine may be lost with the database."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _entry(line: str, number: int) -> Entry:
    try:
        values = json.loads(line)
        return Entry(
            patient_key=UUID(values["patient_key"]),
            clinic=int(values["clinic"]),
            erased_at=datetime.fromisoformat(values["erased_at"]),
            keep_until=date.fromisoformat(values["keep_until"]),
            purged_at=datetime.fromisoformat(values["purged_at"]) if values["purged_at"] else None,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LedgerError(f"line {number}: {type(error).__name__}: {error}") from None


def _in_order(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.erased_at, entry.patient_key))


def _blank_mails(now: datetime) -> int:
    """One after the other: an e-mail that can't be blanked keeps no other from it."""
    over = OutboxMessage.objects.filter(_older("what an e-mail said", now)).exclude(text="", html="")
    with transaction.atomic():
        rows = list(over.select_for_update(skip_locked=True, of=("self",)).order_by("created_at")[:BATCH])
        for message in rows:
            blank(message)
    return len(rows)


def _delete_mails(now: datetime) -> int:
    over = OutboxMessage.objects.filter(_older("that an e-mail was sent, and to whom", now))
    keys = list(over.order_by("created_at").values_list("pk", flat=True)[:BATCH])
    OutboxMessage.objects.filter(pk__in=keys).delete()
    return len(keys)


def _older(what: str, now: datetime) -> Q:
    done = Q(state__in=(OutboxMessage.State.SENT, OutboxMessage.State.DEAD))
    return done & Q(created_at__lt=now - KEPT[what])
