"""What was changed in a row, by whom: field by field, in the words of its form."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.contrib.admin.utils import display_for_field
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import Field, Model, Q, QuerySet
from django.forms.models import _get_foreign_key  # as inlines find it
from django.utils import timezone
from django.utils.text import capfirst

from clinic.audit.models import AuditEntry
from clinic.audit.reading import Person, people
from clinic.models import User
from clinic.sealed import EncryptedCharField, EncryptedTextField

EMPTY = "empty"
PER_PAGE = 50

type Labels = Mapping[str, str]
type Names = Mapping[tuple[type[Model], Any], str]
"""What rows are called, by model and key."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """``kept_out``: the values are not on record, only that they changed."""

    label: str
    old: str
    new: str
    kept_out: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One entry as the page shows it; ``of`` says which row it was, where its model tells (``told_by``)."""

    at: datetime
    by: Person
    action: str
    what: str
    of: str
    why: str
    changes: list[FieldChange]


def entries_of(row: Model, inlines: Iterable[Any] = ()) -> QuerySet[Any]:
    """Changes of a row, and of the rows that the ``inlines`` of its page show, those taken out included."""
    deleted = Q(action=AuditEntry.Action.DELETED)
    mine = Q(table_name=row._meta.db_table, row_id=str(row.pk))
    for model, path in _below(type(row), inlines):
        table = model._meta.db_table
        children = model._base_manager.filter(**{path: row.pk}).values_list("pk", flat=True)
        mine |= Q(table_name=table, row_id__in=[str(pk) for pk in children])
        mine |= deleted & Q(table_name=table, **{f"changes__{path}_id__0": row.pk})
    return AuditEntry.objects.changes().filter(mine)


def _below(parent: type[Model], inlines: Iterable[Any], above: str = "") -> Iterator[tuple[type[Model], str]]:
    """Each model of the inlines, and of those nested in them, with its path to the row."""
    for inline in inlines:
        path = _get_foreign_key(parent, inline.model, fk_name=inline.fk_name).name + above
        yield inline.model, path
        yield from _below(inline.model, getattr(inline, "inlines", ()), f"__{path}")


def labels_of(form: Any, model: type[Model]) -> dict[str, str]:
    """What a form calls the columns, by table and column."""
    columns = {field.name: field.column for field in model._meta.concrete_fields}
    return {
        f"{model._meta.db_table}.{columns[name]}": str(field.label)
        for name, field in form.base_fields.items()
        if name in columns and field.label
    }


def page_of(entries: QuerySet[Any], number: str, labels: Labels | None = None) -> Page[Any]:
    """A page of steps, the latest first; ``labels`` are the form's, by table and column."""
    page = Paginator(entries.order_by("-id"), PER_PAGE).get_page(number)
    page.object_list = steps(list(page.object_list), labels or {})
    return page


def steps(entries: list[AuditEntry], labels: Labels) -> list[Step]:
    by = people(entries)
    models = {model._meta.db_table: model for model in apps.get_models()}
    names, rows = _names(entries, models), _rows(entries, models)
    found = [
        Step(
            at=entry.at,
            by=by[entry.pk],
            action=entry.get_action_display(),
            what=capfirst(str(models[entry.table_name]._meta.verbose_name)),
            of=rows.get((entry.table_name, entry.row_id), ""),
            why=entry.why,
            changes=list(_changes(models[entry.table_name], entry, labels, names)),
        )
        for entry in entries
        if entry.table_name in models
    ]
    # A change that says nothing of what was changed only raises questions.
    return [step for step in found if step.changes or step.action != AuditEntry.Action.CHANGED.label]


UNTOLD = {
    *("id", "clinic_id", "created_at", "client_id", "patient_key"),  # what every row has
    *("text_hash", "token_hash", "code_hash", "body_hash", "digest", "token_key", "secret"),
    *("dedupe_key", "lease", "leased_until"),
    *("verdict", "evidence", "thresholds"),  # as the rules store them: pages show them in words
}
"""What tells nobody anything."""

CODE = re.compile(r"[a-z]+(_[a-z0-9]+)*")
"""A word of ours where the column itself has no list of them."""

