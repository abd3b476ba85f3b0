"""The library: load the starter's, copy, version, exchange, link to a film."""

from programs.services.library.clips import set_clip
from programs.services.library.copies import LibraryRefused, copy_exercise, copy_template
from programs.services.library.exchange import (
    Choice,
    ImportPreview,
    NotReadable,
    export_template,
    import_template,
    preview_import,
)
from programs.services.library.exercise_database import Candidate, import_exercises, preview_exercises
from programs.services.library.making import (
    check_drivers,
    check_neighbours,
    make_exercise,
    make_template,
    own_slug,
    put_stages,
)
from programs.services.library.starter import load_starter_library
from programs.services.library.versions import (
    OnVersion,
    changes_since,
    changing_template,
    copied_from,
    hold_template,
    keep_version,
    patients_by_version,
    raise_exercise_version,
)

__all__ = [
    "Candidate",
    "Choice",
    "ImportPreview",
    "LibraryRefused",
    "NotReadable",
    "OnVersion",
    "changes_since",
    "changing_template",
    "check_drivers",
    "check_neighbours",
    "copied_from",
    "copy_exercise",
    "copy_template",
    "export_template",
    "hold_template",
    "import_exercises",
    "import_template",
    "keep_version",
    "load_starter_library",
    "make_exercise",
    "make_template",
    "own_slug",
    "patients_by_version",
    "preview_exercises",
    "preview_import",
    "put_stages",
    "raise_exercise_version",
    "set_clip",
]
