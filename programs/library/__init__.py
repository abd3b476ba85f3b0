"""The starter library: exercises, templates and advice texts as TOML beside this file."""

from __future__ import annotations

from pathlib import Path

from programs.rules.library import ADVICE, EXERCISES, TEMPLATES, Library, parse_library

FOLDER = Path(__file__).parent


def starter_library() -> Library:
    """The library every new database starts with. Raises LibraryError where a file holds a mistake."""
    exercises, templates, advice = (
        (FOLDER / name).read_text(encoding="utf-8") for name in (EXERCISES, TEMPLATES, ADVICE)
    )
    return parse_library(exercises=exercises, templates=templates, advice=advice)
