"""The rows that a sweep has trouble with."""

import django.db.models.deletion
from django.db import migrations, models

from clinic.row_security.policies import PLATFORM, of_staff, protect


class Migration(migrations.Migration):
    dependencies = [("clinic", "0007_seal_mails")]

    operations = [
        migrations.CreateModel(
            name="RowAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sweep", models.CharField(max_length=40)),
                ("key", models.BigIntegerField()),
                ("attempts", models.PositiveSmallIntegerField()),
                ("began_at", models.DateTimeField()),
                ("next_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, max_length=500)),
                ("clinic", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="clinic.clinic")),
            ],
            options={
                "verbose_name": "row in trouble",
                "verbose_name_plural": "rows in trouble",
                "ordering": ("-began_at",),
                "constraints": [models.UniqueConstraint(fields=("sweep", "key"), name="row_attempt_once")],
            },
        ),
        # Which row of which table, and why it failed: the platform sees it as it sees the outbox's states.
        protect("clinic_rowattempt", f"({of_staff()}) OR {PLATFORM}"),
    ]
