"""Consents and records put away are of their patient's clinic, in the database too."""

from django.db import migrations

from clinic.row_security.keys import has_clinic_key, same_clinic


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("patients", "0007_seal_text")]

    operations = [
        has_clinic_key("patients_erasure", key="patient_key"),
        same_clinic("patients_consent", "patient_id", "patients_patient"),
        same_clinic("patients_restrictedrecord", "erasure_id", "patients_erasure", key="patient_key"),
    ]
