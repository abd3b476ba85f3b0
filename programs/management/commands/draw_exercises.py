"""Draw the starter library's exercises anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from programs.library import write_drawings
from programs.rules.library import LibraryError


class Command(BaseCommand):
    """``manage.py draw_exercises``, after a change of drawings.toml or of the generator."""

    help = "Write the SVG of every exercise in drawings.toml to the static files."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = write_drawings()
        except LibraryError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} drawings.")
