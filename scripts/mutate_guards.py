"""Takes each guard away in turn and runs the tests that come along it: one of them must turn red.

It works in a copy of the checkout and on databases of its own. Scope calls are judged with row-level security
off, else the one would hide that the other is gone. The result is written to docs/guard-mutations.md; exit
code 1 if a guard was not missed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django  # noqa: E402
from django.db import connection  # noqa: E402

from scripts.guards import Guard, in_code, in_database  # noqa: E402

PAGE = PROJECT / "docs/guard-mutations.md"
IN_DATABASE = {"policy": "tests/clinic/test_row_security.py", "unique": "tests/clinic/test_unique.py"}
AT_IMPORT = [
    "tests/clinic/api/test_throttles.py",
    "tests/programs/api/test_access.py",
    "tests/programs/api/test_privacy.py",
    "tests/config",
]
"""For what is read once, when a module is loaded: settings, and attributes of classes."""

WATCHED = ["tests/clinic", "tests/patients", "tests/programs"]
LEFT_OUT = [
    "*/test_fuzz.py",
    "*/test_up.py",
    "*/test_embedded.py",
    "*/test_supervisor.py",
    "*/demo/*",
    "*/rules/*",
]
"""Slow, or of something else: no guard is expected to need them."""

ABOUT = {
    "scope": "another|other|foreign|own_|only|nobody",
    "lease": "test_locks|two_|at_once|meanwhile|lease",
}
"""What a test that misses such a guard is likely called."""

ALWAYS = {"lease": ["tests/programs/test_locks.py"]}

AT_MOST = 120
"""Tests a guard; the likeliest come first."""

type Hits = dict[str, list[str]]
"""Which tests come along which line of the code, as ``path:line``."""

type Outcome = dict[str, Any]
"""A guard's fields with ``killer``, ``trouble`` and ``seconds``."""


class Laboratory:
    """A copy of the checkout and a filled database, of which each trial makes a copy of its own."""

    def __init__(self, copy: Path, template: str) -> None:
        self.copy, self.template, self.runs = copy, template, 0

    def watch(self, guards: list[Guard]) -> Hits:
        """One run of all that is worth watching, to learn which tests come along which guard."""
        lines, hits = self.copy / ".guard-lines", self.copy / ".guard-hits"
        lines.write_text(json.dumps(sorted({f"{guard.path}:{guard.line}" for guard in guards if guard.path})))
        left_out = [f"--ignore-glob={pattern}" for pattern in LEFT_OUT]
        said = self._pytest("guard_watch", [*left_out, *WATCHED], GUARD_LINES=lines, GUARD_HITS=hits)
        if not hits.exists():
            raise SystemExit(f"The watched run ended early:\n{said[-3000:]}")
        found: Hits = json.loads(hits.read_text())
        return found

    def judge(self, guards: list[Guard], hits: Hits) -> list[Outcome]:
        """All that can be taken away while the tests run, in one run."""
        todo, results = self.copy / ".guards", self.copy / ".guard-results"
        tests = {guard.name: tests_of(guard, hits) for guard in guards}
        todo.write_text(json.dumps([asdict(g) | {"tests": tests[g.name], "name": g.name} for g in guards]))
        files = sorted({name.split("::")[0] for names in tests.values() for name in names})
        said = self._pytest(
            "guard_judge", files, GUARDS=todo, GUARD_RESULTS=results, GUARD_TEMPLATE=self.template
        )
        found = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
        if len(found) < len(guards):
            raise SystemExit(f"{guards[len(found)].name}: no verdict\n{said[-3000:]}")
        return found

    def judge_at_import(self, guard: Guard) -> Outcome:
        """What is read when a module is loaded needs a run of its own, with another file."""
        started, file = monotonic(), self.copy / guard.path
        before = file.read_text()
        file.write_text(guard.text)
        try:
            said = self._pytest("", ["-x", *AT_IMPORT])
        finally:
            file.write_text(before)
        found = re.search(r"^FAILED (tests/\S+)", said, flags=re.MULTILINE)
        killer = found[1] if found else ""
        if killer and " passed" not in self._pytest("", [killer]):
            killer = ""
        return asdict(guard) | {"killer": killer, "trouble": "", "seconds": monotonic() - started}

    def _pytest(self, plugin: str, arguments: list[str], **environment: str | Path) -> str:
        """What pytest said, in the copy, on servers that are there already."""
        self.runs += 1
        shared = {"TEST_RUN": f"guard{os.getpid()}x{self.runs}", "TEST_SERVERS_GIVEN": "1"}
        with_plugin = ["-p", f"scripts.{plugin}"] if plugin else []
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "--tb=line",
                "-p",
                "no:cacheprovider",
                *with_plugin,
                *arguments,
            ],
            cwd=self.copy,
            env=os.environ | shared | {name: str(value) for name, value in environment.items()},
            capture_output=True,
            text=True,
            check=False,
        )
        return f"{done.stdout}{done.stderr}\nexit code {done.returncode}"


