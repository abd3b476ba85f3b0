"""A pytest plugin: instead of running the tests once, takes away each guard of GUARDS in turn and runs the
tests named with it until one is red. That test must be green again as soon as the guard is back.

Each trial has a database of its own. A guard in the code is taken out of the running function: no file
changes.
"""

from __future__ import annotations

import gc
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from types import CodeType, FunctionType
from typing import Any

import psycopg
import pytest
from _pytest.runner import runtestprotocol
from django.db import connection, connections

from tests.databases import drop

TEMPLATE = os.environ["GUARD_TEMPLATE"]
OWNER = os.environ["DATABASE_OWNER_URL"]
OPEN = """
    SELECT format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY', relname)
    FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace
"""


class Between:
    """Stands for the next test, so that only what belongs to the whole session is kept."""

    def __init__(self, session: pytest.Session) -> None:
        self.session = session

    def listchain(self) -> list[Any]:
        return [self.session]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    items = {item.nodeid: item for item in session.items}
    setup = session.items[0]
    _is_red(setup)  # makes what belongs to the whole session
    with Path(os.environ["GUARD_RESULTS"]).open("w", buffering=1) as results:
        for guard in json.loads(Path(os.environ["GUARDS"]).read_text()):
            tests = [item for name, item in items.items() if name.startswith(tuple(guard["tests"]))]
            tests.sort(key=lambda item: _rank(item.nodeid, guard["tests"]))
            results.write(json.dumps(_judge(guard, tests)) + "\n")
    return True


def _rank(nodeid: str, names: list[str]) -> int:
    return next(number for number, name in enumerate(names) if nodeid.startswith(name))


def _judge(guard: dict[str, Any], tests: list[pytest.Item]) -> dict[str, Any]:
    started = monotonic()
    with _database(guard, taken_away=True), _without(guard):
        killer = next((item for item in tests if _is_red(item)), None)
    if killer is not None:
        with _database(guard, taken_away=False):
            if _is_red(killer):
                return guard | {"killer": "", "trouble": f"{killer.nodeid} is red by itself", "seconds": 0}
    return guard | {
        "killer": killer.nodeid if killer else "",
        "trouble": "",
        "seconds": monotonic() - started,
    }


def _is_red(item: Any) -> bool:
    item._initrequest()
    reports = runtestprotocol(item, nextitem=Between(item.session), log=False)  # type: ignore[arg-type]
    return any(report.failed for report in reports)


@contextmanager
def _database(guard: dict[str, Any], *, taken_away: bool) -> Iterator[None]:
    """A copy of the template, with row-level security off where a scope call is judged."""
    name, usual = f"{TEMPLATE}_trial", connection.settings_dict["NAME"]
    connections.close_all()
    drop(name)
    with psycopg.connect(OWNER, autocommit=True) as owner:
        owner.execute(f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"'.encode())
    with psycopg.connect(re.sub(r"/[^/?]+\?", f"/{name}?", OWNER)) as database:
        statements = [guard["sql"]] if guard["sql"] and taken_away else []
        if guard["kind"] == "scope":
            statements = [row[0] for row in database.execute(OPEN)]
        for statement in statements:
            database.execute(statement.encode())
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connections.close_all()
        connection.settings_dict["NAME"] = usual


@contextmanager
def _without(guard: dict[str, Any]) -> Iterator[None]:
    """The function as the changed source would have it."""
    if not guard["path"]:
        yield
        return
    file = str(Path.cwd() / guard["path"])
    new = {code.co_qualname: code for code in _codes(compile(guard["text"], file, "exec"))}
    changed: list[Callable[[], None]] = []
    for function in [one for one in gc.get_objects() if type(one) is FunctionType]:
        old = function.__code__
        if old.co_filename == file and old.co_qualname == guard["function"]:
            function.__code__ = new[old.co_qualname]
            changed.append(lambda function=function, old=old: setattr(function, "__code__", old))
    assert changed, f"{guard['function']} is not to be found"
    try:
        yield
    finally:
        for undo in changed:
            undo()


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
