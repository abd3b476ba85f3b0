"""Decisions and watches are of the clinic of what they belong to; no active program is one of maintenance."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

from clinic.row_security.keys import has_clinic_key, same_clinic


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("programs", "0010_load_and_watch")]

    operations = [
        has_clinic_key("programs_relapsewatch"),
        same_clinic("programs_loaddecision", "program_id", "programs_program"),
        same_clinic("programs_relapsewatch", "episode_id", "patients_episode"),
        same_clinic("programs_relapsewatch", "program_id", "programs_program"),
        same_clinic("programs_relapsewatch", "reopened_as_id", "patients_episode"),
        same_clinic("programs_checkinrequest", "watch_id", "programs_relapsewatch"),
        ValidateConstraint(model_name="program", name="program_maintenance_never_active"),
    ]
