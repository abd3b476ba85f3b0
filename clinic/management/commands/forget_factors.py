"""``manage.py forget_factors``: for a member of staff who lost phone, passkey and recovery codes."""

from __future__ import annotations

import argparse
from typing import Any

from django.db import transaction
from django.utils import timezone

from clinic.accounts import factors
from clinic.accounts.changes import tell_of_change
from clinic.management.teaching import TeachingCommand
from clinic.models import User
from clinic.row_security import acting_for


class Command(TeachingCommand):
    help = (
        "Forget the second factors of a member of staff who lost all of them: at the next sign-in, which "
        "still asks for the password, they set up a new one. Be sure who is asking: call them back on a "
        "number you know. The account's address gets an e-mail."
    )
    example = """
Example:
  manage.py forget_factors anna@riverside.example
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="the account's e-mail")

    @transaction.atomic
    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.by_email(email)
        if user is None or not user.is_staff:
            raise self.refuse(f"{email} is no account of a member of staff.")
        with acting_for(user.tenant):
            count = factors.forget_factors(user=user)
        what = "Your second factors and recovery codes were removed."
        tell_of_change(user, what, address="", now=timezone.now())
        self.stdout.write(f"{count} forgotten; {user.email} sets up a new one at the next sign-in.")
