"""Who logs in is looked up by exact questions; clinics, staff and policies are their own clinic's to see."""

from django.db import migrations

from clinic.row_security.policies import (
    ALL_PATIENTS, IN_CLINIC, PLATFORM, USER_FUNCTION, look_up, protect, share_only,
)

OWN_CLINIC = IN_CLINIC.replace("clinic_id", "id")


class Migration(migrations.Migration):
    dependencies = [("clinic", "0002_tenant_functions")]

    operations = [
        migrations.RunSQL(USER_FUNCTION),
        look_up(
            "login_by_id", "key bigint", "SETOF clinic_user",
            "SELECT * FROM clinic_user WHERE id = key",
        ),
        look_up(
            "login_by_email", "address text", "SETOF clinic_user",
            "SELECT * FROM clinic_user WHERE email = lower(address)",
        ),
        look_up(
            "clinics_of_staff", "key bigint", "bigint[]",
            """
            SELECT array(
                SELECT member.clinic_id
                FROM clinic_membership AS member
                JOIN clinic_user AS login ON login.id = member.user_id AND login.is_active
                JOIN clinic_clinic AS clinic ON clinic.id = member.clinic_id AND clinic.is_active
                WHERE member.user_id = key AND member.is_active
                ORDER BY member.clinic_id
            )
            """,
        ),
        # A patient's request mails the staff of its clinic, by its thresholds.
        share_only("clinic_membership", IN_CLINIC),
        share_only("clinic_clinicpolicy", f"{PLATFORM} OR {IN_CLINIC}"),
        protect(
            "clinic_clinic",
            f"{PLATFORM} OR {OWN_CLINIC}",
            written=f"{PLATFORM} OR ({OWN_CLINIC} AND {ALL_PATIENTS})",
        ),
    ]
