"""The hash chain over the audit trail: sealed in batches as the entries come, recomputed to prove it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Min
from django.db.models.expressions import RawSQL

from clinic.audit.models import AuditEntry, AuditSeal

BATCH = 1000
BATCHES = 50


def seal(*, batch: int = BATCH, batches: int = BATCHES) -> int:
    """Seal what has been committed, in transactions of ``batch`` entries; returns how many."""
    sealed = 0
    for _ in range(batches):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT audit_seal(%s)", [batch])
            found: int = cursor.fetchone()[0]
        sealed += found
        if found < batch:
            break
    return sealed


class Sealed(NamedTuple):
    """An entry as it lies in the chain; ``text`` is what its hash is taken of."""

    id: int
    position: int
    hash: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, at which place of the chain."""

    kind: str
    position: int
    entry: int | None
    detail: str


@dataclass(slots=True)
class Finding:
    """What a check of the whole chain found; ``head`` is its end, to be kept where the database is not."""

    sealed: int = 0
    unsealed: int = 0
    unsealed_since: datetime | None = None
    head: str = ""
    problems: list[Problem] = field(default_factory=list)


def verify(*, expect: str = "") -> Finding:
    """Recompute the chain; ``expect`` is the head of an earlier check.

    Asks for every clinic's entries: to be called as the owner of the tables.

    Raises:
        ValueError: ``expect`` is no head.
    """
    waiting = AuditEntry.objects.filter(position=None)
    finding = Finding(unsealed=waiting.count(), unsealed_since=waiting.aggregate(first=Min("at"))["first"])
    seals = {seal.position: bytes(seal.hash) for seal in AuditSeal.objects.all()}
    if expect:
        expected, _, digest = expect.partition(":")
        seals[int(expected)] = bytes.fromhex(digest)
    position, link = 0, b""
    for entry in _entries():
        finding.problems += _compare(entry, position, link, seals.get(entry.position))
        finding.sealed += 1
        # From here on by what is stored: one change is told once.
        position, link = entry.position, entry.hash
    finding.problems += _ends(position, max(seals, default=0))
    finding.head = f"{position}:{link.hex()}"
    return finding


def _entries() -> Iterator[Sealed]:
    text = RawSQL("audit_text(clinic_auditentry)", [])
    rows: Iterable[tuple[int, int, memoryview, str]] = (
        AuditEntry.objects.exclude(position=None)
        .order_by("position")
        .annotate(text=text)
        .values_list("id", "position", "hash", "text")
        .iterator(chunk_size=5000)
    )
    for pk, position, stored, canonical in rows:
        yield Sealed(pk, position, bytes(stored), canonical)


def _compare(entry: Sealed, position: int, link: bytes, seal: bytes | None) -> Iterator[Problem]:
    """An entry with the one before it, and with the seal if it was the last of a batch."""
    if entry.position != position + 1:
        gone = entry.position - position - 1
        yield Problem(
            "removed", position + 1, None, f"{gone} before entry {entry.id} (position {entry.position})"
        )
        return
    if hashlib.sha256(link + entry.text.encode()).digest() != entry.hash:
        yield Problem(
            "changed", entry.position, entry.id, f"entry {entry.id} does not follow from those before it"
        )
    if seal is not None and seal != entry.hash:
        yield Problem("changed", entry.position, entry.id, f"entry {entry.id} is not what was sealed")


def _ends(last: int, sealed: int) -> Iterator[Problem]:
    if last < sealed:
        yield Problem("removed", last + 1, None, f"the last {sealed - last} sealed entries")
    if last > sealed:
        yield Problem("inserted", sealed + 1, None, f"{last - sealed} behind the last seal")
