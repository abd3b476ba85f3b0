"""The three database roles on a server of your own."""

from __future__ import annotations

from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError

from clinic import environment as env
from clinic.database_roles import Role, create_roles, database_of_url


class Command(BaseCommand):
    help = (
        "Makes or corrects the database, its three roles and their rights on a PostgreSQL of your own, with "
        "the names and passwords of DATABASE_OWNER_URL, DATABASE_URL and DATABASE_SWEEP_URL. "
        "DATABASE_ADMIN_URL connects somebody who may create roles and databases; only this command reads "
        "it. Safe to repeat. The bundled PostgreSQL does not need it."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        owner, app, sweep = (
            Role.of_url(env.text(name))
            for name in ("DATABASE_OWNER_URL", "DATABASE_URL", "DATABASE_SWEEP_URL")
        )
        if len({owner.name, app.name, sweep.name}) < 3:
            raise CommandError("The three database addresses must name three different roles.")
        database = database_of_url(env.text("DATABASE_URL"))
        try:
            create_roles(env.text("DATABASE_ADMIN_URL"), database=database, owner=owner, app=app, sweep=sweep)
        except psycopg.Error as error:
            raise CommandError(str(error).strip().splitlines()[0]) from None
        self.stdout.write(f"Database {database}: owner {owner.name}, app {app.name}, sweep {sweep.name}.")
