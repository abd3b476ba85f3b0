"""A row and what it belongs to are of one clinic: foreign keys ``(clinic_id, x_id)`` beneath Django's own.

They hold for every role, the one that migrates included. Indexes are built and rows are checked without
keeping writers out, and each step may be taken again: a migration of these is not ``atomic``.
"""

from __future__ import annotations

from django.db.migrations import RunSQL


def has_clinic_key(parent: str, *, key: str = "id") -> RunSQL:
    """Rows of ``parent`` can be named by clinic and ``key``. What a run that was broken off has left holds
    nothing, and IF NOT EXISTS would take it for the index: it goes first.
    """
    index = f"{parent}_in_clinic"
    return RunSQL(
        [
            f"""
            DO $$ BEGIN
                IF EXISTS (
                    SELECT FROM pg_index WHERE indexrelid = to_regclass('{index}') AND NOT indisvalid
                ) THEN
                    DROP INDEX {index};
                END IF;
            END $$
            """,
            f"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {index} ON {parent} (clinic_id, {key})",
        ]
    )


def same_clinic(child: str, column: str, parent: str, *, key: str = "id") -> RunSQL:
    """``column`` names a row of the same clinic. Checked at the commit, as Django's own key is."""
    name = same_clinic_name(child, column)
    return RunSQL(
        [
            f"ALTER TABLE {child} DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} "
            f"FOREIGN KEY (clinic_id, {column}) REFERENCES {parent} (clinic_id, {key}) "
            "DEFERRABLE INITIALLY DEFERRED NOT VALID",
            f"ALTER TABLE {child} VALIDATE CONSTRAINT {name}",
        ]
    )


def same_clinic_name(child: str, column: str) -> str:
    return f"{child}_{column}_same_clinic"
