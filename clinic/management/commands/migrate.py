"""``manage.py migrate``, by a role that sees every row: a data migration must not change 0 rows unnoticed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate

from clinic.checks import tables_not_seen_whole


class Command(migrate.Command):
    def get_check_kwargs(self, options: dict[str, Any]) -> dict[str, Any]:
        """Without the database: what a check finds missing there may be what is about to be migrated."""
        return super().get_check_kwargs(options) | {"databases": None}

    def handle(self, *args: Any, **options: Any) -> None:
        looks_only = options["plan"] or options["check_unapplied"]
        hidden = tables_not_seen_whole(options["database"])
        if hidden and not looks_only:
            raise CommandError(
                f"Row-level security hides rows of {', '.join(hidden)} from this role: a data migration "
                "would pass over them without a word. Migrate as the role of DATABASE_OWNER_URL."
            )
        super().handle(*args, **options)
        part_only = options["app_label"]
        if not (looks_only or part_only or options["skip_checks"]):
            self.check(databases=[options["database"]])
