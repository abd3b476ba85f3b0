"""The service's roles may do what they need and nothing beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from clinic import embedded
from clinic.checks import database_role
from clinic.database_roles import Role, create_roles
from clinic.embedded import Layout
from tests.servers import worker

OWNER, APP, SWEEP = Role("trial_owner", "o"), Role("trial_app", "a"), Role("trial_sweep", "s")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def layout() -> Iterator[Layout]:
    """Servers of their own: roles belong to a whole cluster."""
    with embedded.running(settings.DATA_DIR / f"roles-{worker()}", throwaway=True) as started:
        yield started


@pytest.fixture
def trial(db: None, layout: Layout) -> Iterator[str]:
    """A database of its own with the three roles, as on a server of the clinic's own."""
    name = f"trial_{os.getpid()}"
    create_roles(layout.admin_url, database=name, owner=OWNER, app=APP, sweep=SWEEP)
    yield name
    with psycopg.connect(layout.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def connect(layout: Layout, database: str, role: Role) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=str(layout.run), dbname=database, user=role.name, password=role.password, autocommit=True
    )


def test_no_role_is_a_superuser_or_bypasses_row_level_security(trial: str, layout: Layout) -> None:
    for role in (OWNER, APP, SWEEP):
        with connect(layout, trial, role) as connected:
            attributes = connected.execute(
                "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication "
                "FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
        assert attributes == (False,) * 5, role


@pytest.mark.parametrize("role", [APP, SWEEP])
def test_users_read_and_write_rows_of_the_owners_later_tables(trial: str, layout: Layout, role: Role) -> None:
    with connect(layout, trial, OWNER) as owner:
        owner.execute("CREATE TABLE later (id bigserial PRIMARY KEY, text text)")
    with connect(layout, trial, role) as user:
        user.execute("INSERT INTO later (text) VALUES ('a')")
        user.execute("UPDATE later SET text = 'b'")
        assert user.execute("SELECT text FROM later").fetchall() == [("b",)]
        user.execute("DELETE FROM later")


@pytest.mark.parametrize("role", [APP, SWEEP])
@pytest.mark.parametrize(
    "statement",
    ["TRUNCATE later", "DROP TABLE later", "ALTER TABLE later ADD more text", "CREATE TABLE own (id int)"],
)
def test_users_define_and_truncate_nothing(trial: str, layout: Layout, role: Role, statement: str) -> None:
    with connect(layout, trial, OWNER) as owner:
        owner.execute("CREATE TABLE later (id bigserial PRIMARY KEY)")
        owner.execute("INSERT INTO later DEFAULT VALUES")
    with connect(layout, trial, role) as user, pytest.raises(psycopg.errors.InsufficientPrivilege):
        user.execute(statement.encode())
    with connect(layout, trial, OWNER) as owner:
        assert owner.execute("SELECT count(*) FROM later").fetchone() == (1,)


def test_a_migration_that_waits_for_a_table_gives_up_and_nobody_else_is_hurried(
    trial: str, layout: Layout
) -> None:
    waits = {}
    for role in (OWNER, APP, SWEEP):
        with connect(layout, trial, role) as connected:
            waits[role] = connected.execute("SHOW lock_timeout").fetchone()
    assert waits == {OWNER: ("5s",), APP: ("0",), SWEEP: ("0",)}


def test_making_the_roles_again_corrects_them(trial: str, layout: Layout) -> None:
    with psycopg.connect(layout.admin_url, autocommit=True) as admin:
        admin.execute("ALTER ROLE trial_app SUPERUSER BYPASSRLS PASSWORD 'other'")
    create_roles(layout.admin_url, database=trial, owner=OWNER, app=APP, sweep=SWEEP)
    with connect(layout, trial, APP) as user:
        query = "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        assert user.execute(query).fetchone() == (False, False)


def test_the_check_accepts_the_role_the_tests_run_as() -> None:
    assert database_role(databases=["default"]) == []


def test_the_check_asks_no_database_unless_told_to() -> None:
    assert database_role(databases=None) == []


def test_the_check_refuses_a_role_that_nothing_binds(layout: Layout) -> None:
    administrator = {
        "HOST": str(layout.run),
        "NAME": "postgres",
        "USER": "postgres",
        "PASSWORD": layout.secrets["password_postgres"],
    }
    usual = {key: connection.settings_dict[key] for key in administrator}
    connection.close()
    try:
        connection.settings_dict.update(administrator)
        found = database_role(databases=["default"])
    finally:
        connection.close()
        connection.settings_dict.update(usual)
    assert [error.id for error in found] == ["clinic.E001", "clinic.E002"]
