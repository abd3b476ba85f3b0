"""``manage.py migrate``, by a role that sees every row: a data migration must not change 0 rows unnoticed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate

from clinic.checks import tables_not_seen_whole


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        hidden = tables_not_seen_whole(options["database"])
        if hidden and not (options["plan"] or options["check_unapplied"]):
            raise CommandError(
                f"Row-level security hides rows of {', '.join(hidden)} from this role: a data migration "
                "would pass over them without a word. Migrate as the role of DATABASE_OWNER_URL."
            )
        super().handle(*args, **options)
