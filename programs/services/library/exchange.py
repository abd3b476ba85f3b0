"""A template with its exercises as one YAML file, out and in again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from django.db import transaction
from django.utils.text import slugify

from clinic.models import Clinic, User
from clinic.roles import Capability, require
from programs.models import Exercise, Template
from programs.rules.library import Document, DocumentError, as_plain, differences, parse_document
from programs.rules.library import Exercise as ExerciseData
from programs.services.library.content import (
    exercise_data,
    exercise_fields,
    template_data,
    write_template,
)
from programs.services.library.copies import LibraryRefused, free_name, slug_of
from programs.services.library.versions import changing_template
from programs.services.library.yaml_text import YamlError, dump_yaml, load_yaml


class Choice(StrEnum):
    """What to do with an exercise of the file that the clinic has, but not the same."""

    OURS = "ours"  # the program uses the one the clinic has
    COPY = "copy"  # the file's is added beside it


class NotReadable(LibraryRefused):
    """The file is no template. ``mistakes`` is every one, with its line and path."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("text", " ".join(f"{mistake}." for mistake in self.mistakes))


@dataclass(frozen=True, slots=True)
class Incoming:
    """An exercise of the file beside what the clinic has of that name."""

    data: ExerciseData
    ours: Exercise | None
    differs: tuple[str, ...]  # the fields, empty where it is the same or new

    @property
    def is_new(self) -> bool:
        return self.ours is None


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What an import would do. ``clash`` is the clinic's own template of the same name; ``name`` is what a
    new one is called where no other name is given: never as one of the starter library.
    """

    document: Document
    clash: Template | None
    name: str
    exercises: tuple[Incoming, ...]

    @property
    def asks(self) -> tuple[Incoming, ...]:
        """Exercises that need a ``Choice``."""
        return tuple(incoming for incoming in self.exercises if incoming.differs)


def export_template(*, template: Template) -> str:
    """The template and its exercises as YAML; whoever may read it may have it."""
    used = {
        dose.exercise_id: dose.exercise
        for stage in template.stages.prefetch_related("doses__exercise")
        for dose in stage.doses.all()
    }
    keys = _keys(used.values())
    exercises = (replace(exercise_data(row), slug=keys[pk]) for pk, row in used.items())
    document = Document(template_data(template, keys), tuple(sorted(exercises, key=lambda each: each.slug)))
    return dump_yaml(as_plain(document))


def _keys(rows: Iterable[Exercise]) -> dict[int, str]:
    """Slugs that stand once in the file: an exercise of the clinic's own may be called as a starter's is."""
    keys: dict[int, str] = {}
    for row in sorted(rows, key=lambda each: each.clinic_id is not None):
        taken = set(keys.values())
        keys[row.pk] = row.slug if row.slug not in taken else f"{row.slug[:76]}-own"
    return keys


def preview_import(*, text: str, clinic: Clinic, by: User) -> ImportPreview:
    """What ``import_template`` would do with this text.

    Raises:
        Denied: ``by`` may do no clinical work here.
        NotReadable: with line and path of each mistake.
    """
    require(by, Capability.WRITE_CLINICAL, clinic.pk)
    document = _read(text)
    ours: dict[str, Exercise] = {}
    slugs = [exercise.slug for exercise in document.exercises]
    for row in Exercise.objects.usable_by(clinic).filter(slug__in=slugs):
        if row.clinic_id is not None or row.slug not in ours:
            ours[row.slug] = row  # the clinic's own goes before the starter's
    return ImportPreview(
        document,
        Template.objects.filter(clinic=clinic, slug=document.template.slug).first(),
        _name_of(document, clinic),
        tuple(_incoming(data, ours.get(data.slug)) for data in document.exercises),
    )


def _name_of(document: Document, clinic: Clinic) -> str:
    template = document.template
    is_starters = Template.objects.filter(clinic=None, slug=template.slug).exists()
    return free_name(f"{template.name} (ours)", Template, clinic) if is_starters else template.name


def _incoming(data: ExerciseData, ours: Exercise | None) -> Incoming:
    return Incoming(data, ours, differences(exercise_data(ours), data) if ours else ())


@transaction.atomic
def import_template(
    *,
    text: str,
    clinic: Clinic,
    by: User,
    name: str = "",
    replace_ours: bool = False,
    choices: Mapping[str, Choice] | None = None,
) -> Template:
    """Add the file's template to the clinic's library, or nothing at all.

    ``name`` calls it something else; ``replace_ours`` makes it the next version of the clinic's template of
    the same name; ``choices`` says by slug what to do with each exercise that differs from the clinic's.

    Raises:
        Denied: ``by`` may do no clinical work here.
        NotReadable: with line and path of each mistake.
        LibraryRefused: a name that is taken, or an exercise without a choice.
    """
    preview = preview_import(text=text, clinic=clinic, by=by)
    chosen = choices or {}
    for incoming in preview.asks:
        if chosen.get(incoming.data.slug) not in set(Choice):
            raise LibraryRefused(
                "choices", f"Your {incoming.data.name} differs ({', '.join(incoming.differs)}): choose one."
            )
    data = preview.document.template
    if preview.clash and replace_ours and not name:
        row = preview.clash
    else:
        name = name or preview.name
        row = _new_row(name, data.slug if name == data.name else slug_of(name), clinic)
    data = replace(data, name=name or data.name)
    exercises = _exercises(preview, chosen, clinic)
    if row.pk is None:
        write_template(row, data, exercises)
    else:
        with changing_template(row, by=by):
            write_template(Template.objects.get(pk=row.pk), data, exercises)
    return row


def _new_row(name: str, slug: str, clinic: Clinic) -> Template:
    if not slug:
        raise LibraryRefused("name", "Needs at least one letter or digit.")
    if Template.objects.filter(clinic=clinic, slug=slug).exists():
        raise LibraryRefused(
            "name", f"Your library already has a program called {name}: another name, or replace it."
        )
    return Template(clinic=clinic, slug=slug)


def _exercises(preview: ImportPreview, chosen: Mapping[str, Choice], clinic: Clinic) -> dict[str, Exercise]:
    """The exercise to use for each slug of the file; new ones are added."""
    found: dict[str, Exercise] = {}
    for incoming in preview.exercises:
        data = incoming.data
        if incoming.ours and not (incoming.differs and chosen[data.slug] == Choice.COPY):
            found[data.slug] = incoming.ours
            continue
        fields, slug = exercise_fields(data), data.slug
        if incoming.ours:
            fields["name"] = free_name(f"{data.name} (imported)", Exercise, clinic)
            slug = slugify(fields["name"])[:80]
        found[data.slug] = Exercise.objects.create(clinic=clinic, slug=slug, **fields)
    return found


def _read(text: str) -> Document:
    try:
        plain, lines = load_yaml(text)
        return parse_document(plain)
    except YamlError as error:
        raise NotReadable([str(error)]) from None
    except DocumentError as error:
        raise NotReadable(f"line {_line(m.path, lines)}, {m}" for m in error.mistakes) from None


def _line(path: str, lines: Mapping[str, int]) -> int:
    """Of the path, or of what is above it where the field is missing."""
    while path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines[path]
