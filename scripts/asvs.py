"""Renders docs/asvs.csv as docs/asvs.md and prints the counts; exit code 1 if a link leads nowhere.

The numbers are those of OWASP ASVS 5.0.0, levels 1 and 2. The words are ours: the standard itself says what
each item asks (https://github.com/OWASP/ASVS/tree/v5.0.0_release/5.0).
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
TABLE, PAGE = PROJECT / "docs/asvs.csv", PROJECT / "docs/asvs.md"
STATES = ("test", "doc", "n/a", "open")

HEAD = """# OWASP ASVS 5.0.0, levels 1 and 2

Made by `make asvs` from `docs/asvs.csv`: change that file. Each item is shown by a **test**, or by a **doc**
where the standard asks for a document; is **n/a** (not applicable) for the reason given; or is **open**, with
what is missing. The standard says what each item asks: <https://github.com/OWASP/ASVS/tree/v5.0.0_release/5.0>.

"""

type Row = dict[str, str]


def rows() -> list[Row]:
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


def broken_links(table: list[Row]) -> list[str]:
    """Tests and documents that are named but not there."""
    return [
        f"{row['item']}: {link}"
        for row in table
        if row["status"] in {"test", "doc"}
        for link in row["evidence"].split() or ["nothing"]
        if not _is_there(link)
    ]


def _is_there(link: str) -> bool:
    name, _, test = link.partition("::")
    path = PROJECT / name
    return path.is_file() and (not test or re.search(rf"\bdef {test}\(", path.read_text()) is not None)


def counts(table: list[Row]) -> str:
    lines = ["| level | test | doc | n/a | open | all |", "|---|---|---|---|---|---|"]
    for level in ("1", "2"):
        found = Counter(row["status"] for row in table if row["level"] == level)
        lines.append(f"| {level} | {' | '.join(str(found[state]) for state in STATES)} | {found.total()} |")
    return "\n".join(lines)


def page(table: list[Row]) -> str:
    lines = [
        HEAD + counts(table),
        "",
        "| item | level | about | | shown by, or why not |",
        "|---|---|---|---|---|",
    ]
    for row in table:
        links = row["evidence"].split() if row["status"] in {"test", "doc"} else []
        shown = "<br>".join(f"`{link.removeprefix('tests/')}`" for link in links) or row["evidence"]
        lines.append(f"| {row['item']} | {row['level']} | {row['about']} | {row['status']} | {shown} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    table = rows()
    PAGE.write_text(page(table))
    print(counts(table))
    broken = broken_links(table)
    print("\n".join(f"leads nowhere: {link}" for link in broken))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
