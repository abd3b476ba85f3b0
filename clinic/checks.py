"""System checks that need the database: ``manage.py check --database default``, run before the web starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import connections

from clinic.row_security.exempt import EXEMPT

ROLE = "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
OWNED = """
    SELECT count(*) FROM pg_tables WHERE tableowner = current_user AND schemaname = current_schema()
"""
UNPROTECTED = """
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
        AND relname <> ALL (%s)
        AND NOT (relrowsecurity AND relforcerowsecurity AND EXISTS (
            SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND polname = 'tenant'
        ))
    ORDER BY relname
"""
ADVICE = "Make the roles with `manage.py create_roles`."


def database_role(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The process must not connect as a role that tenancy or the table definitions don't bind."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(ROLE)
            name, superuser, bypasses = cursor.fetchone()
            cursor.execute(OWNED)
            (tables,) = cursor.fetchone()
        if superuser:
            found.append(Error(f"The database role {name} is a superuser.", hint=ADVICE, id="clinic.E001"))
        if bypasses:
            message = f"The database role {name} bypasses row-level security."
            found.append(Error(message, hint=ADVICE, id="clinic.E002"))
        if tables and settings.DATABASE_ROLE != "owner":
            message = f"The database role {name} owns tables; only DATABASE_OWNER_URL's may."
            found.append(Error(message, hint=ADVICE, id="clinic.E003"))
    return found


def protected_tables(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """A table must keep each tenant to its rows, or be exempt with a reason."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(UNPROTECTED, [list(EXEMPT)])
            found += [
                Error(
                    f"The table {table} has no row-level security.",
                    hint="Protect it in a migration (clinic.row_security.policies), or name it in EXEMPT.",
                    id="clinic.E004",
                )
                for (table,) in cursor.fetchall()
            ]
    return found
