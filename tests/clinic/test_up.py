"""`manage.py up`: all processes together, one stop for all, and one clear line for what goes wrong."""

from __future__ import annotations

import signal
import socket
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.service import Service


def left_behind(service: Service) -> list[list[str]]:
    """Processes that carry the service's data folder in their environment or command line."""
    found = []
    for process in psutil.process_iter():
        try:
            command, folder = process.cmdline(), process.environ().get("DATA_DIR")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if command and (folder == str(service.data_dir) or str(service.data_dir) in " ".join(command)):
            found.append(command)
    return found


def test_everything_runs_and_stops_together(service: Service) -> None:
    service.start()
    with urllib.request.urlopen(f"{service.url}/health/ready") as answer:
        assert answer.status == 200
    for part in ("gunicorn", "worker", "beat", "clinic.smtp_sink"):
        assert service.processes(part), part
    assert service.manage("shell", "-c", "print(1 + 1)").stdout.endswith("2\n")

    assert service.stop() == 0
    assert left_behind(service) == []


def test_no_orphan_is_left_when_up_is_killed(service: Service) -> None:
    service.start()
    assert service.process is not None
    service.process.send_signal(signal.SIGKILL)
    service.process.wait()
    service.process = None
    service.wait_for(lambda: not left_behind(service), seconds=40)


@pytest.mark.parametrize("setting", ["PORT", "SMTP_PORT"])
def test_a_taken_port_is_one_clear_line(empty_service: Service, setting: str) -> None:
    service = empty_service
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(service.ports[setting])))
        taken.listen()
        refused = service.manage("up")
    assert refused.returncode == 1
    expected = f"Port {service.ports[setting]} is taken; choose another one: {setting}=NUMBER."
    assert refused.stderr.splitlines()[-1] == expected
    assert "Traceback" not in refused.stderr
    assert left_behind(service) == []


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"DATA_DIR": "/proc/nowhere"}, "The data folder /proc/nowhere can't be used: "),
        ({"PORT": "http"}, "PORT: expected a whole number 1-65535, got 'http'."),
        ({"DATABASE_URL": "postgres://a:b@127.0.0.1:1/c", "REDIS_URL": "redis://x"}, "SITE_URL is not set"),
        ({"DATABASE_URL": "mysql://a/b", "REDIS_URL": "redis://x", "DEMO": "1"}, "DATABASE_URL: expected"),
        (
            {"DATABASE_URL": "postgres://a:b@127.0.0.1:1/c", "REDIS_URL": "redis://x", "DEMO": "1"},
            "The database can't be reached: ",
        ),
    ],
)
def test_what_can_be_foreseen_is_one_clear_line(
    empty_service: Service, environment: dict[str, str], line: str
) -> None:
    empty_service.settings |= environment
    refused = empty_service.manage("up")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith(line)
    assert "Traceback" not in refused.stderr


def test_an_ordinary_command_prepares_an_empty_database_first(
    first_command: tuple[Path, str], service: Service
) -> None:
    _data_dir, said = first_command
    assert said.startswith("Preparing the database")
    code = "from programs.models import Template; print(Template.objects.filter(slug='runners-knee').count())"
    second = service.manage("shell", "-c", code)
    assert "Preparing the database" not in second.stderr
    assert second.stdout.splitlines()[-1] == "1"
    assert left_behind(service) == []
