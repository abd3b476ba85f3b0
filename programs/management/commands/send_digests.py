"""``manage.py send_digests``: the weekly digests as of an instant."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from clinic.management.teaching import TeachingCommand, find_clinic, working_for
from programs.services.digests import DigestSweepError, send_due


class Command(TeachingCommand):
    help = (
        "Put the digests that are due at an instant into the outbox: one per clinician and ISO week, once "
        "their day and hour of that week has come, and only if there is something to say. Running it again "
        "sends nothing twice. The sweep does the same by itself."
    )
    example = """
Example:
  manage.py send_digests --now 2026-10-12T07:00:00+02:00 --clinic riverside
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--now", required=True, metavar="ISO-DATETIME", help="with an offset, such as ...T07:00:00+02:00"
        )
        parser.add_argument("--clinic", metavar="SLUG", help="only this clinic (default: every active one)")

    def handle(self, *args: Any, **options: Any) -> None:
        now = _instant(options["now"])
        clinic = find_clinic(options["clinic"]) if options["clinic"] else None
        try:
            with working_for(clinic):
                counts = send_due(now=now, clinic=clinic, again=True)
        except DigestSweepError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{counts['written']} digests written; {counts['quiet']} clinicians have nothing to be told; "
            f"{counts['waiting']} were told this week or are not due yet."
        )


def _instant(text: str) -> datetime:
    expected = f"--now: expected an instant like 2026-10-12T07:00:00+02:00, got {text!r}."
    try:
        now = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(expected) from None
    if now.tzinfo is None:
        raise CommandError(f"{expected} The offset is missing.")
    return now
