"""Load or update the global starter library."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from programs.rules.library import LibraryError
from programs.services.library import load_starter_library


class Command(BaseCommand):
    """``manage.py load_library``: may be run again at any time."""

    help = (
        "Load the global starter library (exercises and templates), or bring it up to this version. "
        "Programs already assigned are copies and do not change."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            exercises, templates = load_starter_library()
        except LibraryError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Starter library: {exercises} exercises, {templates} templates.")
