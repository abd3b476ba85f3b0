"""One throw-away PostgreSQL and Valkey a test run, and one database a pytest process.

With DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL in the environment those servers are used instead; the
owner must then be allowed to create databases. The tables are made once, as the owner, in a template; each
process gets a copy of it and works there as the application's role.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.management import create_contenttypes
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import post_migrate
from psycopg import sql

from clinic import embedded
from clinic.database_roles import Role, create_roles, grant_rights
from clinic.embedded.layout import DATABASE
from tests.databases import drop, end_sessions


def set_environment() -> None:
    """Addresses of this run's servers, before the settings are read; processes started later inherit them."""
    if "TEST_RUN" in os.environ:
        return
    data = Path(tempfile.mkdtemp(prefix="knee-test-", dir="/tmp"))
    atexit.register(shutil.rmtree, data, ignore_errors=True)  # also where no test is even collected
    os.environ |= {
        "TEST_RUN": data.name.removeprefix("knee-test-").lower(),
        "DATA_DIR": str(data),
        "DEMO": "1",
    }
    if "DATABASE_URL" in os.environ and "REDIS_URL" in os.environ:
        os.environ["TEST_SERVERS_GIVEN"] = "1"
    else:
        os.environ |= embedded.locate(data).environment()


def worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def own_cache(url: str) -> str:
    """The cache's address with a database number of this worker's own: 1, 2, ..."""
    number = 1 + int(worker().removeprefix("gw")) if worker() != "main" else 1
    return f"{url[:-1]}{number}"


@contextmanager
def running() -> Iterator[None]:
    """The servers of this run, in the process that starts it."""
    if "TEST_SERVERS_GIVEN" in os.environ:
        try:
            yield
        finally:
            _drop_databases()
    else:
        with embedded.running(Path(os.environ["DATA_DIR"]), throwaway=True, initialise=_create_roles):
            yield


def _create_roles(layout: embedded.Layout) -> None:
    roles = {
        kind: Role.of_url(layout.environment()[name])
        for kind, name in (
            ("owner", "DATABASE_OWNER_URL"),
            ("app", "DATABASE_URL"),
            ("sweep", "DATABASE_SWEEP_URL"),
        )
    }
    create_roles(layout.admin_url, database=DATABASE, **roles)
    with psycopg.connect(layout.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(sql.Identifier(roles["owner"].name)))


def use_own_database(*, migrations: bool) -> None:
    """Point Django's connection at a fresh copy of the template."""
    if not migrations:
        settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
    template, own = f"{_prefix()}template", f"{_prefix()}{worker()}"
    connection.close()
    with (Path(os.environ["DATA_DIR"]) / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _exists(template):
            _execute_as_owner(f'CREATE DATABASE "{template}"')
            _fill(template)
        _execute_as_owner(f'CREATE DATABASE "{own}" TEMPLATE "{template}"')
    connection.settings_dict["NAME"] = own


def keep_permissions() -> None:
    """Emptying the tables after a test with real transactions leaves them: to make them anew took longer.

    On each connection of this process: while a browser is open, its event loop gives the thread another one.
    """
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)
    introspection = type(connection.introspection)
    tables = introspection.django_table_names
    kept = {"django_content_type", "auth_permission"}
    introspection.django_table_names = lambda self, *arguments, **options: [
        table for table in tables(self, *arguments, **options) if table not in kept
    ]


def keep_database(name: str) -> None:
    """A copy of this process's database as it is now, for ``restore_database``."""
    own = f"{_prefix()}{worker()}"
    connection.close()
    end_sessions(own)  # such as of a thread of the test before
    _execute_as_owner(f'CREATE DATABASE "{own}_{name}" TEMPLATE "{own}"')


def restore_database(name: str) -> None:
    """This process's database as it was when it was kept under that name."""
    own = f"{_prefix()}{worker()}"
    connection.close()
    drop(own)
    _execute_as_owner(f'CREATE DATABASE "{own}" TEMPLATE "{own}_{name}"')


def forget_database(name: str) -> None:
    drop(f"{_prefix()}{worker()}_{name}")


def _fill(template: str) -> None:
    names = ("DATABASE_OWNER_URL", "DATABASE_URL", "DATABASE_SWEEP_URL")
    owner, app, sweep = (Role.of_url(os.environ[name]) for name in names)
    with psycopg.connect(_owner_url(template)) as database:
        grant_rights(database, owner, [app, sweep])
    usual = {key: connection.settings_dict[key] for key in ("USER", "PASSWORD", "NAME")}
    connection.settings_dict.update(USER=owner.name, PASSWORD=owner.password, NAME=template)
    call_command("migrate", verbosity=0, run_syncdb=True)
    connection.close()
    connection.settings_dict.update(usual)
    with psycopg.connect(_owner_url(template)) as database:
        # Knox makes its table although its model is swapped; Django's flush knows nothing of it and trips.
        database.execute("DROP TABLE IF EXISTS knox_authtoken")
        _let_tests_see_every_row(database)
        _plan_as_for_a_filled_table(database)
        # pytest-django empties tables after tests with real transactions.
        database.execute(
            sql.SQL("GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {}").format(sql.Identifier(app.name))
        )
        _leave_truncate_alone(database)


def _let_tests_see_every_row(database: psycopg.Connection) -> None:
    """What a test sets up and asserts belongs to any clinic. Requests are held to the policies all the same:
    see ``tests.enforced``."""
    tables = database.execute(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace"
    )
    for (table,) in tables.fetchall():
        database.execute(
            sql.SQL(
                "CREATE POLICY tests ON {} USING (current_setting('tests.everything', true) = 'on')"
            ).format(sql.Identifier(table))
        )


def _leave_truncate_alone(database: psycopg.Connection) -> None:
    """The audit trail refuses it, and notes that of every other table."""
    triggers = database.execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
        " WHERE tgname IN ('refuse_truncate', 'audit_truncate')"
    )
    for table, trigger in triggers.fetchall():
        disable = sql.SQL("ALTER TABLE {} DISABLE TRIGGER {}")
        database.execute(disable.format(sql.Identifier(table), sql.Identifier(trigger)))


def _plan_as_for_a_filled_table(database: psycopg.Connection) -> None:
    """What a test stores is never analysed: without statistics its plans would be chosen by chance."""
    database.execute(
        "SELECT pg_restore_relation_stats('schemaname', 'public', 'relname', relname::text, "
        "'relpages', 100, 'reltuples', 5000::real) "
        "FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"
    )


def _prefix() -> str:
    return f"test_{os.environ['TEST_RUN']}_"


def _owner_url(database: str) -> str:
    return urlunsplit(urlsplit(os.environ["DATABASE_OWNER_URL"])._replace(path=f"/{database}"))


def _execute_as_owner(statement: str) -> None:
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(statement.encode())


def _exists(database: str) -> bool:
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        found = owner.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
    return found is not None


def _drop_databases() -> None:
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        names = owner.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_prefix()])
        found = [name for (name,) in names]
    for name in found:
        drop(name)
