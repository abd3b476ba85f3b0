"""The container files, read as data: no image can be pulled where the tests run."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parent.parent
OURS = ("migrate", "web", "worker", "beat")
DOCKERFILE = (PROJECT / "Dockerfile").read_text().replace("\\\n", " ")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
    return content


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, flags=re.MULTILINE)


def test_the_image_is_built_in_two_stages_and_takes_only_the_environment_from_the_first() -> None:
    assert len(instructions("FROM")) == 2
    copied = [line for line in instructions("COPY") if line.startswith("--from")]
    assert copied == ["--from=build /venv /venv"]


def test_the_image_does_not_run_as_root() -> None:
    last_stage = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    users = re.findall(r"^USER (\S+)$", last_stage, flags=re.MULTILINE)
    assert users == ["10001"]
    assert last_stage.index("USER 10001") > last_stage.rindex("RUN ")


def test_the_image_installs_hash_pinned_packages_only() -> None:
    installs = [line for line in instructions("RUN") if re.search(r"pip (install|sync)", line)]
    assert installs
    assert all(
        line.count("--require-hashes") == line.count(" pip ") + line.count("/pip ") for line in installs
    )
    pinned = (PROJECT / "requirements.txt").read_text()
    assert pinned.count("==") <= pinned.count("--hash=sha256:")


def test_everything_the_image_copies_is_there_and_let_through() -> None:
    allowed = {line[1:] for line in (PROJECT / ".dockerignore").read_text().split() if line.startswith("!")}
    for line in instructions("COPY"):
        if not line.startswith("--from"):
            for source in line.split()[:-1]:
                assert (PROJECT / source).exists(), source
                assert source.removeprefix("./") in allowed, source


def test_every_server_says_whether_it_is_healthy(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"postgres", "valkey", *OURS}
    for name, service in services.items():
        if name != "migrate":
            assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}, name


def test_the_servers_are_the_supported_ones(compose: dict[str, Any]) -> None:
    assert compose["services"]["postgres"]["image"] == "postgres:18"
    assert compose["services"]["valkey"]["image"].startswith("valkey/valkey:")


def test_nothing_starts_before_the_tables_are_there(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "valkey": {"condition": "service_healthy"},
        }


def test_secrets_are_files_and_each_service_gets_only_its_own(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        environment = service["environment"] if name != "valkey" else {}
        files = {value for value in environment.values() if str(value).startswith("/run/secrets/")}
        assert files == {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}, name
        assert not {"SECRET_KEY", "DATABASE_URL", "ENCRYPTION_KEYS", "SMTP_PASSWORD"} & set(environment), name
    assert "database_owner_url" not in compose["services"]["web"]["secrets"]
    assert set(compose["secrets"]) == {
        secret for service in compose["services"].values() for secret in service.get("secrets", [])
    }


def test_worker_and_beat_sweep_and_the_web_does_not(compose: dict[str, Any]) -> None:
    roles = {name: compose["services"][name]["environment"].get("DATABASE_ROLE") for name in OURS}
    assert roles == {"migrate": None, "web": None, "worker": "sweep", "beat": "sweep"}


def test_our_containers_can_change_nothing_of_the_machine(compose: dict[str, Any]) -> None:
    for name in OURS:
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "privileged" not in service
    for name, service in compose["services"].items():
        published = service.get("ports", [])
        assert all(port.startswith("127.0.0.1:") for port in published), name
        assert bool(published) == (name == "web")


def test_every_command_exists(compose: dict[str, Any]) -> None:
    programs = Path(sys.executable).parent
    commands = (PROJECT / "clinic/management/commands", PROJECT / "programs/management/commands")
    for name in OURS:
        text = " ".join(compose["services"][name]["command"])
        for program in re.findall(r"\b(gunicorn|celery)\b", text):
            assert shutil.which(program, path=str(programs)), program
        for command in re.findall(r"manage\.py (\w+)", text):
            own = any((folder / f"{command}.py").exists() for folder in commands)
            assert own or command in {"migrate", "check"}, command
    for module in re.findall(r"python:(config)\.(\w+)", DOCKERFILE):
        assert (PROJECT / module[0] / f"{module[1]}.py").exists()


def test_settings_of_the_containers_are_explained(compose: dict[str, Any]) -> None:
    example = (PROJECT / ".env.example").read_text()
    for name in OURS:
        for setting in compose["services"][name]["environment"]:
            assert setting.removesuffix("_FILE") in example, setting
