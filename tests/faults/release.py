"""The columns of the last release, as its code knows them.

None is out yet: those of 22 November 2026 stand in. Taken anew by releasing, and only by that:

manage.py shell --no-imports -c "from tests.faults.release import write; write()"
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.db import connection as default_connection

RELEASED = Path(__file__).with_name("release.json")
COLUMNS = """
    SELECT table_name, column_name, data_type,
        is_nullable = 'YES' OR column_default IS NOT NULL OR is_identity = 'YES'
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'knox_authtoken'
    ORDER BY 1, 2
"""
"""Knox's own table of tokens is swapped for ours: no code writes it."""


def columns(connection: Any) -> dict[str, dict[str, dict[str, Any]]]:
    """By table and column: its type, and whether an insert may leave it out."""
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for table, name, kind, optional in cursor.fetchall():
            found.setdefault(table, {})[name] = {"type": kind, "may_be_left_out": optional}
    return found


def write() -> None:
    found = columns(default_connection)
    lines = (f"{json.dumps(table)}: {json.dumps(known)}" for table, known in found.items())
    RELEASED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
