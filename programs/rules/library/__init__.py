"""The library as data: a pure parser of the starter's TOML files, and of what comes in from elsewhere."""

from programs.rules.library.document import (
    Document,
    DocumentError,
    as_plain,
    changes,
    differences,
    parse_document,
    parse_stages,
    template_as_plain,
)
from programs.rules.library.entry import LibraryError
from programs.rules.library.exercise_database import DatabaseError, Found, read_records
from programs.rules.library.parsing import ADVICE, EXERCISES, TEMPLATES, parse_library
from programs.rules.library.reading import Mistake
from programs.rules.library.shapes import Advice, Dose, Exercise, ExerciseKind, Library, Stage, Template

__all__ = [
    "ADVICE",
    "EXERCISES",
    "TEMPLATES",
    "Advice",
    "DatabaseError",
    "Document",
    "DocumentError",
    "Dose",
    "Exercise",
    "ExerciseKind",
    "Found",
    "Library",
    "LibraryError",
    "Mistake",
    "Stage",
    "Template",
    "as_plain",
    "changes",
    "differences",
    "parse_document",
    "parse_library",
    "parse_stages",
    "read_records",
    "template_as_plain",
]
