"""What every test may use: a database of its own, a real SMTP server, a browser, the running service."""

from __future__ import annotations

import fcntl
import gc
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from django.db import connection
from hypothesis import settings
from playwright.sync_api import Browser, Page, sync_playwright

from clinic.smtp_sink import MailFolder
from tests import servers
from tests.service import Service

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

# A busy machine is no failure: properties have no deadline.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

SLOWEST = (
    *("test_matrix.py", "test_demo_clinic.py", "test_main_job.py", "test_faults.py", "test_up.py"),
    *("test_chaos.py", "test_admin_browser.py", "test_accessibility.py", "test_intake_browser.py"),
    *("test_row_security_alone.py", "test_embedded.py", "test_patient_page_browser.py", "test_whole_job.py"),
    *("test_fuzz.py", "test_saving.py", "test_migrate.py", "test_doors.py", "test_canaries.py"),
)
"""The files that take 20 s and more, the longest first."""

_running = ExitStack()


def pytest_sessionstart(session: pytest.Session) -> None:
    """The process that starts the run starts the servers; xdist's workers inherit their addresses."""
    if servers.worker() == "main":
        _running.enter_context(servers.running())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest files first, so that at the end no worker waits long for the other."""
    place = {name: number for number, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(SLOWEST)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is loaded by now stays until the end: the collector need not look through it time and again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    _running.close()


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: Any
) -> Iterator[None]:
    """pytest-django would create the database as the application's role, which may not."""
    with django_db_blocker.unblock():
        servers.use_own_database(migrations=not request.config.getoption("nomigrations"))
        servers.keep_permissions()
    yield
    with django_db_blocker.unblock():
        connection.close()


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    def pick() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return pick


@dataclass
class Sink:
    """A real SMTP server in this process; ``messages`` holds what it received, in order."""

    port: int
    messages: list[EmailMessage] = field(default_factory=list)

    def to(self, address: str) -> list[EmailMessage]:
        return [message for message in self.messages if address in str(message["To"])]


@pytest.fixture
def smtp_sink(settings: Any, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Sink]:
    """Django's mail goes to a real SMTP server instead of pytest-django's in-memory box."""
    sink = Sink(free_port())
    handler = MailFolder(tmp_path / "mails", lambda message, _envelope: sink.messages.append(message))
    controller = Controller(handler, hostname="127.0.0.1", port=sink.port)
    controller.start()
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": sink.port, "timeout": 5},
        }
    }
    yield sink
    controller.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium for the tests of one module.

    Playwright leaves an event loop running in the thread, which Django takes for asynchronous code:
    the check is off while the browser is open, and no longer. The thread's database connection is another
    one meanwhile; both are closed, as their sessions may have been ended (``servers.keep_database``).
    """
    if not CHROMIUM.exists():
        pytest.fail("Browser tests need Chromium: apt-get install chromium (see apt.txt).")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield opened
        opened.close()
        connection.close()
    connection.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a fresh profile, 1280 x 800; for a phone: ``page.set_viewport_size``."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


@pytest.fixture
def services_folder() -> Path:
    return _services_folder()


def _services_folder() -> Path:
    """Below the run's own folder: it is removed with it, and the servers' user can reach it."""
    folder = Path(os.environ["DATA_DIR"]) / "services"
    folder.mkdir(mode=0o755, exist_ok=True)
    return folder


@pytest.fixture
def empty_service(services_folder: Path, free_port: Callable[[], int]) -> Iterator[Service]:
    """The service before its first start: no database yet."""
    made = Service(services_folder / uuid4().hex[:8], port=free_port(), smtp_port=free_port())
    yield made
    made.stop()


@pytest.fixture
def first_command() -> tuple[Path, str]:
    return prepared_folder()


def prepared_folder() -> tuple[Path, str]:
    """A data folder on which one command has run, and what it said; made once a run, it takes long."""
    folder = _services_folder()
    made, said = Service(folder / "prepared", port=1, smtp_port=1), folder / "prepared.txt"
    with (folder / "prepared.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            done = made.manage("check", "--database", "default")
            assert done.returncode == 0, done.stderr
            said.write_text(done.stderr)
    return made.data_dir, said.read_text()


@pytest.fixture
def service(empty_service: Service, first_command: tuple[Path, str]) -> Service:
    """The real processes of ``manage.py up`` on a data folder of their own; not started yet.

    Its database has tables and the starter library.
    """
    prepared, _said = first_command
    subprocess.run(["cp", "-a", str(prepared), str(empty_service.data_dir)], check=True)
    return empty_service
