"""Refuses a migration that would stop the code that still runs while it is applied, or lock a busy table.

The migrations are linted against a throw-away database that has them all: some SQL depends on what is there.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django
from django_migration_linter import MigrationLinter

APPS = ["clinic", "patients", "programs"]

UPDATE_UNDER_LOCK = "UPDATE_UNDER_LOCK"
"""It changes rows in the transaction that alters a table, which keeps readers out until all are changed."""

ACCEPTED = {
    # We go forward only: what a reversed migration would lose can't be had back.
    "": {"RUNSQL_REVERSIBLE", "RUNPYTHON_REVERSIBLE"},
    # Every table of it is new: nobody waits for the lock of an index.
    "programs.0001_initial": {"CREATE_INDEX", "CREATE_INDEX_EXCLUSIVE"},
    # They drop what is sealed. Before the first release no code that reads the plain columns runs anywhere: a
    # database of a state of development is migrated with web, worker and beat stopped (docs/recovery.md).
    "clinic.0007_seal_mails": {"DROP_COLUMN"},
    "patients.0007_seal_text": {"DROP_COLUMN"},
    "programs.0006_seal_text": {"DROP_COLUMN"},
    # Only one that a run broken off has left, which nothing uses; the owner's role waits 5 seconds at most.
    "patients.0004_same_clinic": {"DROP_INDEX"},
    "patients.0008_privacy_same_clinic": {"DROP_INDEX"},
    "programs.0003_same_clinic": {"DROP_INDEX"},
    "programs.0011_load_and_watch_keys": {"DROP_INDEX"},
    # Concurrently, which asks no lock that readers or writers wait for.
    "programs.0008_drafts": {"DROP_INDEX"},
    # A clinic has some dozen members: that is over at once.
    "clinic.0013_membership_arrived_at": {UPDATE_UNDER_LOCK},
}
"""What is let pass, for all migrations or for one (``app.name``), each with its reason above it."""


def lint() -> bool:
    """Whether every migration is safe; what is not is printed."""
    safe = True
    for app, name in sorted(_migrations()):
        accepted = ACCEPTED[""] | ACCEPTED.get(f"{app}.{name}", set())
        linter = MigrationLinter(
            include_apps=[app],
            analyser_string="postgresql",
            no_cache=True,
            all_warnings_as_errors=True,
            exclude_migration_tests=accepted - {UPDATE_UNDER_LOCK},
            quiet=["ok"],
        )
        with redirect_stdout(StringIO()) as said:  # what was accepted too
            linter.lint_migration(linter.migration_loader.disk_migrations[app, name])
        if linter.has_errors:
            print(said.getvalue())
            safe = False
        is_atomic = linter.migration_loader.disk_migrations[app, name].atomic
        if is_atomic and UPDATE_UNDER_LOCK not in accepted and updates_under_lock(linter.get_sql(app, name)):
            print(
                f"({app}, {name}): {UPDATE_UNDER_LOCK}. Change the rows after it: clinic.backfill.in_batches."
            )
            safe = False
    return safe


def updates_under_lock(lines: Sequence[str]) -> bool:
    """Whether rows are changed in the transaction that alters a table; what a function does later is not."""
    at_once = re.sub(r"\$\$.*?\$\$", "", "\n".join(lines), flags=re.DOTALL)
    begins = set(re.findall(r"^(ALTER TABLE|UPDATE)\b", at_once, re.MULTILINE))
    return begins == {"ALTER TABLE", "UPDATE"}


def _migrations() -> list[tuple[str, str]]:
    known = MigrationLinter(analyser_string="postgresql", no_cache=True).migration_loader.disk_migrations
    return [(app, name) for app, name in known if app in APPS]


def main() -> int:
    django.setup()
    from tests import servers  # noqa: PLC0415 - it reads the settings

    with servers.running():
        servers.use_own_database(migrations=True)
        return 0 if lint() else 1


if __name__ == "__main__":
    sys.exit(main())
