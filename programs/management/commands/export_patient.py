"""``manage.py export_patient``: everything stored about one patient, as a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from clinic.management.teaching import TeachingCommand, find_clinic, working_for
from patients.models import Episode
from patients.services import CaseError
from programs.services.privacy import export_patient


class Command(TeachingCommand):
    help = "Write all data of the patient of a case into a file: JSON, or CSV (a zip, one file a table)."
    example = """
Examples:
  manage.py export_patient --clinic riverside --case 1042 --reason "Asked for by post" --to 1042.json
  manage.py export_patient --clinic riverside --case 1042 --reason "Asked for by post" --to 1042.zip
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--clinic", required=True, metavar="SLUG", help="the clinic")
        parser.add_argument("--case", required=True, metavar="NUMBER", help="a case number of the patient")
        parser.add_argument("--reason", required=True, help="why; it is kept")
        parser.add_argument("--to", required=True, type=Path, metavar="FILE", help="ends in .json or .zip")

    def handle(self, *args: Any, to: Path, reason: str, case: str, **options: Any) -> None:
        if to.suffix not in {".json", ".zip"}:
            raise CommandError(f"--to: expected a name that ends in .json or .zip, got {to.name!r}.")
        clinic = find_clinic(options["clinic"])
        with working_for(clinic):
            episode = (
                Episode.objects.select_related("patient").filter(clinic=clinic, case_number=case).first()
            )
            if episode is None:
                raise CommandError(f"--case: {clinic.slug} has no case {case!r}.")
            try:
                export = export_patient(patient=episode.patient, by=None, reason=reason, now=timezone.now())
            except CaseError as error:
                raise CommandError(f"--{error.field}: {error.message}") from None
        try:
            to.write_bytes(export.as_zip() if to.suffix == ".zip" else export.as_json().encode())
            to.chmod(0o600)
        except OSError as error:
            raise CommandError(f"--to: {to} can't be written: {error.strerror}.") from None
        rows = sum(map(len, export.tables.values()))
        self.stdout.write(f"{rows} rows of {len(export.tables)} tables: {to}")
