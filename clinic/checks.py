"""System checks that need the database: ``manage.py check --database default``, run before the web starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import connections

from clinic import secrets
from clinic.row_security.exempt import EXEMPT

ROLE = "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
OWNED = """
    SELECT count(*) FROM pg_tables
    WHERE schemaname = current_schema() AND pg_has_role(current_user, tableowner, 'MEMBER')
"""
KNOWN_POLICIES = ["tenant", "shared", "glass", "migration"]
"""Policies add up: one more, of whatever name, would open the table."""

UNPROTECTED = """
    SELECT relname FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relname <> ALL (%(exempt)s)
        AND CASE
            WHEN relkind IN ('r', 'p') THEN
                NOT (relrowsecurity AND relforcerowsecurity)
                OR NOT EXISTS (
                    SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND polname = 'tenant'
                )
                OR EXISTS (
                    SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND (
                        polname <> ALL (%(known)s) OR polname = 'migration' AND polroles <> ARRAY[relowner]
                    )
                )
            WHEN relkind = 'v' THEN NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)
            ELSE relkind = 'm'
        END
    ORDER BY relname
"""
HIDDEN = """
    SELECT relname FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
        AND row_security_active(oid)
        AND (
            NOT EXISTS (
                SELECT FROM pg_policy, unnest(polroles) AS role
                WHERE polrelid = pg_class.oid AND polpermissive AND polcmd = '*'
                    AND pg_get_expr(polqual, polrelid) = 'true'
                    AND (role = 0 OR pg_has_role(role, 'USAGE'))
            )
            OR EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND NOT polpermissive)
        )
    ORDER BY relname
"""
LOOK_UP = "SELECT to_regproc('keys_to_try') IS NOT NULL"
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
    """A table or view must keep each tenant to its rows, or be exempt with a reason."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(UNPROTECTED, {"exempt": list(EXEMPT), "known": KNOWN_POLICIES})
            found += [
                Error(
                    f"{table} is not kept to each tenant's rows.",
                    hint="Protect it in a migration (clinic.row_security.policies), or name it in EXEMPT.",
                    id="clinic.E004",
                )
                for (table,) in cursor.fetchall()
            ]
    return found


def opened_keys(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The master key is that of the database: else nothing of what is sealed could be read. The oldest and
    the latest data key are tried; before the migration that stores any, there is nothing to try.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(LOOK_UP)
            if cursor.fetchone() == (False,):
                continue
            cursor.execute("SELECT keys_to_try()")
            lost = [wrapped for (wrapped,) in cursor.fetchall() if not secrets.opens(wrapped)]
        if lost:
            message = "ENCRYPTION_KEYS does not open what this database has stored encrypted."
            advice = "Give it every key the database was used with, the newest first."
            found.append(Error(message, hint=advice, id="clinic.E007"))
    return found


def tables_not_seen_whole(alias: str) -> list[str]:
    """Tables of which a policy may hide rows from the role that is connected."""
    with connections[alias].cursor() as cursor:
        cursor.execute(HIDDEN)
        return [table for (table,) in cursor.fetchall()]
