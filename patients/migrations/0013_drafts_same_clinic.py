"""Drafts and addenda are of their case's clinic, in the database too."""

from django.db import migrations

from clinic.row_security.keys import same_clinic


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("patients", "0012_signing_and_drafts")]

    operations = [
        same_clinic("patients_addendum", "assessment_id", "patients_assessment"),
        same_clinic("patients_assessmentdraft", "episode_id", "patients_episode"),
        same_clinic("patients_assessmentdraft", "assessment_id", "patients_assessment"),
    ]
