"""A row that can't be handled must not stop a sweep for ever: each attempt is counted before it begins.

The count is committed before the work and taken back with it, in one transaction: so a row that kills its
worker is counted too. What failed waits longer each time and is given up like an e-mail; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Model, Q, QuerySet

from clinic.models import RowAttempt
from clinic.outbox import BACKOFF
from clinic.sweeps import in_one_line

BEGIN = """
    INSERT INTO clinic_rowattempt AS known (clinic_id, sweep, key, attempts, began_at, next_at, error)
    SELECT clinic_id, %(sweep)s, id, 1, %(now)s, %(now)s + (%(waits)s::interval[])[1], ''
    FROM {table} WHERE id = ANY (%(keys)s)
    ON CONFLICT (sweep, key) DO UPDATE SET
        attempts = known.attempts + 1, began_at = %(now)s,
        next_at = %(now)s + (%(waits)s::interval[])[known.attempts + 1]
    WHERE known.next_at <= %(now)s
    RETURNING key
"""
"""After the last wait comes null, which is never due again."""


def attempt[Found](
    *, sweep: str, model: type[Model], key: int, now: datetime, work: Callable[[], Found]
) -> Found | None:
    """Do the work on one row in a transaction; None if the row has to wait, or is given up.

    Raises:
        Exception: whatever the work raised, once it is written down.
    """
    if not begin(sweep=sweep, model=model, keys=[key], now=now):
        return None
    try:
        with transaction.atomic():
            found = work()
            end(sweep=sweep, keys=[key])
    except Exception as error:
        RowAttempt.objects.filter(sweep=sweep, key=key).update(error=in_one_line(error)[:500])
        raise
    return found


def begin(*, sweep: str, model: type[Model], keys: Collection[int], now: datetime) -> list[int]:
    """Count an attempt at each of the rows; returns those that may be handled now."""
    statement = BEGIN.format(table=connection.ops.quote_name(model._meta.db_table))
    values = {"sweep": sweep, "keys": list(keys), "now": now, "waits": list(BACKOFF)}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [key for (key,) in cursor.fetchall()]


def end(*, sweep: str, keys: Collection[int]) -> None:
    """The rows were handled; call it in the transaction of the work."""
    RowAttempt.objects.filter(sweep=sweep, key__in=keys).delete()


def in_trouble(sweep: str, keys: Collection[int]) -> set[int]:
    """Those of the rows at which an attempt was begun and not brought to an end."""
    return set(RowAttempt.objects.filter(sweep=sweep, key__in=keys).values_list("key", flat=True))


def to_try[Rows: QuerySet[Any]](sweep: str, rows: Rows, now: datetime) -> Rows:
    """Without the rows that failed and wait, or are given up."""
    waiting = RowAttempt.objects.filter(Q(next_at=None) | Q(next_at__gt=now), sweep=sweep)
    return rows.exclude(pk__in=waiting.values("key"))


def try_again(*, row: RowAttempt) -> None:
    """The next sweep takes the row up as if it had never failed: somebody has mended it."""
    RowAttempt.objects.filter(pk=row.pk).delete()
