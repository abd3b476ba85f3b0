"""Who may migrate: a role that sees every row. To any other a data migration would be 0 rows, in silence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from psycopg import sql

from clinic.database_roles import Role, grant_rights
from patients.models import Episode
from tests.factories import make_case

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def a_data_migration(settings: Any) -> Iterator[None]:
    """In an app that has none of its own."""
    settings.MIGRATION_MODULES = {"unfold": "tests.clinic.later_migrations"}
    make_case()
    yield
    with as_owner():
        MigrationRecorder(connection).record_unapplied("unfold", "number_cases")


@contextmanager
def as_owner() -> Iterator[None]:
    """The connection is that of the role that migrates."""
    role = Role.of_url(os.environ["DATABASE_OWNER_URL"])
    usual = {key: connection.settings_dict[key] for key in ("USER", "PASSWORD", "OPTIONS")}
    connection.close()
    connection.settings_dict.update(USER=role.name, PASSWORD=role.password, OPTIONS={})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(usual)


def case_number() -> str:
    return str(Episode.objects.get().case_number)


def is_recorded() -> bool:
    return ("unfold", "number_cases") in MigrationRecorder(connection).applied_migrations()


def test_a_role_that_sees_nothing_may_look_at_the_plan_and_migrate_nothing(capsys: Any) -> None:
    before = case_number()
    call_command("migrate", "unfold", plan=True)
    assert "number_cases" in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"patients_episode.*DATABASE_OWNER_URL"):
        call_command("migrate", "unfold", verbosity=0)
    assert not is_recorded()
    assert case_number() == before


def test_the_owner_changes_every_row() -> None:
    with as_owner():
        call_command("migrate", "unfold", verbosity=0)
        assert is_recorded()
    assert case_number() == "migrated"


HIDING = {
    "DROP POLICY migration ON patients_episode": (
        "CREATE POLICY migration ON patients_episode TO CURRENT_USER USING (true) WITH CHECK (true)"
    ),
    "CREATE POLICY narrow ON patients_episode AS RESTRICTIVE USING (false)": (
        "DROP POLICY narrow ON patients_episode"
    ),
}


def test_the_owner_is_refused_too_where_a_policy_hides_rows_from_it() -> None:
    before = case_number()
    for hide, show in HIDING.items():
        with as_owner(), connection.cursor() as cursor:
            cursor.execute(hide)
            try:
                with pytest.raises(CommandError, match="hides rows of patients_episode from this role"):
                    call_command("migrate", "unfold", verbosity=0)
            finally:
                cursor.execute(show)
            assert not is_recorded()
    assert case_number() == before


EARLIER = [("clinic", "0002_tenant_functions"), ("patients", "0002_row_security")]
"""Before logins, staff and policies of a clinic were protected, and before anything was on record."""


@contextmanager
def earlier_database() -> Iterator[None]:
    """The connection is the owner's, to a database as an earlier release left it, with a row."""
    name = f"earlier_{os.getpid()}"
    elsewhere = sql.SQL("{} DATABASE {}"), sql.Identifier(name)
    roles = [Role.of_url(os.environ[f"DATABASE_{kind}URL"]) for kind in ("OWNER_", "", "SWEEP_")]
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner, as_owner():
        owner.execute(elsewhere[0].format(sql.SQL("CREATE"), elsewhere[1]))
        usual, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], name
        try:
            connection.ensure_connection()
            grant_rights(connection.connection, roles[0], roles[1:])
            state = MigrationExecutor(connection).migrate(EARLIER)
            state.apps.get_model("clinic", "Clinic").objects.create(slug="old", name="Old")
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = usual
            owner.execute(elsewhere[0].format(sql.SQL("DROP"), elsewhere[1]))


def test_a_database_of_an_earlier_release_is_migrated_first_and_checked_afterwards(settings: Any) -> None:
    settings.DATABASE_ROLE = "owner"
    with earlier_database(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE forgotten (id bigint PRIMARY KEY)")
        with pytest.raises(SystemCheckError) as refused:
            call_command("migrate", verbosity=0, skip_checks=False)
        assert is_recorded()
        cursor.execute("SELECT slug FROM clinic_clinic")
        assert cursor.fetchall() == [("old",)]
    found = [line for line in str(refused.value).splitlines() if "clinic.E" in line]
    assert len(found) == 2
    assert all("forgotten" in line for line in found)
