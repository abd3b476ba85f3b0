"""Who sees second factors and break-glass; and how an opened clinic is read."""

from django.db import migrations

from clinic.row_security.policies import (
    OWN_LOGIN, PLATFORM, let_operator_read, look_up, of_staff, protect, share,
)

READS = """
CREATE FUNCTION tenant_reads() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('tenant.reads', true), '')::bigint[];
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0004_accounts")]

    operations = [
        migrations.RunSQL(READS),
        # A session is tied to it, before the database knows the tenant.
        look_up(
            "roles_of_staff", "key bigint", "text[]",
            """
            SELECT array(
                SELECT concat(member.clinic_id, ':', member.role)
                FROM clinic_membership AS member
                JOIN clinic_clinic AS clinic ON clinic.id = member.clinic_id AND clinic.is_active
                WHERE member.user_id = key AND member.is_active
                ORDER BY member.clinic_id
            )
            """,
        ),
        # Asked for before a clinic is known, of one user at a time.
        protect("clinic_factor", f"user_id = {OWN_LOGIN}"),
        # The clinic sees who read its records; only the platform opens them.
        protect("clinic_breakglass", PLATFORM),
        share("clinic_breakglass", of_staff()),
        let_operator_read("clinic_membership"),
        let_operator_read("clinic_clinicpolicy"),
    ]
