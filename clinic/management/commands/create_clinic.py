"""``manage.py create_clinic``: a clinic and its owner."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.timezone import now

from clinic.founding import found_clinic
from clinic.management.teaching import TeachingCommand, lines_of

OPTIONS = {"slug": "--slug", "name": "--name", "timezone": "--timezone", "email": "--owner"}


class Command(TeachingCommand):
    help = (
        "Create a clinic and its owner, who is a clinician too. A new owner gets a one-time password, "
        "shown here and kept nowhere: to be changed after the first login."
    )
    example = """
Example:
  manage.py create_clinic --slug riverside --name "Riverside Physio" \\
      --owner anna@riverside.example --timezone Europe/Amsterdam

Then log in to the admin and set the phone number that patients with a red flag are told to call.
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--slug", required=True, help="short name for commands: letters, digits, hyphens")
        parser.add_argument("--name", required=True, help="as patients read it")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="the owner's e-mail, their login")
        parser.add_argument("--timezone", default="UTC", metavar="ZONE", help="IANA zone (default: UTC)")

    def handle(self, *args: Any, slug: str, name: str, owner: str, timezone: str, **options: Any) -> None:
        try:
            founded = found_clinic(slug=slug, name=name, owner_email=owner, timezone=timezone, now=now())
        except ValidationError as error:
            raise self.refuse("No clinic was created.", lines_of(error, OPTIONS)) from None
        self.stdout.write(f"Clinic {founded.clinic.slug}: {founded.clinic.name} ({founded.clinic.timezone})")
        self.stdout.write(f"Owner: {founded.owner.email}, {settings.SITE_URL}/admin/")
        if founded.password:
            self.stdout.write(f"One-time password: {founded.password}")
        else:
            self.stdout.write("They have a login already, keep their password and get an e-mail.")
