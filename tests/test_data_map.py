"""docs/data-map.md says of each table what the models and services do."""

from pathlib import Path

from django.apps import apps

from clinic.sealed import EncryptedCharField, EncryptedTextField
from programs.services.patient_data import NOT_EXPORTED, tables

DATA_MAP = Path(__file__).resolve().parent.parent / "docs" / "data-map.md"
COLUMNS = ("table", "what", "why", "kept", "encrypted columns", "exported", "erased")


def rows() -> dict[str, dict[str, str]]:
    lines = [line for line in DATA_MAP.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert tuple(cells[0]) == COLUMNS
    return {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in cells[1:]}


def test_it_names_every_table_and_no_other() -> None:
    assert set(rows()) == {
        model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed
    }


def test_each_row_says_what_why_and_how_long() -> None:
    for table, row in rows().items():
        assert all(row[name] for name in ("what", "why", "kept", "erased")), table


def test_encrypted_exported_and_erased_are_as_the_models_have_it() -> None:
    linked = {model._meta.db_table for model in tables()}
    exported = linked - {model._meta.db_table for model in NOT_EXPORTED}
    said = rows()
    for model in apps.get_models(include_auto_created=True):
        row = said[model._meta.db_table]
        sealed = [
            field.name
            for field in model._meta.concrete_fields
            if isinstance(field, EncryptedCharField | EncryptedTextField)
        ]
        assert row["encrypted columns"] == ", ".join(sealed), model
        assert (row["exported"] == "yes") == (model._meta.db_table in exported), model
        assert (row["erased"] == "deleted") == (model._meta.db_table in linked), model
