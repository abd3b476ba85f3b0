"""A row that can't be handled must not stop a sweep for ever: each attempt is counted before it begins.

The count is committed before the work and taken back with it, in one transaction: so a row that kills its
worker is counted too. What failed waits longer each time and is given up like an e-mail, unless it must
never be; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Model, Q, QuerySet

from clinic.models import RowAttempt
from clinic.outbox import BACKOFF
from clinic.sweeps import in_one_line

type Waits = Sequence[timedelta | None]
"""After the first, second ... failed attempt; the last one stays. What waits for None is given up."""

GIVE_UP: Waits = (*BACKOFF, None)
NEVER_GIVE_UP: Waits = BACKOFF[:4]
"""From a minute to an hour, and then each hour: for what somebody's safety depends on."""

BEGIN = """
    INSERT INTO clinic_rowattempt AS known (clinic_id, sweep, key, attempts, began_at, next_at, error)
    SELECT clinic_id, %(sweep)s, id, 1, %(now)s, %(now)s + (%(waits)s::interval[])[1], ''
    FROM {table} WHERE id = ANY (%(keys)s)
    ON CONFLICT (sweep, key) DO UPDATE SET
        attempts = known.attempts + 1, began_at = %(now)s,
        next_at = %(now)s + (%(waits)s::interval[])[least(known.attempts + 1, %(last)s)]
    WHERE known.next_at <= %(now)s
    RETURNING key
"""


def attempt[Found](
    *,
    sweep: str,
    model: type[Model],
    key: int,
    now: datetime,
    work: Callable[[], Found],
    waits: Waits = GIVE_UP,
) -> Found | None:
    """Do the work on one row in a transaction; None if the row has to wait, or is given up.

    Raises:
        Exception: whatever the work raised, once it is written down.
    """
    if not begin(sweep=sweep, model=model, keys=[key], now=now, waits=waits):
        return None
    try:
        with transaction.atomic():
            found = work()
            end(sweep=sweep, keys=[key])
    except Exception as error:
        RowAttempt.objects.filter(sweep=sweep, key=key).update(error=in_one_line(error)[:500])
        raise
    return found


def begin(
    *, sweep: str, model: type[Model], keys: Collection[int], now: datetime, waits: Waits = GIVE_UP
) -> list[int]:
    """Count an attempt at each of the rows; returns those that may be handled now."""
    statement = BEGIN.format(table=connection.ops.quote_name(model._meta.db_table))
    about = {"sweep": sweep, "keys": list(keys), "now": now}
    with connection.cursor() as cursor:
        cursor.execute(statement, {**about, "waits": list(waits), "last": len(waits)})
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


def forget_others(sweep: str, rows: QuerySet[Any]) -> int:
    """Only ``rows`` can come due in this sweep: what was noted of any other is of no use any more."""
    deleted, _ = RowAttempt.objects.filter(sweep=sweep).exclude(key__in=rows.values("pk")).delete()
    return deleted


def try_again(*, rows: QuerySet[RowAttempt]) -> int:
    """The next sweep takes these up as if they had never failed: somebody has mended them."""
    deleted, _ = rows.delete()
    return deleted
