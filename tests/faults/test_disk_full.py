"""A full disk, on a small one of its own: see ``tests.faults.disk_full``."""

from __future__ import annotations

import json
import subprocess

from tests.conftest import prepared_folder
from tests.faults.cluster import PROJECT, python


def test_on_a_full_disk_what_is_acknowledged_stays_and_once_freed_all_goes_on_by_itself() -> None:
    prepared, _said = prepared_folder()
    command = python("-m", "tests.faults.disk_full", str(prepared))
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    print(done.stdout)  # noqa: T201 - the figures for docs/faults.md
    result = json.loads(done.stdout.splitlines()[-1])
    assert (result["lost"], result["duplicate_rows"], result["refused_otherwise_than_503"]) == (0, 0, 0)
    assert result["acknowledged"] >= 20
    assert result["refused"] > result["refused_for_rows"] > 0
