"""Cells of a CSV are text for a spreadsheet too."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from clinic.csv_cells import cell, write

FORMULAS = [
    "=1+1",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\u00a0=1",
    "\ufeff=1",
    "\u200b=1",
]
FORMULAS += [
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20SUM(A1)",
    "\u22121",
    "|calc",
    "%0A",
    '=HYPERLINK("http://x")',
    "\0=1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_could_be_a_formula_is_text(text: str) -> None:
    assert cell(text) == "'" + text.replace("\0", "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (-3, "-3"),
        (Decimal("-1.5"), "-1.5"),
        (date(2026, 3, 2), "2026-03-02"),
        (datetime(2026, 3, 2, 9, tzinfo=UTC), "2026-03-02T09:00:00+00:00"),
        ("worst on stairs = 7", "worst on stairs = 7"),
        ("Jean-Luc, \"the\" 'knee'\n=not the start", "Jean-Luc, \"the\" 'knee'\n=not the start"),
    ],
)
def test_anything_else_stays_as_it_is(value: object, text: str) -> None:
    assert cell(value) == text


def test_every_cell_is_quoted_and_comes_back_whole() -> None:
    stream = io.StringIO(newline="")
    write(stream, [["a;=1+1", 'say "=1"', 1], ["x\r\n=2", None, "=3"]])
    assert stream.getvalue().startswith('"a;=1+1","say ""=1""","1"\r\n')
    stream.seek(0)
    assert list(csv.reader(stream)) == [["a;=1+1", 'say "=1"', "1"], ["x\r\n=2", "", "'=3"]]
