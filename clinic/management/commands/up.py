"""Everything at once, for a laptop: web, Celery worker, Celery beat and a local SMTP sink."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from clinic import embedded
from clinic.probe import web_is_ready
from clinic.supervisor import Child, ChildEnded, Supervisor, python

HOST = "127.0.0.1"
READY_SECONDS = 90
CELERY = ("-m", "celery", "--quiet", "--app", "config")


class Command(BaseCommand):
    help = (
        "Brings the database up to date and runs web (gunicorn), Celery worker, Celery beat and a local "
        "SMTP sink together until Ctrl-C; one that dies is started again. Mails are kept in the data folder, "
        "under mails/. PORT, SMTP_PORT and DATA_DIR in the environment say where."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="load the simulated demo clinic first")

    def handle(self, *args: Any, demo: bool, **options: Any) -> None:
        logins = self._prepare(demo=demo)

        supervisor = Supervisor(self.stdout._out)
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, supervisor.ask_to_stop)
        try:
            self._start(supervisor, children())
            if supervisor.wait_for(lambda: web_is_ready(settings.PORT, HOST), seconds=READY_SECONDS):
                self._greet(logins)
                supervisor.run(complaint_about_servers())
            elif not supervisor.stop_requests:
                raise CommandError(f"The web process did not answer within {READY_SECONDS} seconds.")
        except ChildEnded as error:
            raise CommandError(f"{error} Everything else was stopped.") from None
        finally:
            with suppress(OSError):  # the terminal may be gone already
                self._say("Stopping ...")
            supervisor.stop()
        self._say("Stopped.")

    def _prepare(self, *, demo: bool) -> str:
        """Tables, library, demo clinic, checks; the answer is what ``load_demo`` says of its logins."""
        self._say("Bringing the database up to date ...")
        if has_unapplied_migrations():
            migrate()
        call_command("load_library")
        logins = StringIO()
        if demo:
            self._say("Loading the demo clinic ...")
            call_command("load_demo", stdout=logins)
        self._say("Checking the settings ...")
        call_command("check", databases=["default"])
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
        return logins.getvalue().strip()

    def _start(self, supervisor: Supervisor, starting: list[Child]) -> None:
        for child in starting:
            self._say(f"Starting {child.name} ...")
            supervisor.start(child)

    def _greet(self, logins: str) -> None:
        mails = f"Mails: {settings.DATA_DIR / 'mails'}"
        self._say("\n".join(part for part in ("", logins, mails, f"Ready: {settings.SITE_URL}") if part))
        self._say("Ctrl-C stops everything.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def children() -> list[Child]:
    """In the order of their start; beat comes last, so that nothing is asked of a missing worker."""
    # Root may run a demo; the warning is for those who accept pickled tasks.
    sweep = {"DATABASE_ROLE": "sweep", "PYTHONWARNINGS": "ignore:You're running the worker"}
    mails = str(Path(settings.DATA_DIR) / "mails")
    sink = python("-m", "clinic.smtp_sink", "--port", str(settings.SMTP_PORT), "--folder", mails)
    return [
        *([Child("mail", sink)] if has_own_sink() else []),
        Child(
            "web", python("-m", "gunicorn", "--config", "python:config.gunicorn"), {"DATABASE_ROLE": "app"}
        ),
        Child("worker", python(*CELERY, "worker", "--loglevel", "WARNING", "--without-mingle"), sweep),
        Child("beat", python(*CELERY, "beat", "--loglevel", "WARNING", "--pidfile="), sweep),
    ]


def has_own_sink() -> bool:
    return bool(settings.SMTP_HOST == HOST)


def refuse_taken_ports() -> None:
    """Called before any server is started: nobody waits for a database to learn of a taken port.

    Raises:
        CommandError: somebody else listens on a port that we need.
    """
    _require_free("PORT", settings.PORT)
    if has_own_sink():
        _require_free("SMTP_PORT", settings.SMTP_PORT)


def _require_free(setting: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            reason = "is taken" if error.errno == errno.EADDRINUSE else f"can't be used: {error.strerror}"
            raise CommandError(f"Port {port} {reason}; choose another one: {setting}=NUMBER.") from None


def has_unapplied_migrations() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def migrate() -> None:
    """In a process of its own, as the role that owns the tables.

    Raises:
        CommandError: it failed; its own message was shown.
    """
    environment = os.environ | {"DATABASE_ROLE": "owner"}
    command = python("manage.py", "migrate", "--verbosity", "0")
    if subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=False).returncode:
        raise CommandError("`manage.py migrate` failed.")


def complaint_about_servers() -> Callable[[], str]:
    """A look at the bundled servers; those that somebody else runs are not ours to watch."""
    if not settings.BUNDLED_DATABASE:
        return lambda: ""
    layout = embedded.locate(settings.DATA_DIR)
    return lambda: "" if embedded.is_alive(layout) else "The bundled servers ended."
