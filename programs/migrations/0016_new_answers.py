"""What is new of each case is found without reading all of its answers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("programs", "0015_figures")]

    operations = [
        AddIndexConcurrently(
            "answer", models.Index(fields=["episode", "received_at"], name="answer_by_case_and_arrival")
        ),
    ]
