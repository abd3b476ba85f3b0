"""What the commands share: a ``--help`` that ends with an example, and progress."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from tqdm import tqdm

from clinic.models import Clinic
from clinic.row_security import Tenant, acting_for


class HelpFormatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Django's order of arguments; the example stays as it is written."""


class TeachingCommand(BaseCommand):
    """A command with an ``example``; it ends with 0, or with 1 and one line for each problem."""

    example = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, epilog=self.example, formatter_class=HelpFormatter, **kwargs
        )

    def refuse(self, summary: str, problems: Iterable[object] = ()) -> CommandError:
        """Write each problem on its line; raise what is returned."""
        for problem in problems:
            self.stderr.write(str(problem))
        return CommandError(summary)


def find_clinic(slug: str) -> Clinic:
    """The active clinic of that slug; CommandError otherwise."""
    with acting_for(Tenant(platform=True)):
        clinic: Clinic | None = Clinic.objects.filter(is_active=True, slug=slug).first()
    if clinic is None:
        raise CommandError(f"--clinic: there is no active clinic {slug!r}.")
    return clinic


@contextmanager
def working_for(clinic: Clinic | None) -> Iterator[None]:
    """What the command does is done for this clinic, or for every active one."""
    with acting_for(Tenant((clinic.pk,) if clinic else _active_clinics())):
        yield


@acting_for(Tenant(platform=True))
def _active_clinics() -> tuple[int, ...]:
    return tuple(Clinic.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True))


def lines_of(error: ValidationError, names: dict[str, str]) -> list[str]:
    """One line for each message, under the name of the option at fault."""
    return [
        f"{names.get(field, field)}: {message}"
        for field, messages in error.message_dict.items()
        for message in messages
    ]


def bar(total: int, unit: str, label: str) -> tqdm[None]:
    """A progress bar on stderr; silent where that is no terminal."""
    return tqdm(total=total, unit=f" {unit}", desc=label, disable=None, leave=False)


@contextmanager
def bar_or_lines(
    unit: str, label: str, write: Callable[[str], object]
) -> Iterator[Callable[[int, int], None]]:
    """For what takes minutes: yields whom to tell how much of how much is done.

    It shows as a bar on a terminal; elsewhere (a log, a pipe) as a line at every tenth.
    """
    with bar(0, unit, label) as shown:
        told = 0

        def report(done: int, of: int) -> None:
            nonlocal told
            shown.total = of
            shown.update(done - shown.n)
            if shown.disable and (percent := 10 * (10 * done // of)) > told:
                told = percent
                write(f"{label}: {percent} %")

        yield report
