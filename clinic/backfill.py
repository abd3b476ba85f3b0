"""A migration operation that changes many rows of a table in use: some at a time, each time committed.

One UPDATE of all rows would keep their locks until it is over; beside a change of the table in the same
transaction it would keep everybody out of it.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, migrations, transaction

BATCH = 500


def in_batches(table: str, change: str) -> migrations.RunPython:
    """``change`` is an UPDATE of the rows whose ``id`` is ``ANY(%(ids)s)``; a second time it changes nothing.

    For a migration with ``atomic = False``: broken off, it may be run again.
    """

    def run(apps: Any, schema_editor: Any) -> None:
        change_in_batches(table, change)

    return migrations.RunPython(run)


def change_in_batches(table: str, change: str, batch: int = BATCH) -> None:
    """Run ``change`` on all rows of the table, in the order of their ids."""
    last = 0
    while ids := _ids(table, last, batch):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change, {"ids": ids})
        last = ids[-1]


def _ids(table: str, after: int, batch: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {table} WHERE id > %s ORDER BY id LIMIT %s",  # noqa: S608  # a name in a migration
            [after, batch],
        )
        return [pk for (pk,) in cursor.fetchall()]