def tests_of(guard: Guard, hits: Hits) -> list[str]:
    """The tests to run, the likeliest first."""
    if guard.kind in IN_DATABASE:
        return [IN_DATABASE[guard.kind]]
    found = [*ALWAYS.get(guard.kind, []), *hits.get(f"{guard.path}:{guard.line}", [])]
    about = re.compile(rf"{ABOUT.get(guard.kind, '')}|test_{Path(guard.path).stem}")
    return sorted(found, key=lambda test: not about.search(test))[:AT_MOST]


def copy_of_the_checkout(target: Path) -> Path:
    """Every file that git knows or would; the tree itself is never changed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, target / name)
    return target


def page(outcomes: Iterable[Outcome]) -> str:
    """The result as a table."""
    outcomes = list(outcomes)
    missed = sum(bool(outcome["killer"]) for outcome in outcomes)
    lines = [
        "# Every guard is missed when it is gone",
        "",
        "Made by `make mutate-guards`, which finds the guards in the database's catalogue and in the code,",
        "takes each away in turn and runs the tests that come along it until one turns red; that is green",
        "again once the guard is back. Scope calls are judged with row-level security off, so that neither",
        "layer hides the loss of the other.",
        "",
        f"{len(outcomes)} guards, {missed} missed at once, {len(outcomes) - missed} survived.",
        "",
        "| kind | guard | taken away | first test to turn red | s |",
        "|---|---|---|---|---|",
    ]
    for outcome in outcomes:
        red = f"`{outcome['killer'].removeprefix('tests/')}`" if outcome["killer"] else "**none**"
        cells = (
            outcome["kind"],
            f"`{outcome['place']}`",
            outcome["change"],
            red,
            f"{outcome['seconds']:.1f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a regular expression that the guard's name must match")
    parser.add_argument("--list", action="store_true", help="name the guards and stop")
    parser.add_argument("--hits", type=Path, help="keep here which tests come along which guard, or read it")
    options = parser.parse_args()
    django.setup()
    from tests import servers  # noqa: PLC0415 - it reads the settings

    with servers.running(), tempfile.TemporaryDirectory(prefix="guards-") as folder:
        servers.use_own_database(migrations=True)
        connection.close()
        template = f"test_{os.environ['TEST_RUN']}_template"
        owner = re.sub(r"/[^/?]+\?", f"/{template}?", os.environ["DATABASE_OWNER_URL"])
        copy = copy_of_the_checkout(Path(folder))
        found = [*in_database(owner), *in_code(copy)]
        guards = [guard for guard in found if re.search(options.only, guard.name)]
        if options.list:
            print("\n".join(guard.name for guard in guards))
            return 0
        outcomes = _judge(guards, Laboratory(copy, template), options.hits)
    if guards == found:
        PAGE.write_text(page(outcomes))
    return _report(outcomes)


def _judge(guards: list[Guard], laboratory: Laboratory, kept: Path | None) -> list[Outcome]:
    hits: Hits = {}
    if kept and kept.exists():
        hits = json.loads(kept.read_text())
    elif any(guard.path for guard in guards):
        hits = laboratory.watch(guards)
        if kept:
            kept.write_text(json.dumps(hits))
    at_once = [guard for guard in guards if guard.sql or guard.function]
    outcomes = laboratory.judge(at_once, hits) if at_once else []
    return outcomes + [laboratory.judge_at_import(guard) for guard in guards if guard not in at_once]


def _report(outcomes: list[Outcome]) -> int:
    for outcome in outcomes:
        name = f"{outcome['kind']}: {outcome['place']}: {outcome['change']}"
        verdict = f"red: {outcome['killer']}" if outcome["killer"] else f"SURVIVED {outcome['trouble']}"
        print(f"{name} - {verdict} ({outcome['seconds']:.1f} s)")
    survivors = sum(not outcome["killer"] for outcome in outcomes)
    print(f"{len(outcomes)} guards, {survivors} survived")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
