"""docs/faults.md: no fault without a test or a command that exists."""

from __future__ import annotations

import re

from tests.service import PROJECT


def test_each_fault_of_the_table_names_tests_that_are_there() -> None:
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    tests = {path: path.read_text() for path in (PROJECT / "tests").rglob("test_*.py")}
    names = set(re.findall(r"^ *(?:def|class) (\w+)", "\n".join(tests.values()), re.MULTILINE))
    table = (PROJECT / "docs" / "faults.md").read_text().split("\n\n")[2]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]

    assert len(rows) > 15
    for fault, _behaviour, shown_by, _seen in rows:
        named = re.findall(r"\b(?:test_\w+|Test\w+)(?!\w|\.py)", shown_by)
        files = [PROJECT / name for name in re.findall(r"tests/[\w/]+\.py", shown_by)]
        commands = re.findall(r"`make ([a-z-]+)`", shown_by)
        assert named or files or commands, fault
        assert set(commands) <= set(targets), fault
        assert [name for name in named if not any(known.startswith(name) for known in names)] == [], fault
        assert [file for file in files if file not in tests] == [], fault
