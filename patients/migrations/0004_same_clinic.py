"""What belongs together is of one clinic, in the database too."""

from django.db import migrations

from clinic.row_security.keys import has_clinic_key, same_clinic

MEASUREMENTS = (
    *("qangle", "strengthtest", "aggravatingactivity"),
    *("flexibilitytest", "footposture", "movementtest"),
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("patients", "0003_look_ups")]

    operations = [
        has_clinic_key("patients_patient"),
        has_clinic_key("patients_episode"),
        has_clinic_key("patients_assessment"),
        *(
            same_clinic(f"patients_{name}", "patient_id", "patients_patient")
            for name in ("episode", "invitation", "devicetoken", "logincode")
        ),
        *(
            same_clinic(f"patients_{name}", "episode_id", "patients_episode")
            for name in ("assessment", "outcomescore")
        ),
        *(
            same_clinic(f"patients_{name}", "assessment_id", "patients_assessment")
            for name in ("outcomescore", *MEASUREMENTS)
        ),
    ]
