"""The bundled servers: found or started, shared, gone with their last user, and back after a crash."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from clinic import embedded
from clinic.embedded.layout import EmbeddedError, Layout, locate

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short folder that the servers' user can reach, unlike pytest's when root runs the tests."""
    with tempfile.TemporaryDirectory(prefix="knee-", dir="/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="module")
def used() -> Iterator[Path]:
    """A data folder that tests leave as they found it: initialising one takes a second."""
    with tempfile.TemporaryDirectory(prefix="knee-", dir="/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made) / "data"


def server_processes(layout: Layout) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter()
        if any(str(layout.data) in part for part in _command_of(process))
    ]


def _command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def wait_until_gone(layout: Layout) -> None:
    until = time.monotonic() + 20
    while server_processes(layout):
        assert time.monotonic() < until, server_processes(layout)
        time.sleep(0.1)


def ask_postgres(layout: Layout, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(layout.admin_url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def ask_valkey(layout: Layout) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(layout.valkey_socket), decode_responses=True)


def in_another_process(data: Path, body: str) -> subprocess.Popen[str]:
    """Python code that runs with ``layout`` at hand, inside the servers' block."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    code = (
        "import sys, time, pathlib\nfrom clinic import embedded\n"
        f"with embedded.running(pathlib.Path({str(data)!r})) as layout:\n{lines}"
    )
    return subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, text=True)


def test_both_servers_answer_and_are_gone_with_their_last_user(used: Path) -> None:
    with embedded.running(used) as layout:
        assert ask_postgres(layout, "SELECT 1") == [(1,)]
        assert ask_valkey(layout).ping()
    assert server_processes(layout) == []
    assert not embedded.is_alive(layout)


def test_data_survives_a_restart(used: Path) -> None:
    with embedded.running(used) as layout:
        ask_postgres(layout, "CREATE TABLE kept AS SELECT 7 AS number")
        ask_valkey(layout).set("kept", "7")
    with embedded.running(used) as layout:
        assert ask_postgres(layout, "SELECT number FROM kept") == [(7,)]
        assert ask_valkey(layout).get("kept") == "7"


def test_a_second_user_shares_the_servers_and_keeps_them_when_the_first_leaves(used: Path) -> None:
    with embedded.running(used) as layout:
        first_start = ask_postgres(layout, "SELECT pg_postmaster_start_time()")
        other = in_another_process(used, "print('in', flush=True)\ntime.sleep(60)")
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
    try:
        assert ask_postgres(layout, "SELECT pg_postmaster_start_time()") == first_start
    finally:
        other.kill()
        other.wait()
    wait_until_gone(layout)


def test_users_that_start_at_the_same_time_get_the_same_servers(used: Path) -> None:
    body = (
        "import psycopg\n"
        "row = psycopg.connect(layout.admin_url).execute('SELECT pg_postmaster_start_time()').fetchone()\n"
        "print(row[0], flush=True)\ntime.sleep(2)"
    )
    users = [in_another_process(used, body) for _ in range(3)]
    answers = {user.communicate(timeout=60)[0] for user in users}
    assert len(answers) == 1
    assert all(user.returncode == 0 for user in users)
    wait_until_gone(locate(used))


def test_servers_of_a_killed_user_are_stopped(used: Path) -> None:
    user = in_another_process(used, "print('in', flush=True)\ntime.sleep(60)")
    assert user.stdout is not None
    user.stdout.readline()
    layout = locate(used)
    assert server_processes(layout)
    user.send_signal(signal.SIGKILL)
    user.wait()
    wait_until_gone(layout)


def test_a_killed_keeper_takes_its_servers_along_and_the_next_user_starts_them_again(folder: Path) -> None:
    with embedded.running(folder / "data") as layout:
        ask_postgres(layout, "CREATE TABLE kept AS SELECT 7 AS number")
        os.kill(int((layout.data / "keeper.lock").read_text()), signal.SIGKILL)
        while embedded.is_alive(layout):
            time.sleep(0.05)
        with embedded.running(folder / "data"):
            assert ask_postgres(layout, "SELECT number FROM kept") == [(7,)]
    wait_until_gone(layout)


def test_a_server_that_crashes_is_started_again_with_its_data(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded.running(used) as layout:
        ask_valkey(layout).set("kept", "7")
        pid = int((layout.run / "valkey.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + 20
        while not _valkey_is_back(layout, pid):
            assert time.monotonic() < until
            time.sleep(0.1)
        assert ask_valkey(layout).get("kept") == "7"


def test_no_backend_of_a_killed_postgres_writes_beside_the_new_one(used: Path) -> None:
    with embedded.running(used) as layout, closing(psycopg.connect(layout.admin_url)) as busy:
        old = busy.info.backend_pid
        # Unlike a sleeping one, a backend that computes does not notice that its postmaster is gone.
        busy.pgconn.send_query(b"DO $$ BEGIN LOOP NULL; END LOOP; END $$")
        time.sleep(0.3)
        os.kill(int((layout.pgdata / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        until = time.monotonic() + 20
        while not _postgres_is_back(layout):
            assert time.monotonic() < until
            time.sleep(0.1)
        assert not psutil.pid_exists(old)


def _postgres_is_back(layout: Layout) -> bool:
    try:
        return ask_postgres(layout, "SELECT 1") == [(1,)]
    except psycopg.OperationalError:
        return False


def _valkey_is_back(layout: Layout, old_pid: int) -> bool:
    try:
        return int(ask_valkey(layout).info()["process_id"]) != old_pid
    except (redis.ConnectionError, redis.BusyLoadingError):
        return False


def test_a_stale_pid_that_now_belongs_to_another_process_does_not_stop_the_start(used: Path) -> None:
    with embedded.running(used) as layout:
        pass
    stale = f"{os.getpid()}\n{layout.pgdata}\n1\n5432\n{layout.run}\n\n\nready\n"
    (layout.pgdata / "postmaster.pid").write_text(stale)
    (layout.run / ".s.PGSQL.5432.lock").write_text(stale)
    with embedded.running(used):
        assert ask_postgres(layout, "SELECT 1") == [(1,)]


def test_an_initialisation_that_fails_is_repeated_by_the_next_user(folder: Path) -> None:
    calls: list[str] = []

    def fails(_: Layout) -> None:
        calls.append("fails")
        raise EmbeddedError("not today")

    with pytest.raises(EmbeddedError, match="not today"), embedded.running(folder / "d", initialise=fails):
        pytest.fail("nobody may use a half-made database")
    for _ in range(2):
        with embedded.running(folder / "d", initialise=lambda _: calls.append("works")) as layout:
            pass
    assert calls == ["fails", "works"]
    assert server_processes(layout) == []


def test_folders_and_secrets_are_their_owners_only(used: Path) -> None:
    with embedded.running(used) as layout:
        for path in (layout.home, layout.run, layout.pgdata, layout.home / "valkey"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert stat.S_IMODE((layout.data / "secrets.json").stat().st_mode) == 0o600
        assert stat.S_IMODE(layout.data.stat().st_mode) & 0o007 == 0


def test_postgres_lets_nobody_in_without_the_password(used: Path) -> None:
    with embedded.running(used) as layout:
        for password in ("", "wrong"):
            url = layout.admin_url.replace(layout.secrets["password_postgres"], password)
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(url)
        assert ask_postgres(layout, "SHOW listen_addresses") == [("",)]


def test_sockets_below_a_long_path_go_to_a_short_folder(folder: Path) -> None:
    deep = folder / ("long" * 20) / ("longer" * 15) / "data"
    with embedded.running(deep, throwaway=True) as layout:
        assert len(str(layout.run)) < 60
        assert ask_postgres(layout, "SELECT 1") == [(1,)]
        assert ask_valkey(layout).ping()


def test_a_data_folder_with_a_space_works(folder: Path) -> None:
    with embedded.running(folder / "my data", throwaway=True) as layout:
        assert ask_postgres(layout, "SELECT 1") == [(1,)]
        assert redis.Redis.from_url(layout.environment()["REDIS_URL"]).ping()


def test_the_parents_of_the_data_folder_are_never_changed(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with embedded.running(closed / "data", throwaway=True) as layout:
        assert ask_postgres(layout, "SELECT 1") == [(1,)]
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_an_unusable_data_folder_is_one_clear_line() -> None:
    with pytest.raises(EmbeddedError, match=r"^The data folder /proc/nowhere can't be used: .*\.$"):
        locate(Path("/proc/nowhere"))


def test_secrets_are_made_once(folder: Path) -> None:
    first, second = locate(folder / "data"), locate(folder / "data")
    other = locate(folder / "other")
    assert first == second
    assert first.generated_secrets() != other.generated_secrets()
    assert len(first.generated_secrets()["SECRET_KEY"]) >= 50


def test_a_throw_away_folder_is_removed_by_its_keeper_even_when_its_user_is_killed(folder: Path) -> None:
    body = "print('in', flush=True)\ntime.sleep(60)"
    data = folder / "data"
    code = (
        "import time, pathlib\nfrom clinic import embedded\n"
        f"with embedded.running(pathlib.Path({str(data)!r}), throwaway=True):\n"
        + "".join(f"    {line}\n" for line in body.splitlines())
    )
    user = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    user.stdout.readline()
    user.kill()
    user.wait()
    until = time.monotonic() + 20
    while data.exists():
        assert time.monotonic() < until
        time.sleep(0.1)
