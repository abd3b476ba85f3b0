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

USER_FUNCTION = """
CREATE FUNCTION tenant_user() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('tenant.user', true), '')::bigint;
"""

FOR_THE_APPLICATION = """
REVOKE EXECUTE ON FUNCTION look_up FROM PUBLIC;
DO $$
DECLARE application regrole;
BEGIN
    FOR application IN
        SELECT DISTINCT grantee FROM pg_class, aclexplode(relacl)
        WHERE pg_class.oid = 'clinic_clinic'::regclass AND privilege_type = 'INSERT'
            AND grantee NOT IN (0, relowner)
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION look_up TO %s', application);
    END LOOP;
END $$;
"""

IN_CLINIC = "clinic_id = ANY ((SELECT tenant_clinics())::bigint[])"
ALL_PATIENTS = "(SELECT tenant_patient()) IS NULL"
PLATFORM = "(SELECT tenant_is_platform())"
OWN_LOGIN = "(SELECT tenant_user())"


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
    """Everybody reads the table, ``rows`` are what may be written; ``share_only`` ended it for each."""
    return RunSQL(f"{protect(table, rows).sql}{share(table, 'true').sql};")


def share_only(table: str, rows: str = "") -> RunSQL:
    """Of an ``open_to_read`` table only ``rows`` may be read beside what may be written; without, none."""
    again = f"{share(table, rows).sql};" if rows else ""
    return RunSQL(f"DROP POLICY shared ON {table}; {again}")


def look_up(name: str, arguments: str, returns: str, query: str) -> RunSQL:
    """A function that answers one exact question before a tenant is known: who has this secret, this id.

    It runs as the role that migrates, which sees every row, and finds no table but ours by its names.
    """
    function = f"""
        CREATE FUNCTION {name}({arguments}) RETURNS {returns}
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$ {query} $$;
        """
    return RunSQL([function, *for_the_application(name).sql])


def for_the_application(function: str) -> RunSQL:
    """Nobody may call it but the application's roles, which are those that may write rows."""
    return RunSQL([FOR_THE_APPLICATION.replace("look_up", function)])


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
