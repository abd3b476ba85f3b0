"""Patients, cases and assessments are seen by their clinic, and by the patient whose they are."""

from django.db import migrations

from clinic.row_security.policies import let_see, of_patient, open_to_read, protect, protect_below

MEASUREMENTS = (
    *("qangle", "strengthtest", "aggravatingactivity"),
    *("flexibilitytest", "footposture", "movementtest"),
)

CASE_WRITTEN = f"{of_patient('patient_id')} AND sees_patients_patient(patient_id)"

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
        let_see("patients_patient", "uuid"),
        protect("patients_episode", of_patient("patient_id"), written=CASE_WRITTEN),
        let_see("patients_episode"),
        protect_below("patients_assessment", "episode_id", "patients_episode"),
        let_see("patients_assessment"),
        protect_below("patients_outcomescore", "episode_id", "patients_episode"),
        *(
            protect_below(f"patients_{name}", "assessment_id", "patients_assessment")
            for name in MEASUREMENTS
        ),
        # Found by the hash of a token or through the patient, before a clinic is known.
        open_to_read("patients_invitation", of_patient("patient_id")),
        open_to_read("patients_logincode", of_patient("patient_id")),
        open_to_read("patients_devicetoken", of_patient("patient_id")),
    ]
