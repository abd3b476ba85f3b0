"""Since when each red flag of a draft has been ticked: going on with the draft does not tick it again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0014_refuse_if_signed_for_the_application")]

    operations = [
        migrations.AddField(
            "assessmentdraft", "ticked_at", models.JSONField(default=dict, db_default={}, editable=False)
        ),
    ]
