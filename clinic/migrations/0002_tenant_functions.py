"""For whom a transaction works, as the policies ask it; and the outbox, which patients' rows alone need not."""

from django.db import migrations

from clinic.row_security.policies import (
    ALL_PATIENTS, FUNCTIONS, IN_CLINIC, PLATFORM, of_staff, open_to_read, protect,
)

OWN = f"{IN_CLINIC} AND ({ALL_PATIENTS} OR patient_key = (SELECT tenant_patient()))"


class Migration(migrations.Migration):
    dependencies = [("clinic", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTIONS),
        # A patient's red flag writes e-mails to the clinic's staff, which the patient can't read.
        protect("clinic_outboxmessage", f"{PLATFORM} OR {OWN}", written=f"{PLATFORM} OR {IN_CLINIC}"),
        # Who logs in is asked where they work before a clinic is known; a clinic's own staff change it.
        open_to_read("clinic_membership", of_staff()),
        open_to_read("clinic_clinicpolicy", of_staff()),
    ]
