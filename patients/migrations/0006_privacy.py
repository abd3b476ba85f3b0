"""Consents, the ledger of erasures with the records put away, who took data out; and sealed columns."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import clinic.sealed
from clinic.row_security.policies import (
    IN_CLINIC,
    PLATFORM,
    for_the_application,
    let_operator_read,
    of_patient,
    of_staff,
    protect,
    share,
)
from clinic.seal_migration import expand

FOR_GOOD = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are for good', TG_TABLE_NAME;
END $$;
CREATE TRIGGER for_good BEFORE UPDATE ON patients_consent FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER for_good BEFORE UPDATE OR DELETE ON patients_privacyevent
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- A consent ends with its patient's record: once the ledger names them.
CREATE FUNCTION refuse_unless_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM patients_erasure WHERE patient_key = OLD.patient_id) THEN
        RAISE EXCEPTION 'rows of % are for good', TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER until_erased BEFORE DELETE ON patients_consent
    FOR EACH ROW EXECUTE FUNCTION refuse_unless_erased();
"""

# A login goes with its last record, in whichever clinic that is: the eraser sees its own clinic only.
FORGET_LOGIN = """
CREATE FUNCTION forget_login(login bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    DELETE FROM clinic_user WHERE id = login AND NOT is_staff AND NOT is_operator
        AND NOT EXISTS (SELECT FROM patients_patient WHERE user_id = login)
        AND NOT EXISTS (SELECT FROM clinic_membership WHERE user_id = login)
        AND NOT EXISTS (SELECT FROM patients_devicetoken WHERE user_id = login);
END
"""

CLINIC = (
    "clinic",
    models.ForeignKey(
        editable=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="clinic.clinic",
    ),
)
ID = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0006_data_keys"),
        ("patients", "0005_break_glass"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Consent",
            fields=[
                ID,
                ("version", models.PositiveSmallIntegerField()),
                (
                    "text_hash",
                    models.CharField(help_text="SHA-256 of the text as it was shown.", max_length=64),
                ),
                ("accepted_at", models.DateTimeField()),
                (
                    "guardian_consented_on",
                    models.DateField(blank=True, help_text="Under 18: noted by the clinic.", null=True),
                ),
                CLINIC,
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "ordering": ("-version",),
                "constraints": [
                    models.UniqueConstraint(fields=("patient", "version"), name="consent_once_a_version")
                ],
            },
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("patient_key", models.UUIDField(primary_key=True, serialize=False)),
                ("erased_at", models.DateTimeField()),
                ("keep_until", models.DateField(help_text="The legal term of what is put away.")),
                ("purged_at", models.DateTimeField(blank=True, null=True)),
                CLINIC,
            ],
            options={"ordering": ("-erased_at",)},
        ),
        migrations.CreateModel(
            name="RestrictedRecord",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "case_numbers",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40)),
                ),
                ("content", clinic.sealed.EncryptedTextField()),
                CLINIC,
                (
                    "erasure",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="record",
                        to="patients.erasure",
                    ),
                ),
            ],
            options={"verbose_name": "erased record"},
        ),
        migrations.CreateModel(
            name="PrivacyEvent",
            fields=[
                ID,
                ("patient_key", models.UUIDField()),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("exported", "Data exported"),
                            ("erased", "Record erased"),
                            ("opened", "Restricted record opened"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=300)),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                CLINIC,
            ],
            options={
                "ordering": ("-at",),
                "indexes": [models.Index(fields=["patient_key"], name="privacy_event_by_patient")],
            },
        ),
        migrations.RunSQL(FOR_GOOD),
        migrations.RunSQL(FORGET_LOGIN),
        for_the_application("forget_login"),
        protect(
            "patients_consent",
            of_patient("patient_id"),
            written=f"{of_patient('patient_id')} AND sees_patients_patient(patient_id)",
        ),
        let_operator_read("patients_consent"),
        # The ledger is written to its file for all clinics at once.
        protect("patients_erasure", of_staff()),
        share("patients_erasure", PLATFORM),
        protect("patients_restrictedrecord", of_staff()),
        protect("patients_privacyevent", of_staff(), written=IN_CLINIC),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                expand("patients_aggravatingactivity", "activity"),
                expand("patients_assessment", "red_flag_note", "notes"),
                expand("patients_episode", "discharge_note"),
                expand("patients_qangle", "notes"),
            ],
            state_operations=[
                migrations.AlterField(
                    "aggravatingactivity", "activity", clinic.sealed.EncryptedCharField(max_length=200)
                ),
                migrations.AlterField(
                    "assessment", "red_flag_note", clinic.sealed.EncryptedTextField(blank=True)
                ),
                migrations.AlterField("assessment", "notes", clinic.sealed.EncryptedTextField(blank=True)),
                migrations.AlterField(
                    "episode", "discharge_note", clinic.sealed.EncryptedTextField(blank=True, editable=False)
                ),
                migrations.AlterField("qangle", "notes", clinic.sealed.EncryptedTextField(blank=True)),
            ],
        ),
    ]
