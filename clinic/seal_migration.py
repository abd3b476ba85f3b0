"""Migration operations that turn a text column into a sealed one.

First ``expand``: the sealed column stands beside the plain one, which code of the release before goes on
using. Once the new code runs everywhere, ``seal_rows`` seals what is in the plain columns, in batches, and
``contract`` drops them. Until then the new code does not see the plain text: what it wrote meanwhile stays.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection, migrations, transaction

from clinic.data_keys import SERVICE, prepare, seal

BATCH = 500


def expand(table: str, *columns: str) -> migrations.RunSQL:
    """Both columns have a default: each release leaves out one of them."""
    changes = ", ".join(
        f"ADD COLUMN {column}_sealed bytea NOT NULL DEFAULT ''::bytea, ALTER COLUMN {column} SET DEFAULT ''"
        for column in columns
    )
    return migrations.RunSQL(f"ALTER TABLE {table} {changes}")


def seal_rows(table: str, *columns: str, patient: str) -> migrations.RunPython:
    """``patient`` is an SQL expression for the patient of a ``row``. For a migration with ``atomic = False``:
    each batch is a transaction, and a second run goes on where the first was broken off.
    """

    def run(apps: Any, schema_editor: Any) -> None:
        while _seal_all(table, columns, patient):  # again: a row may have come behind the pass
            pass

    return migrations.RunPython(run)


def contract(table: str, *columns: str) -> migrations.RunSQL:
    dropped = ", ".join(f"DROP COLUMN {column}" for column in columns)
    return migrations.RunSQL(f"ALTER TABLE {table} {dropped}")


def _seal_all(table: str, columns: tuple[str, ...], patient: str) -> bool:
    """One pass through the table, in the order of its ids; whether there was anything to seal."""
    first = last = _seal_batch(table, columns, patient)
    while last is not None:
        last = _seal_batch(table, columns, patient, after=last)
    return first is not None


@transaction.atomic
def _seal_batch(table: str, columns: tuple[str, ...], patient: str, after: Any = None) -> Any:
    """The next rows that hold plain text are emptied of it; returns the last one's id.

    Column by column: beside a plain one there may be another that is sealed already.
    """
    plain = " OR ".join(f"row.{column} <> ''" for column in columns)
    texts = ", ".join(f"row.{column}" for column in columns)
    values = ", ".join(
        f"{column}_sealed = CASE WHEN {column}_sealed = '' THEN %s ELSE {column}_sealed END, {column} = ''"
        for column in columns
    )
    unsealed = f"""
        SELECT row.id, row.clinic_id, {patient}, {texts} FROM {table} AS row
        WHERE ({plain}) {"" if after is None else "AND row.id > %s"}
        ORDER BY row.id LIMIT {BATCH} FOR UPDATE OF row
    """  # noqa: S608  # names written in migrations
    with connection.cursor() as cursor:
        cursor.execute(unsealed, [] if after is None else [after])
        rows = cursor.fetchall()
        prepare({owner: clinic for _, clinic, owner, *_ in rows if owner})
        cursor.executemany(
            f"UPDATE {table} SET {values} WHERE id = %s",  # noqa: S608
            [(*_sealed(texts, owner, clinic), pk) for pk, clinic, owner, *texts in rows],
        )
    return rows[-1][0] if rows else None


def _sealed(texts: list[str], owner: UUID | None, clinic: int) -> list[bytes]:
    return [seal(text, owner or SERVICE, clinic) if text else b"" for text in texts]
