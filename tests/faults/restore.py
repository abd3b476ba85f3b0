"""The restore drill: dump a filled database, restore it into a fresh one, and compare every table.

    python -m tests.faults.restore

The last line is one JSON object; the exit code is 1 if a table differs. Erasures made since the dump are
applied again where the service has the command for it: a backup must not bring back who was erased.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.core.management import get_commands
from psycopg import sql

from clinic.database_roles import Role, create_roles
from clinic.embedded.layout import DATABASE, ROLES, SUPERUSER, Layout, binaries
from tests.faults.alone import alone
from tests.faults.cluster import Cluster

FRESH = "clinic_restored"
ERASE_AGAIN = "reapply_erasures"
OWNER = ROLES["DATABASE_OWNER_URL"]


def run(cluster: Cluster) -> dict[str, Any]:
    """Which tables there are, how many rows, and which differ after dump and restore."""
    layout, started = cluster.layout, time.monotonic()
    before = fingerprints(layout, DATABASE)
    dump = layout.home / "drill.dump"
    dumping = ("pg_dump", "--format", "custom", "--enable-row-security")
    dump.write_bytes(_call(layout, OWNER, *dumping, "--dbname", DATABASE))
    dumped = time.monotonic()
    restore_into(layout, dump)
    after = fingerprints(layout, FRESH)
    erased = _erase_again(cluster)
    return {
        "tables": len(before),
        "rows": sum(count for count, _ in before.values()),
        "different": sorted(table for table in before | after if before.get(table) != after.get(table)),
        "erasures_reapplied": erased,
        "dump_seconds": round(dumped - started, 1),
        "restore_seconds": round(time.monotonic() - dumped, 1),
    }


def restore_into(layout: Layout, dump: Path) -> None:
    """Roles and rights first, as on a new server; owners and rights of the tables come with the dump."""
    owner, app, sweep = (
        Role(name, layout.secrets[f"password_{name}"])
        for name in (OWNER, ROLES["DATABASE_URL"], ROLES["DATABASE_SWEEP_URL"])
    )
    create_roles(layout.admin_url, database=FRESH, owner=owner, app=app, sweep=sweep)
    _call(layout, SUPERUSER, "pg_restore", "--exit-on-error", "--dbname", FRESH, str(dump))


def fingerprints(layout: Layout, database: str) -> dict[str, tuple[int, str]]:
    """Number of rows and a hash of all their contents, by table."""
    with psycopg.connect(layout.admin_url, dbname=database) as connection:
        names = connection.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 2200")
        contents = "md5(string_agg(t::text, '|' ORDER BY t::text))"
        statement = sql.SQL(f"SELECT count(*), coalesce({contents}, '') FROM {{}} t")
        found = {}
        for (name,) in names.fetchall():
            row = connection.execute(statement.format(sql.Identifier(name))).fetchone()
            assert row is not None
            found[name] = (row[0], row[1])
        return found


def _erase_again(cluster: Cluster) -> bool:
    """On the restored database; False while the service has no such command."""
    if ERASE_AGAIN not in get_commands():
        return False
    addresses = {name: urlsplit(cluster.environment[name]) for name in ROLES}
    restored = {name: urlunsplit(at._replace(path=f"/{FRESH}")) for name, at in addresses.items()}
    cluster.manage(ERASE_AGAIN, **restored)
    return True


def _call(layout: Layout, role: str, program: str, *arguments: str) -> bytes:
    """What a program of PostgreSQL wrote, as that role: the owner sees every row, by a policy of its own."""
    command = [str(binaries(layout).postgres.with_name(program)), "-h", str(layout.run), "-U", role]
    environment = {"PGPASSWORD": layout.secrets[f"password_{role}"]}
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return done.stdout


def main() -> int:
    with alone(web_threads=2) as (cluster, _token):
        result = run(cluster)
    print(json.dumps(result))  # noqa: T201
    return 1 if result["different"] or not result["rows"] else 0


if __name__ == "__main__":
    sys.exit(main())
