"""When a clinician is away, and who stands in: the clinic's own, on record."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from clinic.audit.triggers import record
from clinic.row_security.policies import let_operator_read, of_staff, protect


def user(related_name="+", **options):
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        to=settings.AUTH_USER_MODEL,
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [("clinic", "0014_staff_tokens")]

    operations = [
        migrations.CreateModel(
            name="Absence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("set_at", models.DateTimeField()),
                (
                    "clinic",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.clinic",
                    ),
                ),
                ("clinician", user("absences")),
                ("cover", user(blank=True, null=True)),
                ("set_by", user()),
            ],
            options={
                "ordering": ("starts_on", "id"),
                "indexes": [models.Index(fields=["clinic", "ends_on"], name="absence_by_clinic_and_end")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_on__gte", models.F("starts_on"))),
                        name="absence_ends_after_it_starts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(cover=None) | ~models.Q(cover=models.F("clinician")),
                        name="absence_covered_by_another",
                    ),
                ],
            },
        ),
        protect("clinic_absence", of_staff()),
        let_operator_read("clinic_absence"),
        record("clinic_absence"),
    ]
