"""The restore drill: dump a filled database, restore it into a fresh one, and compare every table.

    python -m tests.faults.restore

The data keys are dumped apart, and later: after a patient was erased who is still in the dump. The restored
rows must equal those of the dump, the erased patient must be unreadable at once and gone once the ledger is
applied, and the audit trail whole. The last line is one JSON object; the exit code is 1 if it is not so.
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
from psycopg import sql

from clinic.database_roles import Role, create_roles
from clinic.embedded.layout import DATABASE, ROLES, SUPERUSER, Layout, binaries
from tests.faults.alone import alone, first_token
from tests.faults.client import Phone
from tests.faults.cluster import Cluster

FRESH = "clinic_restored"
KEYS = "clinic_datakey"
OWNER = ROLES["DATABASE_OWNER_URL"]
Fingerprints = dict[str, tuple[int, str]]
DUMP = ("pg_dump", "--format", "custom", "--enable-row-security", "--dbname", DATABASE)


def run(cluster: Cluster) -> dict[str, Any]:
    """What was found; ``is_whole`` judges it."""
    layout = cluster.layout
    status, _ = Phone(cluster.url, first_token(cluster, asked=2, slug="drill")).answer(note="Stairs.")
    assert status == 201
    _seal(layout, DATABASE)
    before, started = fingerprints(layout, DATABASE), time.monotonic()
    dump = _dump(layout, "rows", f"--exclude-table-data={KEYS}")
    dumped = time.monotonic()
    ledger = layout.data / "erasures.jsonl"
    key = _erase(cluster, ledger)
    living = fingerprints(layout, DATABASE)
    keys = _dump(layout, "keys", f"--table={KEYS}", "--data-only")
    began = time.monotonic()
    restore_into(layout, dump, keys)
    restored = time.monotonic()
    expected, after = before | {KEYS: living[KEYS]}, fingerprints(layout, FRESH)
    came_back = _about(layout, key)
    counts = {"different": sorted(name for name in before | after if expected.get(name) != after.get(name))}
    audit = _erase_again(cluster, ledger)
    return counts | {
        "tables": len(before),
        "rows": sum(count for count, _ in before.values()),
        "came_back": came_back,
        "after_the_ledger": _about(layout, key),
        "unlike_the_living": _unlike(living, fingerprints(layout, FRESH)),
        "audit": {name: audit[name] for name in ("ok", "sealed", "unsealed")},
        "dump_seconds": round(dumped - started, 1),
        "restore_seconds": round(restored - began, 1),
    }


def is_whole(result: dict[str, Any]) -> bool:
    differs = result["different"] or result["unlike_the_living"] or not result["rows"]
    erased_again = result["came_back"] == {"patients": 1, "answers": 1, "keys": 0, "erasures": 0}
    erased_again &= result["after_the_ledger"] == {"patients": 0, "answers": 0, "keys": 0, "erasures": 1}
    audited = result["audit"]["ok"] and result["audit"]["sealed"] and not result["audit"]["unsealed"]
    return bool(not differs and erased_again and audited)


def _dump(layout: Layout, name: str, *options: str) -> Path:
    file = layout.home / f"{name}.dump"
    file.write_bytes(_call(layout, OWNER, *DUMP, *options))
    return file


def restore_into(layout: Layout, dump: Path, keys: Path) -> None:
    """Roles and rights first, as on a new server; owners and rights of the tables come with the dump. Keys
    that come back are no new ones: the audit's trigger rests.
    """
    owner, app, sweep = (
        Role(name, layout.secrets[f"password_{name}"])
        for name in (OWNER, ROLES["DATABASE_URL"], ROLES["DATABASE_SWEEP_URL"])
    )
    create_roles(layout.admin_url, database=FRESH, owner=owner, app=app, sweep=sweep)
    restoring = ("pg_restore", "--exit-on-error", "--dbname", FRESH)
    _call(layout, SUPERUSER, *restoring, str(dump))
    _call(layout, SUPERUSER, *restoring, "--data-only", "--disable-triggers", str(keys))


def fingerprints(layout: Layout, database: str) -> Fingerprints:
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


def _erase(cluster: Cluster, ledger: Path) -> str:
    """A patient, by the owner of the clinic; the ledger is kept outside of the database. The opaque key."""
    call = f"from tests.faults.filling import erase; erase({str(ledger)!r})"
    return cluster.shell(call).split()[-1]


def _erase_again(cluster: Cluster, ledger: Path) -> dict[str, Any]:
    """On the restored database, by the service's own commands; then what the audit's proof says."""
    fresh = {
        name: urlunsplit(urlsplit(cluster.environment[name])._replace(path=f"/{FRESH}")) for name in ROLES
    }
    cluster.manage("reapply_erasures", "--ledger", str(ledger), **fresh)
    _seal(cluster.layout, FRESH)
    found: dict[str, Any] = json.loads(cluster.manage("verify_audit", "--json", **fresh).splitlines()[-1])
    return found


def _unlike(living: Fingerprints, restored: Fingerprints) -> list[str]:
    """The tables whose number of rows differs, other than the trail of what was done to them. What is put
    away of the patient was sealed anew, and the key of the living's is there as well.
    """
    one_more = {name: count + (name == KEYS) for name, (count, _) in living.items()}
    return sorted(
        name for name, count in one_more.items() if "audit" not in name and restored[name][0] != count
    )


def _seal(layout: Layout, database: str) -> None:
    """As the sweep does, which does not run here."""
    with psycopg.connect(layout.admin_url, dbname=database, autocommit=True) as connection:
        while connection.execute("SELECT audit_seal(1000)").fetchone() != (0,):
            pass


ABOUT = {
    "patients": "patients_patient WHERE id",
    "answers": "programs_answer WHERE patient_id",
    "keys": f"{KEYS} WHERE owner",
    "erasures": "patients_erasure WHERE patient_key",
}


def _about(layout: Layout, key: str) -> dict[str, int]:
    """How many rows of the restored database are about the patient."""
    found = {}
    with psycopg.connect(layout.admin_url, dbname=FRESH) as connection:
        for name, rows in ABOUT.items():
            row = connection.execute(f"SELECT count(*) FROM {rows} = %s".encode(), [key]).fetchone()
            assert row is not None
            found[name] = row[0]
    return found


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
    return 0 if is_whole(result) else 1


if __name__ == "__main__":
    sys.exit(main())
