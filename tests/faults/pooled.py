"""Requests of two clinics in turn over four pooled connections, PgBouncer in transaction mode: nothing may be
left on a connection for its next user.

    REQUESTS=10000 python -m tests.faults.pooled

The last line is one JSON object; the exit code is 1 if a request saw what is another clinic's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from clinic.embedded.layout import DATABASE
from clinic.embedded.servers import die_with_parent
from tests.faults.alone import alone, free_port
from tests.faults.cluster import Cluster, Part, python

POOLED, THREADS, POOL_PORT = 4, 16, 6432
PROGRAM = "/usr/sbin/pgbouncer"
CONFIG = """
[databases]
{database} = host={servers} port=5432 dbname={database}
[pgbouncer]
unix_socket_dir = {folder}
listen_addr =
listen_port = {port}
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = {pooled}
max_client_conn = 200
"""


@contextmanager
def pooler(cluster: Cluster) -> Iterator[str]:
    """PgBouncer before the application's role; the address to use instead of ``DATABASE_URL``."""
    layout, folder = cluster.layout, cluster.layout.home / "pooler"
    folder.mkdir(mode=0o700)
    password = layout.secrets["password_clinic_app"]
    (folder / "users.txt").write_text(f'"clinic_app" "{password}"\n')
    values = {"database": DATABASE, "servers": layout.run, "folder": folder, "port": POOL_PORT}
    (folder / "pgbouncer.ini").write_text(CONFIG.format(**values, pooled=POOLED))
    who: dict[str, Any] = {}
    if layout.user:  # it refuses to run as root
        who = {"user": layout.user.uid, "group": layout.user.gid, "extra_groups": []}
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, layout.user.uid, layout.user.gid)
    process = subprocess.Popen(
        [PROGRAM, "--quiet", str(folder / "pgbouncer.ini")],
        preexec_fn=die_with_parent(9),
        cwd=folder,
        stderr=cluster.log_file,
        **who,
    )
    try:
        yield f"postgres://clinic_app:{password}@:{POOL_PORT}/{DATABASE}?host={folder}"
    finally:
        process.kill()
        process.wait()


def run(cluster: Cluster, requests: int) -> dict[str, Any]:
    """Of every 20 requests one has no token, and one asks the database itself, for nobody."""
    started = time.monotonic()
    tokens = {name: _token(cluster, name) for name in ("north", "south")}
    since = cluster.query("SELECT clock_timestamp()")[0][0]
    with pooler(cluster) as address, _web(cluster, address) as url:
        direct = address.replace("postgres://", "postgresql://")
        with ThreadPoolExecutor(THREADS) as threads:
            asked = threads.map(lambda number: _ask(number, url, tokens, direct), range(requests))
            found = Counter(asked)
        used = cluster.query(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'clinic_app' AND backend_start > %s", since
        )
    return {
        "requests": sum(found.values()),
        "own": found["own"],
        "nothing": found["nothing"],
        "leaks": found["leak"],
        "failed": found["failed"],
        "connections": used[0][0],
        "seconds": round(time.monotonic() - started, 1),
    }


def _token(cluster: Cluster, name: str) -> str:
    call = f"from tests.faults.filling import fill; fill(asked=1, answering=1, seconds=1, slug={name!r})"
    found: str = json.loads(cluster.shell(call).splitlines()[-1])[0]
    return found


@contextmanager
def _web(cluster: Cluster, address: str) -> Iterator[str]:
    port = str(free_port())
    environment = {"PORT": port, "DATABASE_URL": address, "DATABASE_POOLED": "1", "WEB_THREADS": str(THREADS)}
    part = Part("pooled", python("-m", "gunicorn", "--config", "python:config.gunicorn"), environment)
    cluster.add(part)
    url = f"http://127.0.0.1:{port}"
    try:
        cluster.wait_for(lambda: _get(f"{url}/health/live", "")[0] == 200)
        yield url
    finally:
        cluster.take_away("pooled")


def _ask(number: int, url: str, tokens: dict[str, str], direct: str) -> str:
    """What one request saw."""
    if number % 20 == 18:
        return "nothing" if _get(f"{url}/api/v1/me/program", "")[0] == 401 else "leak"
    if number % 20 == 19:
        with psycopg.connect(direct, prepare_threshold=None) as nobody:
            seen = nobody.execute("SELECT count(*) FROM patients_patient").fetchone()
        return "nothing" if seen == (0,) else "leak"
    name = ("north", "south")[number % 2]
    status, body = _get(f"{url}/api/v1/me/program", tokens[name])
    if status != 200:
        return "failed"
    return "own" if json.loads(body)["name"] == f"Program of {name}" else "leak"


def _get(address: str, token: str) -> tuple[int, bytes]:
    request = urllib.request.Request(address, headers={"Authorization": f"Token {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""
    except OSError:
        return 0, b""


def is_tight(result: dict[str, Any]) -> bool:
    return not result["leaks"] and not result["failed"] and 0 < result["connections"] <= POOLED


def main() -> int:
    if not Path(PROGRAM).exists():
        print("make pooled needs PgBouncer: apt-get install pgbouncer")  # noqa: T201
        return 1
    with alone(web_threads=2) as (cluster, _token):
        result = run(cluster, int(os.environ.get("REQUESTS") or 10_000))
    print(json.dumps(result))  # noqa: T201
    return 0 if is_tight(result) else 1


if __name__ == "__main__":
    sys.exit(main())
