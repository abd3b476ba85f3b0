"""Row-level security as migration operations: each protected table, and how its rows reach a tenant.

Every policy is forced, so that it binds whoever owns the table too; the role that migrates sees all rows by a
policy of its own, else its data migrations would change nothing without a word.
"""

from __future__ import annotations

from django.db.migrations import RunSQL

FUNCTIONS = """
CREATE FUNCTION tenant_clinics() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('tenant.clinics', true), '')::bigint[];
CREATE FUNCTION tenant_patient() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('tenant.patient', true), '')::uuid;
CREATE FUNCTION tenant_is_platform() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(nullif(current_setting('tenant.platform', true), '')::boolean, false);
"""

IN_CLINIC = "clinic_id = ANY ((SELECT tenant_clinics())::bigint[])"
ALL_PATIENTS = "(SELECT tenant_patient()) IS NULL"
PLATFORM = "(SELECT tenant_is_platform())"


def protect(table: str, rows: str, *, written: str = "") -> RunSQL:
    """Only ``rows`` can be seen and changed; ``written`` is what may be written, if that differs."""
    return RunSQL(
        f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON {table} USING ({rows}) WITH CHECK ({written or rows});
        CREATE POLICY migration ON {table} TO CURRENT_USER USING (true) WITH CHECK (true);
        """
    )


def protect_below(table: str, column: str, parent: str) -> RunSQL:
    """Rows of a protected table's row (see ``let_see``): a patient sees both or none.

    Whoever writes must see the parent. A foreign key is checked past all policies, and a row of ours below
    another clinic's would stand in its way.
    """
    rows = f"{IN_CLINIC} AND ({ALL_PATIENTS} OR sees_{parent}({column}))"
    return protect(table, rows, written=f"{IN_CLINIC} AND sees_{parent}({column})")


def open_to_read(table: str, rows: str) -> RunSQL:
    """Found by a secret, or by who logs in, before a tenant is known: ``rows`` are what may be written."""
    return RunSQL(f"{protect(table, rows).sql}{share(table, 'true').sql};")


def let_see(parent: str, key: str = "bigint") -> RunSQL:
    """Whether a row of a protected table is seen. A function, so that the policies of its parents cost a
    query of its children no planning; to read, it is asked in a patient's own requests only.
    """
    return RunSQL(
        f"""
        CREATE FUNCTION sees_{parent}(key {key}) RETURNS boolean LANGUAGE plpgsql STABLE
            AS $$ BEGIN RETURN EXISTS (SELECT FROM {parent} WHERE id = key); END $$;
        """
    )


def of_patient(column: str) -> str:
    """Rows that name their patient in ``column``."""
    return f"{IN_CLINIC} AND ({ALL_PATIENTS} OR {column} = (SELECT tenant_patient()))"


def of_staff() -> str:
    """Rows of the clinic that no patient's login sees."""
    return f"{IN_CLINIC} AND {ALL_PATIENTS}"


def let_operator_read(table: str) -> RunSQL:
    """Rows of a clinic whose records an operator has opened by break-glass: to be read, never written."""
    return RunSQL(
        f"CREATE POLICY glass ON {table} FOR SELECT "
        "USING (clinic_id = ANY ((SELECT tenant_reads())::bigint[]))"
    )


def share(table: str, rows: str) -> RunSQL:
    """``rows`` of a protected table that everybody may read beside their own."""
    return RunSQL(f"CREATE POLICY shared ON {table} FOR SELECT USING ({rows})")
