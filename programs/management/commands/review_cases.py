"""``manage.py review_cases``: the daily review as of a date."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from datetime import date
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from clinic.management.teaching import TeachingCommand, bar, find_clinic, working_for
from programs.services.reviews import Reviewed, ReviewError, review_as_of, running_on

COLUMNS = "{case:<12} {week:>4}  {state:<17} {trend:<6} {reason:<18} {pain:<13} {action}"


class Command(TeachingCommand):
    help = (
        "Review every case with a program under way, sleeping ones too, as of a date; print the verdicts. "
        "They are stored and alerts follow, as in the daily sweep; sleeping programs raise none. Refused "
        "where a case has a newer review, or the date lies ahead, unless --dry-run is given."
    )
    example = """
Examples:
  manage.py review_cases --on 2026-10-12 --dry-run
  manage.py review_cases --on 2026-10-12 --clinic riverside --json | jq 'select(.state == "stalled")'
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--on", required=True, metavar="DATE", help="the day, YYYY-MM-DD")
        parser.add_argument("--clinic", metavar="SLUG", help="only this clinic (default: every active one)")
        parser.add_argument("--dry-run", action="store_true", help="store nothing")
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="one JSON object a case and line"
        )

    def handle(self, *args: Any, as_json: bool, dry_run: bool, **options: Any) -> None:
        on = _date(options["on"])
        clinic = find_clinic(options["clinic"]) if options["clinic"] else None
        with working_for(clinic), bar(running_on(on, clinic).count(), "cases", "Reviewing") as progress:
            try:
                reviewed = review_as_of(
                    on=on, now=timezone.now(), clinic=clinic, dry_run=dry_run, report=progress.update
                )
            except ReviewError as error:
                raise CommandError(f"--{error.field}: {error.message}") from None
        if as_json:
            for case in reviewed:
                self.stdout.write(json.dumps(case.as_json()))
        else:
            self._table(reviewed)

    def _table(self, reviewed: list[Reviewed]) -> None:
        if reviewed:
            names = ("case", "week", "state", "trend", "reason", "action")
            self.stdout.write(COLUMNS.format(pain="pain", **{name: name for name in names}))
        for case in reviewed:
            line = {key: "-" if value is None else value for key, value in case.as_json().items()}
            self.stdout.write(COLUMNS.format(pain=f"{line['baseline']} to {line['now']}", **line))
        counts = Counter(case.verdict.state.value for case in reviewed)
        found = ", ".join(f"{count} {state}" for state, count in counts.most_common())
        self.stdout.write(f"{len(reviewed)} cases: {found}" if reviewed else "No program was under way.")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--on: expected a date like 2026-10-12, got {text!r}.") from None
