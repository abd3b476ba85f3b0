"""Only the application may ask whether an assessment is signed: the function sees past the policies."""

from django.db import migrations

from clinic.row_security.policies import for_the_application


class Migration(migrations.Migration):
    dependencies = [("patients", "0013_drafts_same_clinic")]

    operations = [for_the_application("refuse_if_signed")]
