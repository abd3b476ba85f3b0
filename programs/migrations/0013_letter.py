"""Letters about a case: below their case, on record, and never changed."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models

import clinic.sealed
from clinic.audit.triggers import of, record
from clinic.row_security.keys import same_clinic
from clinic.row_security.policies import let_operator_read, protect_below

FOR_GOOD = """
CREATE TRIGGER for_good BEFORE UPDATE ON programs_letter FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("programs", "0012_alert_acts"),
        ("patients", "0011_sex_and_birth_date"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        ValidateConstraint("contactlog", "contact_minutes_of_a_day"),
        ValidateConstraint("contactlog", "contact_live_if_spoken"),
        migrations.CreateModel(
            name="Letter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("stall", "Stall summary"),
                            ("referral", "Referral letter"),
                            ("red_flag", "Red flag letter"),
                        ],
                        max_length=10,
                    ),
                ),
                ("content", clinic.sealed.EncryptedTextField()),
                ("made_at", models.DateTimeField()),
                (
                    "clinic",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.clinic",
                    ),
                ),
                (
                    "episode",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="letters",
                        to="patients.episode",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ("-made_at", "-id")},
        ),
        protect_below("programs_letter", "episode_id", "patients_episode"),
        let_operator_read("programs_letter"),
        same_clinic("programs_letter", "episode_id", "patients_episode"),
        record("programs_letter", patient=of("patients_episode", "this.episode_id"), compact=True),
        migrations.RunSQL(FOR_GOOD),
    ]
