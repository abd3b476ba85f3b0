"""Migration operations that turn a text column into a sealed one, under traffic.

First ``expand``: the sealed column stands beside the plain one, which code of the release before goes on
using. Once the new code runs everywhere, ``seal_rows`` seals what is in the plain columns, in batches, and
``contract`` drops them.
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
        while _seal_batch(table, columns, patient):
            pass

    return migrations.RunPython(run)


def contract(table: str, *columns: str) -> migrations.RunSQL:
    dropped = ", ".join(f"DROP COLUMN {column}" for column in columns)
    return migrations.RunSQL(f"ALTER TABLE {table} {dropped}")


@transaction.atomic
def _seal_batch(table: str, columns: tuple[str, ...], patient: str) -> int:
    """Rows that hold plain text; they are emptied of it, so that each is sealed once."""
    plain = " OR ".join(f"row.{column} <> ''" for column in columns)
    texts = ", ".join(f"row.{column}" for column in columns)
    values = ", ".join(f"{column}_sealed = %s, {column} = ''" for column in columns)
    unsealed = f"""
        SELECT row.id, row.clinic_id, {patient}, {texts} FROM {table} AS row
        WHERE {plain} ORDER BY row.id LIMIT {BATCH} FOR UPDATE OF row
    """  # noqa: S608  # names written in migrations
    with connection.cursor() as cursor:
        cursor.execute(unsealed)
        rows = cursor.fetchall()
        prepare({owner: clinic for _, clinic, owner, *_ in rows if owner})
        cursor.executemany(
            f"UPDATE {table} SET {values} WHERE id = %s",  # noqa: S608
            [(*_sealed(texts, owner, clinic), pk) for pk, clinic, owner, *texts in rows],
        )
    return len(rows)


def _sealed(texts: list[str], owner: UUID | None, clinic: int) -> list[bytes]:
    return [seal(text, owner or SERVICE, clinic) if text else b"" for text in texts]
