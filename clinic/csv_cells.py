"""Cells of a CSV file that a spreadsheet takes for text, whatever a patient wrote."""

from __future__ import annotations

STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: object) -> str:
    """The value as text; what a spreadsheet would calculate gets a quote in front, numbers excepted."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(STARTS_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()
