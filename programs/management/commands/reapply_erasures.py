"""``manage.py reapply_erasures``: erase again, after a restore, whom the ledger names."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from clinic.management.teaching import TeachingCommand
from clinic.row_security import Tenant, acting_for
from programs.services.privacy import reapply
from programs.services.retention import LedgerError, read_ledger, write_ledger


class Command(TeachingCommand):
    help = (
        "After a restore, erase again every patient whom the ledger of erasures names, and destroy again "
        "what was destroyed. A second run changes nothing. The ledger holds opaque keys and dates, no "
        "personal data; the periodic job keep_ledger keeps it up to date in ERASURE_LEDGER."
    )
    example = """
Examples:
  manage.py reapply_erasures --write-ledger /backup/erasures.jsonl    before a dump
  manage.py reapply_erasures --ledger /backup/erasures.jsonl          after the restore, before any log-in
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--ledger", type=Path, metavar="FILE", help="the ledger to apply (default: ERASURE_LEDGER)"
        )
        parser.add_argument(
            "--write-ledger", type=Path, metavar="FILE", help="only add to FILE what it lacks of the ledger"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if (target := options["write_ledger"]) is not None:
            self._write(target)
            return
        source = options["ledger"] or settings.ERASURE_LEDGER
        try:
            entries = read_ledger(source)
        except OSError as error:
            raise CommandError(f"--ledger: {source} can't be read: {error.strerror}.") from None
        except (LedgerError, UnicodeDecodeError) as error:
            raise CommandError(f"--ledger: {source}: {error}. Nothing was erased.") from None
        counts = reapply(entries=entries, now=timezone.now())
        done = ", ".join(f"{count} {what}" for what, count in counts.items())
        self.stdout.write(f"{len(entries)} erasures in the ledger: {done}.")

    def _write(self, target: Path) -> None:
        try:
            with acting_for(Tenant(platform=True)):
                lines = write_ledger(target)
        except OSError as error:
            raise CommandError(f"--write-ledger: {target} can't be written: {error.strerror}.") from None
        except LedgerError as error:
            raise CommandError(f"--write-ledger: {target} holds something else, {error}.") from None
        self.stdout.write(f"{lines} erasures in {target}.")
