"""Migration operations: the audit trail's functions, and what puts a table's changes on record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.migrations import RunSQL

FUNCTIONS = (Path(__file__).parent / "functions.sql").read_text()


def of(table: str, key: str, patient: str = "patient_id") -> str:
    """The patient of a row, by the row above it: ``patient`` is an expression on that ``table``."""
    return f"(SELECT {patient} FROM {table} WHERE {table}.id = {key})"  # noqa: S608 - names of ours


def _names(columns: tuple[str, ...]) -> str:
    return "ARRAY[{}]::text[]".format(", ".join(f"'{name}'" for name in columns))


def record(table: str, **how: Any) -> RunSQL:
    """Put every change of the table on record, as ``_function`` says."""
    return RunSQL(
        f"""
        {_function(table, **how)}
        CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION audit_{table}();
        CREATE TRIGGER audit_truncate AFTER TRUNCATE ON {table} EXECUTE FUNCTION audit_truncate();
        """
    )


def record_otherwise(table: str, **how: Any) -> RunSQL:
    """Change what is kept of a table that is on record already."""
    return RunSQL(_function(table, **how))


def _function(
    table: str,
    *,
    patient: str = "NULL",
    clinic: str = "this.clinic_id",
    key: str = "this.id",
    kept_out: tuple[str, ...] = (),
    passed_over: tuple[str, ...] = (),
    compact: bool = False,
) -> str:
    """What the table's trigger calls.

    ``patient``, ``clinic`` and ``key`` are SQL expressions on the row, ``this``. Of the columns ``kept_out``
    only that they changed is kept; those ``passed_over`` are a machine's own notes, and their change alone
    leaves no entry. ``compact``: that a row was added is kept without its values, which stand in the row.
    """
    return f"""
        CREATE OR REPLACE FUNCTION audit_{table}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = public, pg_temp
            AS $$
                DECLARE
                    this {table};
                BEGIN
                    IF TG_OP = 'DELETE' THEN this := OLD; ELSE this := NEW; END IF;
                    PERFORM audit_write(
                        '{table}', ({key})::text, {clinic}, {patient}, to_jsonb(OLD), to_jsonb(NEW),
                        {_names(kept_out)}, {_names(passed_over)}, {str(compact).lower()}
                    );
                    RETURN NULL;
                END
            $$;
        """
