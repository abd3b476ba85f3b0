"""A clinic's figures as of a day are read from an index, without waiting for who writes meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("programs", "0014_standing")]

    operations = [
        AddIndexConcurrently(
            "review",
            models.Index(
                fields=["clinic", "day"],
                include=["episode", "state", "sessions_done", "sessions_due"],
                name="review_of_clinic_and_day",
            ),
        ),
    ]
