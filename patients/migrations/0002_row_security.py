"""Patients, cases and assessments are seen by their clinic, and by the patient whose they are."""

from django.db import migrations

from clinic.row_security.policies import let_see, of_parent, of_patient, protect

MEASUREMENTS = (
    *("qangle", "strengthtest", "aggravatingactivity"),
    *("flexibilitytest", "footposture", "movementtest"),
)

LOGINS = """
CREATE FUNCTION clinics_with_login(address text) RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT patient.clinic_id
    FROM patients_patient AS patient
    JOIN clinic_user AS login ON login.id = patient.user_id AND login.is_active
    JOIN clinic_clinic AS clinic ON clinic.id = patient.clinic_id AND clinic.is_active
    WHERE lower(patient.email) = lower(address)
    ORDER BY patient.clinic_id;
END
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0001_initial"), ("clinic", "0002_tenant_functions")]

    operations = [
        # Who asks for a code has shown no clinic yet. It tells where, and nothing of whom.
        migrations.RunSQL(LOGINS),
        protect("patients_patient", of_patient("id")),
        protect("patients_episode", of_patient("patient_id")),
        let_see("patients_episode"),
        protect("patients_assessment", of_parent("episode_id", "patients_episode")),
        let_see("patients_assessment"),
        protect("patients_outcomescore", of_parent("episode_id", "patients_episode")),
        *(
            protect(f"patients_{name}", of_parent("assessment_id", "patients_assessment"))
            for name in MEASUREMENTS
        ),
    ]
