"""The import of a pain diary: read and check the file, then write its cases, all or none."""

from programs.services.imports.reading import Diary, DiaryFileError, Problem, Row, read
from programs.services.imports.writing import Imported, ImportRefused, import_diary

__all__ = [
    "Diary",
    "DiaryFileError",
    "ImportRefused",
    "Imported",
    "Problem",
    "Row",
    "import_diary",
    "read",
]
