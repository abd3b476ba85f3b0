"""A data key per patient, the country whose law says how long records are kept, and sealed e-mails."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import clinic.sealed
from clinic.legal_terms import TERMS
from clinic.row_security.policies import let_operator_read, look_up, of_patient, protect
from clinic.seal_migration import expand


class Migration(migrations.Migration):
    dependencies = [("clinic", "0005_account_security")]

    operations = [
        migrations.AddField(
            model_name="clinic",
            name="country",
            field=models.CharField(
                blank=True,
                choices=[(code, term.country) for code, term in sorted(TERMS.items())],
                db_default="",
                help_text="Whose law says how long records are kept. Empty: as long as the strictest does.",
                max_length=2,
            ),
        ),
        migrations.CreateModel(
            name="DataKey",
            fields=[
                ("owner", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("wrapped", models.BinaryField()),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "clinic",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.clinic",
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        protect("clinic_datakey", of_patient("owner")),
        let_operator_read("clinic_datakey"),
        look_up(
            "keys_to_try",
            "",
            "SETOF bytea",
            """
            (SELECT wrapped FROM clinic_datakey ORDER BY created_at LIMIT 1)
            UNION (SELECT wrapped FROM clinic_datakey ORDER BY created_at DESC LIMIT 1)
            """,
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[expand("clinic_outboxmessage", "text", "html")],
            state_operations=[
                migrations.AlterField("outboxmessage", "text", clinic.sealed.EncryptedTextField()),
                migrations.AlterField("outboxmessage", "html", clinic.sealed.EncryptedTextField(blank=True)),
            ],
        ),
    ]
