"""A login is seen by its person, by who sees them as a colleague or a patient, and by the platform."""

from django.db import migrations

from clinic.row_security.policies import OWN_LOGIN, PLATFORM, for_the_application, protect

OWN = f"{PLATFORM} OR id = {OWN_LOGIN}"

# As its caller, held to the policies of both tables: they say who is a colleague and whose patient is whose.
SEES = """
CREATE FUNCTION sees_clinic_user(key bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM clinic_membership WHERE user_id = key)
        OR EXISTS (SELECT FROM patients_patient WHERE user_id = key)
        OR EXISTS (SELECT FROM clinic_breakglass WHERE operator_id = key);
END $$
"""

# Who has a login keeps it; only what they lack is added: a first password, a name, the way into the admin.
JOIN = """
CREATE FUNCTION join_login(address text, called text, secret text, staff boolean) RETURNS SETOF clinic_user
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO clinic_user AS login
        (email, name, password, is_staff, is_active, is_operator, is_superuser)
    VALUES (lower(address), called, secret, staff, true, false, false)
    ON CONFLICT (email) DO UPDATE SET
        is_staff = login.is_staff OR excluded.is_staff,
        name = coalesce(nullif(login.name, ''), excluded.name),
        password = CASE
            WHEN login.password LIKE '!%' AND excluded.password NOT LIKE '!%' THEN excluded.password
            ELSE login.password
        END
    RETURNING *
    $$
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0008_privacy_same_clinic"), ("clinic", "0009_admin_log")]

    operations = [
        migrations.RunSQL(SEES),
        migrations.RunSQL(JOIN),
        for_the_application("join_login"),
        protect("clinic_user", f"{OWN} OR sees_clinic_user(id)", written=OWN),
    ]
