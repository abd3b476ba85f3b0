"""``manage.py load_demo``: the simulated demo clinic."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils import timezone

from clinic.management.teaching import TeachingCommand, bar_or_lines
from programs import demo

DEFAULT_SEED = 1


class Command(TeachingCommand):
    help = (
        "Load the demo clinic: 3 physios and 60 invented patients over the 12 weeks up to today, marked as "
        "simulated wherever it is shown. Prints the logins; they are kept in the data folder, readable by "
        "its owner only. A second run changes nothing and prints them again."
    )
    example = """
Example:
  manage.py load_demo

Which patient shows which state, reason and alert: docs/demo-clinic.md.
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--seed",
            type=int,
            default=DEFAULT_SEED,
            help=f"another seed, other noise (default: {DEFAULT_SEED})",
        )
        parser.add_argument(
            "--today", type=date.fromisoformat, metavar="DATE", help="the day it ends on (default: today)"
        )

    def handle(self, *args: Any, seed: int, today: date | None, **options: Any) -> None:
        if demo.existing():
            self.stdout.write("The demo clinic is there already; nothing was changed.")
            lost = (
                f"{demo.logins_file()} is gone: `manage.py changepassword owner@example.com` sets a password."
            )
            self.stdout.write(demo.logins() or lost)
            return
        present = timezone.now().astimezone(ZoneInfo(demo.ZONE)).date()
        if today is not None and today > present:
            raise self.refuse(f"--today: {today} lies ahead.")
        try:
            self._load(seed, today or present)
        except ValidationError as error:
            raise self.refuse("The demo clinic was not loaded.", error.messages) from None
        self.stdout.write(demo.logins())

    def _load(self, seed: int, today: date) -> None:
        with bar_or_lines("events", "Demo clinic", self.stderr.write) as report:
            demo.load(seed=seed, today=today, report=report)
