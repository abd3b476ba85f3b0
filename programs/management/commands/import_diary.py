"""``manage.py import_diary``: cases from a spreadsheet."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from clinic.management.teaching import TeachingCommand, bar, find_clinic, working_for
from clinic.models import Clinic, Membership, User
from clinic.roles import Denied
from patients.services import CaseError
from programs.models import Template
from programs.services.imports import DiaryFileError, Imported, ImportRefused, import_diary


class Command(TeachingCommand):
    help = (
        "Import a pain diary in CSV (UTF-8): columns case, date (YYYY-MM-DD) and worst_pain (0-10, at most "
        "one decimal). Each case becomes a patient, a case of that number, an intake from its first row "
        "(which starts the program) and answers from the others. The programs sleep, without prompts and "
        "alerts, until a clinician wakes them. Nothing is imported unless every row is valid, or "
        "--skip-invalid is given. Importing the same file again changes nothing."
    )
    example = """
Example:
  manage.py import_diary diary.csv --clinic riverside --clinician anna@riverside.example \\
      --template runners-knee --every 7

  diary.csv:
    case,date,worst_pain
    C001,2026-08-31,7.5
    C001,2026-09-07,6
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="the diary")
        parser.add_argument("--clinic", required=True, metavar="SLUG", help="the clinic it belongs to")
        parser.add_argument("--clinician", required=True, metavar="EMAIL", help="who treats these cases")
        parser.add_argument("--template", required=True, metavar="SLUG", help="such as runners-knee")
        parser.add_argument(
            "--every", required=True, type=int, metavar="DAYS", help="how often the patients were asked"
        )
        parser.add_argument(
            "--skip-invalid", action="store_true", help="leave invalid rows out and list them"
        )

    def handle(self, *args: Any, file: Path, skip_invalid: bool, **options: Any) -> None:
        clinic = find_clinic(options["clinic"])
        content = _content(file)
        with working_for(clinic), bar(0, "cases", "Importing") as progress:

            def report(done: int, total: int) -> None:
                progress.total = total
                progress.update(done - progress.n)

            try:
                imported = import_diary(
                    content=content,
                    clinic=clinic,
                    clinician=_clinician(clinic, options["clinician"]),
                    template=_template(clinic, options["template"]),
                    every=options["every"],
                    now=timezone.now(),
                    skip_invalid=skip_invalid,
                    report=report,
                )
            except ImportRefused as error:
                raise self.refuse(f"Nothing was imported from {file}.", error.problems) from None
            except (DiaryFileError, Denied, CaseError) as error:
                raise self.refuse(f"Nothing was imported from {file}.", [error]) from None
        self._tell(imported)

    def _tell(self, imported: Imported) -> None:
        for problem in imported.left_out:
            self.stdout.write(f"Left out: {problem}")
        self.stdout.write(
            f"{imported.cases} cases and {imported.scores} scores; "
            f"new: {imported.new_cases} cases and {imported.new_scores} scores."
        )


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}.") from None


def _clinician(clinic: Clinic, email: str) -> User:
    members = Membership.objects.clinicians().filter(clinic=clinic).select_related("user")
    member = members.filter(user__email=email.strip().lower()).first()
    if member is None:
        raise CommandError(f"--clinician: {email} does not treat patients in {clinic.slug}.")
    user: User = member.user
    return user


def _template(clinic: Clinic, slug: str) -> Template:
    """The clinic's own template of that slug, else the global one."""
    found = Template.objects.usable_by(clinic).filter(slug=slug, is_active=True)
    templates: list[Template] = sorted(found, key=lambda template: template.clinic_id is None)
    if not templates:
        raise CommandError(f"--template: there is no template {slug!r} in the library of {clinic.slug}.")
    return templates[0]
