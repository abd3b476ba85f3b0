"""Tokens, invitations and codes are found by their secret, through functions, and seen by their tenant only."""

from django.db import migrations

from clinic.row_security.policies import for_the_application, look_up, share_only


class Migration(migrations.Migration):
    dependencies = [("patients", "0002_row_security"), ("clinic", "0003_look_ups")]

    operations = [
        for_the_application("clinics_with_login"),
        look_up(
            "device_by_digest", "secret text, at timestamptz", "SETOF patients_devicetoken",
            """
            SELECT device.*
            FROM patients_devicetoken AS device
            JOIN patients_patient AS patient
                ON patient.id = device.patient_id AND patient.user_id = device.user_id
            JOIN clinic_user AS login ON login.id = device.user_id AND login.is_active
            JOIN clinic_clinic AS clinic ON clinic.id = device.clinic_id AND clinic.is_active
            WHERE device.digest = secret AND device.expiry > at
            """,
        ),
        look_up(
            "invitation_by_hash", "secret text, at timestamptz", "SETOF patients_invitation",
            """
            SELECT invitation.*
            FROM patients_invitation AS invitation
            JOIN clinic_clinic AS clinic ON clinic.id = invitation.clinic_id AND clinic.is_active
            WHERE invitation.token_hash = secret AND invitation.expires_at > at
                AND invitation.accepted_at IS NULL AND invitation.revoked_at IS NULL
            """,
        ),
        share_only("patients_invitation"),
        share_only("patients_logincode"),
        share_only("patients_devicetoken"),
    ]
