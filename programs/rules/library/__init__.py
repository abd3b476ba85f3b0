"""The starter library as data: a pure parser of its TOML files."""

from programs.rules.library.entry import LibraryError
from programs.rules.library.parsing import ADVICE, EXERCISES, TEMPLATES, parse_library
from programs.rules.library.shapes import Advice, Dose, Exercise, ExerciseKind, Library, Stage, Template

__all__ = [
    "ADVICE",
    "EXERCISES",
    "TEMPLATES",
    "Advice",
    "Dose",
    "Exercise",
    "ExerciseKind",
    "Library",
    "LibraryError",
    "Stage",
    "Template",
    "parse_library",
]
