"""The three database roles: who owns the tables, who serves requests, who sweeps.

    owner  migrations; owns the database and every table
    app    web processes and ordinary commands: reads and writes rows
    sweep  Celery worker and beat: the same, apart so that what they do can be told from a request

None is a superuser or bypasses row-level security; only the owner may define or truncate tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

ROW_RIGHTS = sql.SQL("SELECT, INSERT, UPDATE, DELETE")
LOCK_SECONDS = 5
"""How long a migration waits for a table in use, and everybody else behind it; then it gives up."""
KEPT_BY_DATABASE = ("clinic_auditentry", "clinic_auditseal")
"""The audit trail, which only functions of the owner write."""


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    password: str

    @classmethod
    def of_url(cls, url: str) -> Role:
        parts = urlsplit(url)
        return cls(unquote(parts.username or ""), unquote(parts.password or ""))


def database_of_url(url: str) -> str:
    return unquote(urlsplit(url).path.strip("/"))


def create_roles(admin_url: str, *, database: str, owner: Role, app: Role, sweep: Role) -> None:
    """Make or correct the roles, the database and the rights on it; safe to repeat.

    ``admin_url`` connects a role that may create roles and databases; it is needed for this only.
    """
    with psycopg.connect(admin_url, autocommit=True) as admin:
        for role in (owner, app, sweep):
            _create_role(admin, role)
        patience = sql.SQL("ALTER ROLE {} SET lock_timeout = {}")
        admin.execute(patience.format(sql.Identifier(owner.name), sql.Literal(f"{LOCK_SECONDS}s")))
        _create_database(admin, database, owner)
    with psycopg.connect(admin_url, dbname=database) as admin:
        grant_rights(admin, owner, [app, sweep])


def _create_role(admin: psycopg.Connection, role: Role) -> None:
    """An existing role keeps what the administrator gave it, except the rights that would void the rules."""
    name, password = sql.Identifier(role.name), sql.Literal(role.password)
    query = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s"
    found = admin.execute(query, [role.name]).fetchone()
    if found is None:
        admin.execute(sql.SQL("CREATE ROLE {} NOSUPERUSER NOBYPASSRLS").format(name))
    elif found[0]:
        admin.execute(sql.SQL("ALTER ROLE {} NOSUPERUSER NOBYPASSRLS").format(name))
    admin.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, password))
    # Policies make short queries look costly; to compile them took 40 ms each.
    admin.execute(sql.SQL("ALTER ROLE {} SET jit = off").format(name))


def _create_database(admin: psycopg.Connection, database: str, owner: Role) -> None:
    name, holder = sql.Identifier(database), sql.Identifier(owner.name)
    admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(holder))  # a managed server has no superuser
    if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, holder))
    else:
        admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, holder))
    admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))


def grant_rights(admin: psycopg.Connection, owner: Role, users: list[Role]) -> None:
    """In the connected database: the owner defines, the users read and write rows, of later tables too."""
    holder = sql.Identifier(owner.name)
    names = sql.SQL(", ").join(sql.Identifier(user.name) for user in users)
    database = sql.Identifier(admin.info.dbname)
    defaults = sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public GRANT").format(holder)
    for statement in (
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, names),
        sql.SQL("ALTER SCHEMA public OWNER TO {}").format(holder),
        sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(names),
        sql.SQL("GRANT {} ON ALL TABLES IN SCHEMA public TO {}").format(ROW_RIGHTS, names),
        sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(names),
        sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {}").format(names),
        sql.SQL("{} {} ON TABLES TO {}").format(defaults, ROW_RIGHTS, names),
        sql.SQL("{} USAGE, SELECT ON SEQUENCES TO {}").format(defaults, names),
    ):
        admin.execute(statement)
    for table in KEPT_BY_DATABASE:
        if admin.execute("SELECT to_regclass(%s)", [table]).fetchone() != (None,):
            revoke = sql.SQL("REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {} FROM {}")
            admin.execute(revoke.format(sql.Identifier(table), names))
