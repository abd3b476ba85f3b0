"""An operator reads the records of a clinic opened by break-glass. Tokens, codes and invitations are no records."""

from django.db import migrations

from clinic.row_security.policies import let_operator_read

RECORDS = (
    *("patient", "episode", "assessment", "outcomescore", "qangle", "strengthtest"),
    *("aggravatingactivity", "flexibilitytest", "footposture", "movementtest"),
)


class Migration(migrations.Migration):
    dependencies = [("patients", "0004_same_clinic"), ("clinic", "0005_account_security")]

    operations = [let_operator_read(f"patients_{name}") for name in RECORDS]
