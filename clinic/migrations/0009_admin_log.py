"""The admin's own log named patients. Nothing writes it any more: what it holds goes, and it is guarded."""

from django.db import migrations

from clinic.row_security.policies import OWN_LOGIN, protect


class Migration(migrations.Migration):
    dependencies = [("clinic", "0008_row_attempts"), ("admin", "0003_logentry_add_action_flag_choices")]

    operations = [
        migrations.RunSQL("DELETE FROM django_admin_log"),
        protect("django_admin_log", f"user_id = {OWN_LOGIN}"),
    ]
