"""The starter library: exercises, templates, advice texts and drawings as TOML beside this file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from programs.rules.drawing import DRAWINGS, Drawing, draw, parse_drawings
from programs.rules.library import ADVICE, EXERCISES, TEMPLATES, Library, parse_library

FOLDER = Path(__file__).parent
DRAWN = "programs/drawings"
DRAWN_FOLDER = FOLDER.parent / "static" / DRAWN


def starter_library() -> Library:
    """The library every new database starts with. Raises LibraryError where a file holds a mistake."""
    exercises, templates, advice = (
        (FOLDER / name).read_text(encoding="utf-8") for name in (EXERCISES, TEMPLATES, ADVICE)
    )
    return parse_library(exercises=exercises, templates=templates, advice=advice)


def starter_drawings() -> tuple[Drawing, ...]:
    """How the exercises are drawn. Raises LibraryError where the file holds a mistake."""
    return parse_drawings((FOLDER / DRAWINGS).read_text(encoding="utf-8"))


def drawn_files() -> dict[str, str]:
    """The name and text of every drawing's file."""
    names = {exercise.slug: exercise.name for exercise in starter_library().exercises}
    return {f"{drawing.slug}.svg": draw(drawing, names[drawing.slug]) for drawing in starter_drawings()}


def write_drawings() -> int:
    """Draw every exercise into the static files; how many."""
    files = drawn_files()
    DRAWN_FOLDER.mkdir(exist_ok=True)
    for name, text in files.items():
        (DRAWN_FOLDER / name).write_text(text, encoding="utf-8")
    return len(files)


@cache
def _drawn() -> frozenset[str]:
    return frozenset(path.stem for path in DRAWN_FOLDER.glob("*.svg"))


def drawing_of(slug: str) -> str | None:
    """The static path of a starter exercise's drawing, None where it has none."""
    return f"{DRAWN}/{slug}.svg" if slug in _drawn() else None
