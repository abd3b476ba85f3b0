"""Changes of patients, cases and assessments on record."""

from django.db import migrations

from clinic.audit.triggers import of, record
from clinic.row_security.policies import for_the_application

OF_EPISODE = of("patients_episode", "this.episode_id")
OF_ASSESSMENT = (
    "(SELECT patient_id FROM patients_assessment AS found "
    "JOIN patients_episode AS above ON above.id = found.episode_id WHERE found.id = this.assessment_id)"
)
MEASUREMENTS = (
    *("qangle", "strengthtest", "aggravatingactivity"),
    *("flexibilitytest", "footposture", "movementtest"),
)

# At the term nobody may keep what was recorded: the trail goes on to tell who did something when, to which row.
FORGET = """
CREATE FUNCTION audit_forget(patient uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp
    AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM patients_erasure WHERE patient_key = patient AND purged_at IS NOT NULL) THEN
                RAISE EXCEPTION 'values leave the trail when the record is purged, and not before';
            END IF;
            UPDATE clinic_auditentry SET changes_digest = audit_digest(changes), changes = NULL
            WHERE patients @> ARRAY[patient] AND changes IS NOT NULL;
        END
    $$;
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0009_logins"), ("clinic", "0010_audit")]

    operations = [
        record("patients_patient", patient="this.id"),
        record("patients_episode", patient="this.patient_id"),
        record("patients_assessment", patient=OF_EPISODE),
        record("patients_outcomescore", patient=OF_EPISODE),
        *(record(f"patients_{name}", patient=OF_ASSESSMENT) for name in MEASUREMENTS),
        record("patients_invitation", patient="this.patient_id"),
        record("patients_logincode", patient="this.patient_id"),
        # Its key is a hash of the token.
        record(
            "patients_devicetoken",
            patient="this.patient_id",
            key="left(md5(this.digest), 16)",
            kept_out=("device_name",),
        ),
        record("patients_consent", patient="this.patient_id"),
        record("patients_erasure", key="this.patient_key", patient="this.patient_key"),
        record("patients_restrictedrecord", patient="this.erasure_id", kept_out=("content_sealed",)),
        record("patients_privacyevent", patient="this.patient_key"),
        migrations.RunSQL(FORGET),
        for_the_application("audit_forget"),
    ]
