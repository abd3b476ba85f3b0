"""CSV that a spreadsheet shows as text: what a patient wrote must not become a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from typing import TextIO

FORMULA_STARTS = tuple("=+-@|%\uff1d\uff0b\uff0d\uff20\u2212")
"""What spreadsheets take for the start of a formula, the full-width signs included."""


def cell(value: object) -> str:
    """The value as the text of one cell; a text that could be a formula gets an apostrophe in front.

    Numbers are no formulas: -1.5 stays a number.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    text = str(value).replace("\0", "")
    return f"'{text}" if _first_visible(text) in FORMULA_STARTS else text


def write(stream: TextIO, rows: Iterable[Iterable[object]]) -> None:
    """Rows as CSV, each cell in quotes: a semicolon starts no new cell wherever that is the separator.

    Open the file with ``newline=""``.
    """
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    writer.writerows([cell(value) for value in row] for row in rows)


def _first_visible(text: str) -> str:
    """Blanks, control and zero-width characters hide a formula from us and not from a spreadsheet."""
    return next((character for character in text if character.isprintable() and character != " "), "")
