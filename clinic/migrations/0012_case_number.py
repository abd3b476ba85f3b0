"""The highest case number that a clinic has destroyed: it is not given again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0011_emergency_number")]

    operations = [
        migrations.AddField(
            "clinic",
            "case_number",
            models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="The highest one of a record that is destroyed.",
            ),
        ),
    ]
