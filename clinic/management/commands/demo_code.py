"""``manage.py demo_code``: the present code of a demo account's second factor."""

from __future__ import annotations

import argparse
from typing import Any

from django.db import transaction
from django.utils import timezone

from clinic import secrets
from clinic.accounts.factors import factors_of, totp_code
from clinic.management.teaching import TeachingCommand
from clinic.models import User
from clinic.row_security import acting_for


class Command(TeachingCommand):
    help = (
        "Print the code that the authenticator app of a demo account shows now. Only accounts of the demo "
        "clinic have one that this command knows; any other ends with exit code 1. A code works once, for "
        "about a minute."
    )
    example = """
Example:
  manage.py demo_code owner@example.com
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="as `manage.py load_demo` lists them")

    @transaction.atomic
    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.by_email(email)
        if user is None:
            raise self.refuse(f"{email} is no account of a simulated clinic.")
        with acting_for(user.tenant):
            if any(not member.clinic.simulated for member in user.active_memberships):
                raise self.refuse(f"{email} works for a clinic that is not simulated.")
            factor = factors_of(user).filter(for_demo=True).first()
        if factor is None:
            raise self.refuse(f"{email} has no second factor that was made for the demo.")
        self.stdout.write(totp_code(secrets.decrypt(factor.secret), now=timezone.now()))