NUMBERED = re.compile(r"[a-z]+([0-9]+)")
"""A question of a form that has numbers for its questions."""


def _changes(model: Any, entry: AuditEntry, labels: Labels, names: Names) -> Iterator[FieldChange]:
    """Of a row that was added or taken out, not the rows above it: the page is about those."""
    fields = {field.column: field for field in model._meta.concrete_fields}
    for name, pair in sorted((entry.changes or {}).items()):
        field = fields.get(name)
        is_above = field is not None and field.is_relation and field.related_model is not User
        if name not in UNTOLD and not (is_above and entry.action != AuditEntry.Action.CHANGED):
            yield _change(model, field, name, pair, labels, names)


def _change(model: Any, field: Any, name: str, pair: Any, labels: Labels, names: Names) -> FieldChange:
    usual = field.verbose_name if field else name.replace("_", " ")
    label = capfirst(labels.get(f"{model._meta.db_table}.{name}", str(usual)))
    if pair is None:
        return FieldChange(label, "", "", kept_out=True)
    if isinstance(field, EncryptedTextField | EncryptedCharField):
        old, new = (_opened(field, value) for value in pair)
    else:
        old, new = (_text(field, value, names) for value in pair)
    return FieldChange(label, old, new, kept_out=False)


def _text(field: Field[Any, Any] | None, value: Any, names: Names) -> str:
    """A stored value as a person reads it."""
    if value in (None, "", [], {}):
        return EMPTY
    if field is None or isinstance(value, (bool, dict)):
        return _plain(value)
    if field.is_relation:
        return names.get((field.related_model, value), f"#{value}")  # type: ignore[arg-type]
    if field.flatchoices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, list):
        base = getattr(field, "base_field", field)
        return ", ".join(_text(base, item, names) for item in value)
    try:
        return _in_words(field, field.to_python(value))
    except ValidationError:  # of a column that was another kind then
        return str(value)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_said(str(key))}: {_said(str(item))}" for key, item in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _in_words(field: Field[Any, Any], found: Any) -> str:
    if isinstance(found, datetime):
        return f"{timezone.localtime(found):%-d %b %Y %H:%M}"
    if isinstance(found, date):
        return f"{found:%-d %b %Y}"
    return _said(found) if isinstance(found, str) else str(display_for_field(found, field, EMPTY))


def _said(text: str) -> str:
    if question := NUMBERED.fullmatch(text):
        return f"Question {question[1]}"
    return capfirst(text.replace("_", " ")) if CODE.fullmatch(text) else text


def _opened(field: EncryptedTextField | EncryptedCharField, value: str | None) -> str:
    """Text lies as sealed in the trail as in the row; with the patient's key gone it is erased in both."""
    return str(field.from_db_value(bytes.fromhex((value or "").removeprefix("\\x")))) or EMPTY


def _names(entries: Iterable[AuditEntry], models: Mapping[str, Any]) -> Names:
    """Of what the columns lead to, as far as it has a name of its own: users, exercises. A query a model."""
    keys: dict[type[Model], set[Any]] = defaultdict(set)
    for entry in entries:
        model = models.get(entry.table_name)
        for field in model._meta.concrete_fields if model else ():
            pair = (entry.changes or {}).get(field.column)
            named = field.is_relation and hasattr(field.related_model, "name")
            if pair and named and field.column not in UNTOLD:
                keys[field.related_model] |= {key for key in pair if key is not None}
    return {
        (model, row.pk): row.get_full_name() if isinstance(row, User) else row.name
        for model, wanted in keys.items()
        for row in model._base_manager.filter(pk__in=wanted)
    }


def _rows(entries: Iterable[AuditEntry], models: Mapping[str, Any]) -> Mapping[tuple[str, str], str]:
    """Which exercise of which stage it was, of models that say what tells rows apart. A query a table."""
    keys: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if hasattr(models.get(entry.table_name), "told_by"):
            keys[entry.table_name].add(entry.row_id)
    return {
        (table, str(key)): ", ".join(str(part) for part in parts)
        for table, wanted in keys.items()
        for key, *parts in models[table]
        ._base_manager.filter(pk__in=wanted)
        .values_list("pk", *models[table].told_by)
    }
