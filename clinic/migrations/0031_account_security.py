"""Who sees second factors and break-glass; and how an opened clinic is read."""

from django.db import migrations

from clinic.row_security.policies import PLATFORM, let_operator_read, of_staff, protect, share

READS = """
CREATE FUNCTION tenant_reads() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('tenant.reads', true), '')::bigint[];
CREATE FUNCTION account_user() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('account.user', true), '')::bigint;
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0030_accounts")]

    operations = [
        migrations.RunSQL(READS),
        # Asked for before a clinic is known, of one user at a time.
        protect("clinic_factor", "user_id = (SELECT account_user())"),
        # The clinic sees who read its records; only the platform opens them.
        protect("clinic_breakglass", PLATFORM),
        share("clinic_breakglass", of_staff()),
        let_operator_read("clinic_membership"),
        let_operator_read("clinic_clinicpolicy"),
    ]
