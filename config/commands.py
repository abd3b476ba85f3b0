"""Running a management command: as which database role, and with which servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, execute_from_command_line
from django.db import OperationalError

from clinic import embedded
from clinic import environment as env
from clinic.audit import origin
from clinic.database_roles import Role, create_roles
from clinic.embedded.layout import DATABASE
from clinic.management.commands.up import refuse_taken_ports

PROJECT = Path(__file__).resolve().parent.parent

OWNER_COMMANDS = {"makemigrations", "migrate", "showmigrations", "sqlmigrate", "squashmigrations", "flush"}
# Of every clinic: the application sees one at a time.
OWNER_COMMANDS |= {"dumpdata", "loaddata", "verify_audit"}
OWNER_COMMANDS |= {"createsuperuser", "changepassword"}  # of anybody: the application writes its user's login
WITHOUT_SERVERS = {"help", "--help", "-h", "version", "--version", "collectstatic", "findstatic"}
WITHOUT_SERVERS |= {"compilemessages", "makemessages", "spectacular", "startapp", "diffsettings"}


def run(arguments: list[str]) -> int:
    """Run one command; what can be foreseen to go wrong is one line and exit code 1."""
    command = arguments[1] if len(arguments) > 1 else "help"
    origin.assume(origin.Origin(f"command:{command}"))
    signal.signal(signal.SIGTERM, _unwind)  # so that the bundled servers are let go of
    if command in OWNER_COMMANDS:
        os.environ.setdefault("DATABASE_ROLE", "owner")
    needed = set() if command in WITHOUT_SERVERS or "--help" in arguments else env.missing_addresses()
    try:
        if command == "up":
            refuse_taken_ports()
        with _bundled_servers(needed):
            execute_from_command_line(arguments)
    except (embedded.EmbeddedError, ImproperlyConfigured, CommandError) as error:
        print(error, file=sys.stderr)
        return 1
    except OperationalError as error:
        if not _could_not_connect(error):
            raise
        print(f"The database can't be reached: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


@contextmanager
def _bundled_servers(needed: set[str]) -> Iterator[None]:
    """Those that stand in for missing addresses, for the duration of a command and its children."""
    if not needed:
        yield
        return
    database_is_ours = "DATABASE_URL" in needed
    data_dir = Path(env.text("DATA_DIR", str(PROJECT / ".data")))
    with embedded.running(data_dir, initialise=_initialise if database_is_ours else None) as layout:
        os.environ.update({name: value for name, value in layout.environment().items() if name in needed})
        if database_is_ours:
            os.environ["BUNDLED_SERVERS"] = "1"
        yield


def _could_not_connect(error: OperationalError) -> bool:
    """Only what the server answers to a statement has an SQLSTATE."""
    return getattr(error.__cause__, "sqlstate", None) is None


def _unwind(*_: object) -> None:
    sys.exit(143)


def _initialise(layout: embedded.Layout) -> None:
    """Fill an empty bundled database: roles, tables, starter library."""
    print("Preparing the database ...", file=sys.stderr, flush=True)
    create_roles(
        layout.admin_url,
        database=DATABASE,
        **{
            role: Role.of_url(layout.environment()[name])
            for role, name in (
                ("owner", "DATABASE_OWNER_URL"),
                ("app", "DATABASE_URL"),
                ("sweep", "DATABASE_SWEEP_URL"),
            )
        },
    )
    environment = os.environ | layout.environment() | {"BUNDLED_SERVERS": "1"}
    environment.pop("DATABASE_ROLE", None)
    for command in (["migrate", "--verbosity", "0"], ["load_library"]):
        done = subprocess.run(
            [sys.executable, str(PROJECT / "manage.py"), *command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            last = (done.stdout.strip().splitlines() or ["no message"])[-1]
            raise embedded.EmbeddedError(f"`manage.py {command[0]}` failed: {last}")
