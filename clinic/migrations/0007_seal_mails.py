"""E-mails written before are sealed, and the plain columns dropped: run it once the new code runs everywhere."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from clinic.seal_migration import contract, seal_rows


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("clinic", "0006_data_keys")]

    operations = [
        seal_rows("clinic_outboxmessage", "text", "html", patient="row.patient_key"),
        contract("clinic_outboxmessage", "text", "html"),
        AddIndexConcurrently(
            "outboxmessage", models.Index(fields=["clinic", "created_at"], name="outbox_by_age")
        ),
    ]
