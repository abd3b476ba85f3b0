"""Finds the guards that keep one person's rows from another's and one event from happening twice.

Those in the database are read from its catalogue, those in the code from its syntax tree: a new one is found
without being listed anywhere.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

APPS = ("clinic", "patients", "programs", "config")
FRAMEWORK = (
    "auth\\_%",
    "django\\_%",
    "knox\\_%",
    "clinic\\_user\\_groups",
    "clinic\\_user\\_user\\_permissions",
)
"""Tables whose constraints are Django's and Knox's own to test; ours hold nothing in them."""

UNIQUE = r"""
    SELECT indrelid::regclass::text, indexrelid::regclass::text, conname
    FROM pg_index
    JOIN pg_class ON pg_class.oid = indrelid AND relnamespace = 'public'::regnamespace
    LEFT JOIN pg_constraint ON conindid = indexrelid AND contype = 'u'
    WHERE indisunique AND NOT indisprimary AND relname NOT LIKE ALL (%s)
        AND indexrelid::regclass::text NOT LIKE '%%\_in\_clinic'
    ORDER BY 1, 2
"""
"""Without those that hold the primary key: composite foreign keys point to them, they promise no more."""

POLICIES = """
    SELECT tablename, policyname, cmd, qual, with_check FROM pg_policies
    WHERE schemaname = 'public' AND policyname NOT IN ('migration', 'tests') ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard and how it is taken away: by a statement to the database, or by another text of a file."""

    kind: str
    place: str
    change: str
    sql: str = ""
    path: str = ""
    line: int = 0
    function: str = ""
    text: str = ""

    @property
    def name(self) -> str:
        return f"{self.kind}: {self.place}: {self.change}"


def in_database(url: str) -> Iterator[Guard]:
    """Unique constraints and policies of a migrated database."""
    with psycopg.connect(url) as database:
        for table, index, constraint in database.execute(UNIQUE, [list(FRAMEWORK)]):
            drop = (
                f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}" CASCADE'
                if constraint
                else f"DROP INDEX {index}"
            )
            yield Guard("unique", constraint or index, "dropped", sql=drop)
        for table, policy, command, rows, written in database.execute(POLICIES):
            yield from _of_policy(table, policy, command, rows, written)


def _of_policy(table: str, policy: str, command: str, rows: str, written: str | None) -> Iterator[Guard]:
    place = f"{table}.{policy}"
    if rows != "true":
        yield Guard("policy", place, "shows every row", f"ALTER POLICY {policy} ON {table} USING (true)")
    if written:
        open_to_all = f"ALTER POLICY {policy} ON {table} WITH CHECK (true)"
        yield Guard("policy", place, "lets every row be written", open_to_all)
    if command == "ALL":
        off = f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY"
        yield Guard("policy", place, "is off", off)


def in_code(root: Path) -> Iterator[Guard]:
    """Scope calls, leases and rate limits of our apps."""
    for app in APPS:
        for path in sorted((root / app).rglob("*.py")):
            if "migrations" not in path.parts and "demo" not in path.parts:
                yield from of_source(path.read_text(), str(path.relative_to(root)))


def of_source(source: str, path: str) -> Iterator[Guard]:
    """The guards of one module."""
    seen: Counter[str] = Counter()
    for scope, function, node in _walk(ast.parse(source), "", ""):
        for kind, change, start, end, new in _changes(node, source):
            place = f"{path}:{scope}"
            seen[place + change] += 1
            nth = f" ({seen[place + change]})" if seen[place + change] > 1 else ""
            line = node.lineno if new else source.count("\n", 0, start) + 1
            text = source[:start] + new + source[end:]
            yield Guard(kind, place, change + nth, "", path, line, function, text)


type Change = tuple[str, str, int, int, str]
"""Kind, description, and which part of the source is replaced by what."""


def _walk(tree: ast.AST, scope: str, function: str) -> Iterator[tuple[str, str, ast.AST]]:
    """Every node in the order of the text, with what stands around it: functions and classes by name, and the
    function as Python itself calls it, empty where none is run.
    """
    for node in ast.iter_child_nodes(tree):
        yield scope or "module", function, node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _walk(node, f"{scope}.{node.name}".lstrip("."), f"{scope}.{node.name}".lstrip("."))
        elif isinstance(node, ast.ClassDef):
            yield from _walk(node, f"{scope}.{node.name}".lstrip("."), "")
        else:
            yield from _walk(node, scope, function)


def _changes(node: ast.AST, source: str) -> Iterator[Change]:
    if isinstance(node, ast.Call):
        yield from _of_call(node, source)
    elif isinstance(node, ast.Assign):
        yield from _of_assignment(node, source)


REPLACED = {"scoped": "scope", "of_patient": "scope", "select_for_update": "lease"}
REMOVED = {"lease": "lease", "leased_until__lte": "lease", "attempts__lt": "rate limit"}
"""Conditions of a query, by the keyword they stand under."""


def _of_call(call: ast.Call, source: str) -> Iterator[Change]:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if isinstance(function, ast.Attribute) and name in REPLACED and not _is_super(function.value):
        start, end = _end(function.value, source), _end(call, source)
        yield REPLACED[name], f"{name}() is all()", start, end, ".all()"
    if name not in {"filter", "Q", "get", "exclude"}:
        return
    for keyword in call.keywords:
        if kind := REMOVED.get(keyword.arg or ""):
            end = _end(keyword, source)
            end += source[end:].startswith(",")
            yield kind, f"without {keyword.arg}", _start(keyword, source), end, ""


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "super"


def _of_assignment(node: ast.Assign, source: str) -> Iterator[Change]:
    name = getattr(node.targets[0], "id", "")
    start, end = _start(node.value, source), _end(node.value, source)
    if name == "rate" and isinstance(node.value, ast.Constant):
        yield "rate limit", "rate is None", start, end, "None"
    elif name == "throttle_classes" and isinstance(node.value, ast.Tuple | ast.List):
        parts = [ast.unparse(part) for part in node.value.elts]
        for left_out in parts:
            rest = "".join(f"{part}, " for part in parts if part != left_out)
            yield "rate limit", f"without {left_out}", start, end, f"({rest})"
    elif name == "ACCOUNT_RATE_LIMITS" and isinstance(node.value, ast.Dict):
        for key, value in zip(node.value.keys, node.value.values, strict=True):
            if key is not None and ast.unparse(value) not in {"None", "False"}:
                change = f"{ast.unparse(key)} is None"
                yield "rate limit", change, _start(value, source), _end(value, source), "None"


def _start(node: ast.expr | ast.keyword, source: str) -> int:
    return _offset(source, node.lineno, node.col_offset)


def _end(node: ast.expr | ast.keyword, source: str) -> int:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return _offset(source, node.end_lineno, node.end_col_offset)


def _offset(source: str, line: int, column: int) -> int:
    """Columns of the syntax tree count bytes."""
    lines = source.splitlines(keepends=True)
    return sum(map(len, lines[: line - 1])) + len(lines[line - 1].encode()[:column].decode())
