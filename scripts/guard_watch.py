"""A pytest plugin: writes down which test comes along which of the lines in GUARD_LINES."""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from pathlib import Path
from types import CodeType

TOOL = sys.monitoring.PROFILER_ID
ROOT = Path.cwd()

_lines = {
    (str(ROOT / path), int(line))
    for path, line in (
        entry.rsplit(":", 1) for entry in json.loads(Path(os.environ["GUARD_LINES"]).read_text())
    )
}
_hits: dict[str, list[str]] = defaultdict(list)
_running = ""


def _along(code: CodeType, line: int) -> object:
    if (code.co_filename, line) not in _lines:
        return sys.monitoring.DISABLE  # costs nothing from now on
    tests = _hits[f"{Path(code.co_filename).relative_to(ROOT)}:{line}"]
    if _running and _running not in tests:
        tests.append(_running)
    return None


def pytest_configure() -> None:
    sys.monitoring.use_tool_id(TOOL, "guards")
    sys.monitoring.register_callback(TOOL, sys.monitoring.events.LINE, _along)
    sys.monitoring.set_events(TOOL, sys.monitoring.events.LINE)


def pytest_runtest_logstart(nodeid: str) -> None:
    global _running
    _running = nodeid


def pytest_unconfigure() -> None:
    Path(os.environ["GUARD_HITS"]).write_text(json.dumps(_hits))
