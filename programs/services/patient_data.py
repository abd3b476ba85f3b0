"""Everything stored about one patient, table by table, derived from the models: a new table is in it.

A table belongs to a patient by its ``scope``. ``APART`` and ``HIDDEN`` say, with reasons, what no copy holds.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, Model, OuterRef, Q, Subquery

from clinic import outbox
from clinic.csv_cells import cell
from clinic.models import Clinic, DataKey, OutboxMessage, RowAttempt, User
from patients.models import (
    Consent,
    DeviceToken,
    Erasure,
    Invitation,
    LoginCode,
    Patient,
    PrivacyEvent,
    RestrictedRecord,
)
from programs.models import (
    Alert,
    CheckInRequest,
    Digest,
    Exercise,
    Program,
    ProgramDose,
    RelapseWatch,
    SessionExercise,
    Template,
)
from programs.services import checkins, export_words, hand_overs, red_flags, reviews, watches

OURS = ("clinic", "patients", "programs")

APART: Mapping[type[Model], str] = {
    Erasure: "The ledger: an opaque key, kept so that a restore erases again.",
    RestrictedRecord: "What an erasure leaves until its legal term; an owner reads it with a reason.",
    PrivacyEvent: "Who took data out and why: part of the audit, by an opaque key.",
    Digest: "Names cases by number of row only; its e-mail is blanked after some weeks.",
}
"""Tables that lead to a patient and are neither exported nor erased with them."""

NOT_EXPORTED: Mapping[type[Model], str] = {
    DataKey: "The key of the patient's texts: the copy holds the texts themselves.",
}

TO_STAFF = Q(kind__in=(*red_flags.MAILS_TO_STAFF, hand_overs.KIND))
"""E-mails about a patient and not theirs: what the copy holds of the alert says the same, without colleagues'
addresses. They are erased with the patient.
"""

HIDDEN: Mapping[str, str] = {
    "digest": "Hash of an access token.",
    "token_key": "Start of an access token.",
    "token_hash": "Hash of an invitation's token.",
    "code_hash": "Hash of a login code.",
    "body_hash": "Tells a repeated request from another one; says nothing of the patient.",
    "secret": "The code or token of an e-mail on its way.",
    "html": "An e-mail's text again, with its layout.",
    "images": "Drawings in an e-mail of numbers that the copy holds.",
    "lease": "Which process sends an e-mail.",
    "leased_until": "Which process sends an e-mail.",
    "dedupe_key": "Keeps an e-mail from being written twice.",
    "attempts": "How often an e-mail was tried, or a login code was typed wrong.",
    "next_attempt_at": "When an e-mail is tried again.",
}
"""Columns that no copy holds, in any table."""

CONTACT = frozenset(
    ("user", "given_name", "family_name", "email", "phone", "guardian_name", "email_bounced_at", "timezone")
)
NOT_CLINICAL = (Consent, DeviceToken, Invitation, LoginCode, OutboxMessage)
"""Tables that the law does not ask to keep."""

NAMED: Mapping[type[Model], tuple[str, type[Model], str]] = {
    ProgramDose: ("exercise_name", Exercise, "exercise"),
    SessionExercise: ("exercise_name", Exercise, "dose__exercise"),
    Program: ("template_name", Template, "template"),
}
"""Rows that name a row of the library by its number, or lead to one that does: a copy says its name in a
column of its own. The library changes, and a record that is put away is read decades later.
"""

LABEL = "_label"
"""Ends the name of the column that says in words what the one before it holds as a code."""

SWEPT: Mapping[str, type[Model]] = {
    checkins.ASKING: Program,
    checkins.REMINDING: CheckInRequest,
    watches.ASKING: RelapseWatch,
    reviews.SWEEP: Program,
    red_flags.ESCALATION: Alert,
}
"""Jobs that write down which row of a patient they have begun, by its number."""

Rows = list[dict[str, Any]]


def tables() -> list[type[Model]]:
    """Every table of a patient's rows, those furthest below the patient first."""
    found = [
        model
        for model in apps.get_models()
        if model._meta.app_label in OURS and getattr(getattr(model, "scope", None), "patient", None)
    ]
    return sorted(
        found, key=lambda model: (-_path(model).count("__"), model is Patient, model._meta.db_table)
    )


def columns(model: type[Model]) -> list[Field[Any, Any]]:
    """What a copy holds of a table."""
    return [field for field in model._meta.concrete_fields if field.name not in HIDDEN]


