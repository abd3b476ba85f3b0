"""What ``manage.py check --database default`` asks of the audit trail before web, worker and beat start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import connections

from clinic.audit.exempt import EXEMPT

OFF_RECORD = """
    SELECT relname FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND relname <> ALL (%s)
        AND NOT EXISTS (
            SELECT FROM pg_trigger
            WHERE tgrelid = pg_class.oid AND tgname = 'audit' AND tgenabled IN ('O', 'A')
        )
    ORDER BY relname
"""
WRITABLE = """
    SELECT relname FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace
        AND relname IN ('clinic_auditentry', 'clinic_auditseal')
        AND has_table_privilege(oid, 'INSERT, UPDATE, DELETE')
    ORDER BY relname
"""


def audited_tables(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Every table's changes are on record, or it is exempt; and the record is not this role's to write."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(OFF_RECORD, [list(EXEMPT)])
            found += [
                Error(
                    f"Changes of {table} are not on record.",
                    hint="Record it in a migration (clinic.audit.triggers), or name it in EXEMPT.",
                    id="clinic.E010",
                )
                for (table,) in cursor.fetchall()
            ]
            if settings.DATABASE_ROLE == "owner":
                continue
            cursor.execute(WRITABLE)
            found += [
                Error(
                    f"This role may write to {table}.",
                    hint="Set the rights with `manage.py create_roles`.",
                    id="clinic.E011",
                )
                for (table,) in cursor.fetchall()
            ]
    return found
