"""A pain diary as a clinic's spreadsheet gives it: CSV in UTF-8, one row a case and day.

case,date,worst_pain
C001,2026-08-31,7.5
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

COLUMNS = ("case", "date", "worst_pain")
LONGEST_CASE = 40
OLDEST = timedelta(days=3653)  # ten years: further back a year is mistyped

ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
SCORE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class Row:
    """A valid row: NPRS 0-10 in tenths."""

    line: int
    case: str
    on: date
    worst: Decimal


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one place of the file; ``column`` is empty where it is the whole line."""

    line: int
    column: str
    text: str

    def __str__(self) -> str:
        place = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{place}: {self.text}"


class DiaryFileError(ValueError):
    """The file is no diary at all: there is nothing to leave out and go on."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Diary:
    """The valid rows, and every row that is not valid with what was expected."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]


class _InvalidError(ValueError):
    def __init__(self, column: str, text: str) -> None:
        super().__init__(text)
        self.column = column
        self.text = text


def read(content: bytes, *, today: date) -> Diary:
    """Check every row of the file.

    Raises:
        DiaryFileError: not UTF-8, empty, without one of the columns, or not CSV.
    """
    lines = _lines(_decoded(content))
    header = next(lines, None)
    if header is None:
        raise DiaryFileError(Problem(1, "", f"expected the header {','.join(COLUMNS)}, got an empty file"))
    places = _places(*header)
    rows: dict[tuple[str, date], Row] = {}
    problems = []
    for line, values in lines:
        try:
            row = _row(line, _cells(values, places, len(header[1])), today)
            _check_new(row, rows)
        except _InvalidError as error:
            problems.append(Problem(line, error.column, error.text))
        else:
            rows[row.case, row.on] = row
    if not rows and not problems:
        raise DiaryFileError(Problem(2, "", "expected at least one row below the header"))
    return Diary(tuple(rows.values()), tuple(problems))


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, byte = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        text = f"expected UTF-8, got the byte 0x{content[error.start]:02x} (save the sheet as CSV UTF-8)"
        raise DiaryFileError(Problem(line, f"byte {byte}", text)) from None


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Lines with something in them, by number."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for values in reader:
            if any(value.strip() for value in values):
                yield reader.line_num, [value.strip() for value in values]
    except csv.Error as error:
        raise DiaryFileError(Problem(reader.line_num, "", f"expected CSV: {error}")) from None


def _places(line: int, header: list[str]) -> dict[str, int]:
    """Where each column stands. Other columns are of no concern."""
    names = [name.lower() for name in header]
    for column in COLUMNS:
        if names.count(column) != 1:
            problem = f"expected this column once in the header, got {','.join(header)}"
            raise DiaryFileError(Problem(line, column, problem))
    return {column: names.index(column) for column in COLUMNS}


def _cells(values: list[str], places: dict[str, int], width: int) -> dict[str, str]:
    if len(values) > width:
        raise _InvalidError("", f"expected {width} values, got {len(values)} (a decimal comma?)")
    return {column: values[at] if at < len(values) else "" for column, at in places.items()}


def _row(line: int, cells: dict[str, str], today: date) -> Row:
    return Row(line, _case(cells["case"]), _date(cells["date"], today), _score(cells["worst_pain"]))


def _case(text: str) -> str:
    if not text or len(text) > LONGEST_CASE or not text.isprintable():
        raise _InvalidError("case", f"expected a case number of 1 to {LONGEST_CASE} characters, got {text!r}")
    return text


def _date(text: str, today: date) -> date:
    oldest = today - OLDEST
    expected = f"expected a date like 2026-08-31, from {oldest} to {today}, got {text!r}"
    if not ISO_DATE.fullmatch(text):
        raise _InvalidError("date", expected)
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise _InvalidError("date", expected) from None
    if not oldest <= found <= today:
        raise _InvalidError("date", expected)
    return found


def _score(text: str) -> Decimal:
    expected = f"expected 0 to 10 with at most one decimal, got {text!r}"
    if not SCORE.fullmatch(text):
        raise _InvalidError("worst_pain", expected)
    value = Decimal(text)
    tenths = value.quantize(Decimal("0.1"))
    if tenths != value or not 0 <= value <= 10:
        raise _InvalidError("worst_pain", expected)
    return tenths


def _check_new(row: Row, rows: dict[tuple[str, date], Row]) -> None:
    if (row.case, row.on) in rows:
        first = rows[row.case, row.on].line
        raise _InvalidError(
            "date", f"expected one row a day for case {row.case}, got {row.on} again (first on line {first})"
        )
