"""An e-mail's text is kept out of the audit trail also since it lies sealed, in columns of other names."""

from django.db import migrations

from clinic.audit.triggers import FUNCTIONS

KEPT_OUT = FUNCTIONS[FUNCTIONS.index("CREATE FUNCTION audit_kept_out"):FUNCTIONS.index("CREATE FUNCTION audit_changes")]


class Migration(migrations.Migration):
    dependencies = [("clinic", "0010_audit")]

    operations = [migrations.RunSQL(KEPT_OUT.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))]
