"""A data migration, for ``tests/clinic/test_migrate.py``: it changes every case."""

from django.db import migrations


def number_cases(apps, schema_editor):
    apps.get_model("patients", "Episode").objects.update(case_number="migrated")


class Migration(migrations.Migration):
    dependencies = [("patients", "0001_initial")]

    operations = [migrations.RunPython(number_cases, migrations.RunPython.noop)]