def exported() -> list[type[Model]]:
    """The tables of a copy as a reader goes through them: who it is, what was found and done, then mails."""
    models = [model for model in tables() if model not in NOT_EXPORTED]
    return sorted(
        models,
        key=lambda model: (
            model is not Patient,
            model in NOT_CLINICAL,
            _path(model).count("__"),
            model._meta.db_table,
        ),
    )


def collect(patient: Patient) -> dict[str, Rows]:
    """Every row about the patient, by table."""
    return {
        model._meta.db_table: [_row(row, model) for row in _to_read(model, patient.pk)]
        for model in exported()
    }


def clinical_record(patient: Patient) -> dict[str, Rows]:
    """What the law asks to keep: without contact data, e-mails and access."""
    left_out = {model._meta.db_table for model in NOT_CLINICAL}
    record = {name: rows for name, rows in collect(patient).items() if name not in left_out}
    for row in record[Patient._meta.db_table]:
        for column in CONTACT:
            del row[column]
    return record


def hold_all(patient_key: UUID) -> None:
    """Lock every row about the patient, from above: whoever holds one is waited for, nobody adds one."""
    for model in reversed(tables()):
        list(_rows(model, patient_key).select_for_update(of=("self",)).order_by("pk").values_list("pk"))


def delete_all(patient_key: UUID) -> None:
    """Every row about the patient; foreign keys are checked at commit."""
    for sweep, model in SWEPT.items():
        keys = _rows(model, patient_key).values("pk")
        RowAttempt.objects.filter(sweep=sweep, key__in=keys).delete()
    for model in tables():
        rows = _rows(model, patient_key)
        rows._raw_delete(rows.db)


@dataclass(frozen=True, slots=True)
class Export:
    """All data of one patient, as of a moment."""

    patient_key: UUID
    made_at: datetime
    tables: Mapping[str, Rows]
    read_by: Rows

    def as_json(self) -> str:
        content = {
            "patient": self.patient_key,
            "exported_at": self.made_at,
            "tables": self.tables,
            export_words.READ_BY: self.read_by,
        }
        return to_json(content)

    def as_zip(self) -> bytes:
        """One CSV file a table that has rows, and one that says in words what each is."""
        files = dict(self._files())
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("README.txt", export_words.read_me(files, self.made_at))
            for name, text in files.items():
                archive.writestr(f"{name}.csv", text.encode("utf-8-sig"))  # else Excel shows "Zoë" as "ZoÃ«"
        return buffer.getvalue()

    def _files(self) -> Iterator[tuple[str, str]]:
        for name, rows in {**self.tables, export_words.READ_BY: self.read_by}.items():
            if rows:
                sheet = io.StringIO(newline="")
                writer = csv.writer(sheet)
                writer.writerow(rows[0])
                writer.writerows([_as_cell(value) for value in row.values()] for row in rows)
                yield name, sheet.getvalue()


def to_json(content: Any) -> str:
    """As the files of an export hold it: readable, names as they are written."""
    return json.dumps(content, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)


def _path(model: type[Model]) -> str:
    path: str = model.scope.patient  # type: ignore[attr-defined]
    return path


def _rows(model: type[Model], patient_key: UUID) -> Any:
    return model._base_manager.filter(**{_path(model): patient_key})


def _to_read(model: type[Model], patient_key: UUID) -> Any:
    """The rows with what a reader knows by name: people, the clinic, exercises."""
    by_name = [field.name for field in columns(model) if field.related_model in (User, Clinic)]
    rows = _rows(model, patient_key).order_by("pk")
    if model is OutboxMessage:
        rows = rows.exclude(TO_STAFF)
    if model in NAMED:
        column, library, path = NAMED[model]
        named = library._default_manager.filter(pk=OuterRef(path))
        rows = rows.annotate(**{column: Subquery(named.values("name"))})
    return rows.select_related(*by_name) if by_name else rows


def _row(row: Model, model: type[Model]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in columns(model):
        found[field.name] = value = _value(row, field)
        if export_words.meanings(field):
            found[f"{field.name}{LABEL}"] = export_words.label_of(field, value)
    if model in NAMED:
        found[NAMED[model][0]] = getattr(row, NAMED[model][0])
    return found


def _value(row: Model, field: Field[Any, Any]) -> Any:
    """As a reader understands it: a person and the clinic by name, another row by its key."""
    if field.related_model in (User, Clinic):
        return str(getattr(row, field.name) or "")
    if field.model is OutboxMessage and field.name == "text":
        return row.text.replace(outbox.PLACEHOLDER, outbox.MASK)  # type: ignore[attr-defined]
    return getattr(row, field.attname)


def _as_cell(value: Any) -> str:
    return cell(to_json(value) if isinstance(value, list | dict) else value)
