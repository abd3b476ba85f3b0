"""Two clinicians on one assessment: what the other changed, what is only mine, and where we differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clinic.audit.models import AuditEntry
from clinic.audit.reading import people
from patients.models import Assessment
from programs.admin.intake.flat import Flat
from programs.admin.intake.form import IntakeForm

EMPTY = "empty"
MINE, THEIRS = "mine", "theirs"


@dataclass(frozen=True, slots=True)
class Save:
    """One saving of the assessment: who, when, and which columns it changed."""

    by: str
    at: datetime
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Difference:
    """A field the other changed. ``is_conflict``: I changed it too, and to something else."""

    name: str
    label: str
    before: str
    theirs: str
    mine: str
    by: str
    is_conflict: bool
    picked: str


def saves_since(assessment: Assessment, version: int) -> list[Save]:
    """From the audit trail, the first one first."""
    entries = AuditEntry.objects.filter(
        table_name=Assessment._meta.db_table, row_id=str(assessment.pk), changes__has_key="version"
    )
    since = [e for e in entries.order_by("id") if (e.changes["version"][0] or 0) >= version]
    by = people(since)
    return [Save(by[entry.pk].name, entry.at, frozenset(entry.changes)) for entry in since]


def merged(base: Flat, theirs: Flat, mine: Flat, picks: Mapping[str, str]) -> Flat:
    """Mine where only I changed it, theirs where only they did, and where both did what was picked."""
    found: Flat = {}
    for name in {*base, *theirs, *mine}:
        was, other, own = base.get(name), theirs.get(name), mine.get(name)
        keeps_mine = own != other and (other == was or (own != was and picks.get(name) == MINE))
        if value := own if keeps_mine else other:
            found[name] = value
    return found


def differences(
    form: IntakeForm, base: Flat, theirs: Flat, picks: Mapping[str, str], saves: Sequence[Save]
) -> list[Difference]:
    """Field by field, in the order of the form."""
    return list(_differences(form, base, theirs, form.content(), picks, saves))


def open_conflicts(found: Sequence[Difference]) -> list[Difference]:
    return [row for row in found if row.is_conflict and row.picked not in (MINE, THEIRS)]


def _differences(
    form: IntakeForm,
    base: Flat,
    theirs: Flat,
    mine: Flat,
    picks: Mapping[str, str],
    saves: Sequence[Save],
) -> Iterator[Difference]:
    for name, field in form.fields.items():
        was, other, own = base.get(name), theirs.get(name), mine.get(name)
        if other in (was, own):
            continue
        yield Difference(
            name=name,
            label=_label(name, field),
            before=in_words(field, was),
            theirs=in_words(field, other),
            mine=in_words(field, own),
            by=_who(name, saves),
            is_conflict=own != was,
            picked=picks.get(name, ""),
        )


def _label(name: str, field: Any) -> str:
    label = str(field.label)
    return f"{name.split('-')[1].upper().replace('_', '-')}: {label}" if name.startswith("o-") else label


def _who(name: str, saves: Sequence[Save]) -> str:
    """The last who changed that column; of a measurement, all who saved."""
    named = [save.by for save in saves if name in save.columns]
    return named[-1] if named else " or ".join(dict.fromkeys(save.by for save in saves))


def in_words(field: Any, texts: list[str] | None) -> str:
    if not texts:
        return EMPTY
    choices: dict[str, str] = {}
    for value, label in getattr(field, "choices", ()):
        group = label if isinstance(label, list | tuple) else [(value, label)]
        choices |= {str(code): str(word) for code, word in group}
    return ", ".join("yes" if text == "on" else choices.get(text, text) for text in texts)


def left_over(form: IntakeForm, stored: Flat) -> list[tuple[str, str, str]]:
    """What was typed and differs from what is stored: label, typed, stored."""
    typed = form.content()
    return [
        (_label(name, field), in_words(field, typed.get(name)), in_words(field, stored.get(name)))
        for name, field in form.fields.items()
        if typed.get(name) != stored.get(name)
    ]
