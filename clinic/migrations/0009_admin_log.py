"""The admin's own log names patients: who wrote an entry sees it, and nobody else."""

from django.db import migrations

from clinic.row_security.policies import OWN_LOGIN, protect


class Migration(migrations.Migration):
    dependencies = [("clinic", "0008_row_attempts"), ("admin", "0003_logentry_add_action_flag_choices")]

    operations = [protect("django_admin_log", f"user_id = {OWN_LOGIN}")]
