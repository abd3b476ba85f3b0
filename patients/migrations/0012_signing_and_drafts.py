"""Drafts of an assessment, its signature, and the addenda that correct it once it is signed."""

import clinic.sealed
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from clinic.audit.triggers import of, record
from clinic.row_security.policies import let_operator_read, of_staff, protect, protect_below

OF_EPISODE = of("patients_episode", "this.episode_id")
OF_ASSESSMENT = (
    "(SELECT patient_id FROM patients_assessment AS found "
    "JOIN patients_episode AS above ON above.id = found.episode_id WHERE found.id = this.assessment_id)"
)
MEASUREMENTS = (
    *("qangle", "strengthtest", "aggravatingactivity", "outcomescore"),
    *("flexibilitytest", "footposture", "movementtest"),
)

# Whatever writes: a signed assessment and its measurements stay as they were signed, until the patient is erased.
# A measurement asks with a lock on its assessment: nobody adds one while it is being signed.
LOCK = """
CREATE FUNCTION refuse_if_signed(assessment bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    DECLARE
        found record;
    BEGIN
        SELECT signed_at, episode_id INTO found FROM patients_assessment WHERE id = assessment FOR SHARE;
        IF found.signed_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM patients_erasure JOIN patients_episode ON patient_key = patient_id
            WHERE patients_episode.id = found.episode_id
        ) THEN
            RAISE EXCEPTION 'assessment % is signed: a correction is an addendum', assessment
                USING ERRCODE = 'check_violation';
        END IF;
    END $$;
REVOKE EXECUTE ON FUNCTION refuse_if_signed FROM PUBLIC;

CREATE FUNCTION assessment_is_locked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    BEGIN
        PERFORM refuse_if_signed(OLD.id);
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $$;
CREATE TRIGGER locked BEFORE UPDATE OR DELETE ON patients_assessment
    FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION assessment_is_locked();

CREATE FUNCTION measurement_is_locked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    BEGIN
        IF TG_OP <> 'INSERT' AND OLD.assessment_id IS NOT NULL THEN
            PERFORM refuse_if_signed(OLD.assessment_id);
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        IF NEW.assessment_id IS NOT NULL THEN PERFORM refuse_if_signed(NEW.assessment_id); END IF;
        RETURN NEW;
    END $$;
"""

ADDENDA_STAY = """
CREATE FUNCTION addendum_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT FROM patients_erasure JOIN patients_episode ON patient_key = patient_id
            JOIN patients_assessment ON patients_assessment.episode_id = patients_episode.id
            WHERE patients_assessment.id = OLD.assessment_id
        ) THEN
            RAISE EXCEPTION 'rows of % are for good', TG_TABLE_NAME;
        END IF;
        RETURN OLD;
    END $$;
CREATE TRIGGER for_good BEFORE UPDATE ON patients_addendum FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER until_erased BEFORE DELETE ON patients_addendum
    FOR EACH ROW EXECUTE FUNCTION addendum_stays();
"""


def lock(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"CREATE TRIGGER locked BEFORE INSERT OR UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION measurement_is_locked()"
    )



class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0013_membership_arrived_at'),
        ('patients', '0011_sex_and_birth_date'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Addendum',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', clinic.sealed.EncryptedTextField()),
                ('red_flags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), blank=True, default=list)),
                ('at', models.DateTimeField()),
                ('assessment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='addenda', to='patients.assessment')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.clinic')),
            ],
            options={
                'verbose_name_plural': 'addenda',
                'ordering': ('at', 'id'),
            },
        ),
        migrations.CreateModel(
            name='AssessmentDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('base', models.PositiveIntegerField(default=0)),
                ('content', clinic.sealed.EncryptedTextField()),
                ('red_flags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), blank=True, default=list)),
                ('started_at', models.DateTimeField()),
                ('saved_at', models.DateTimeField()),
                ('assessment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='drafts', to='patients.assessment')),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.clinic')),
                ('episode', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assessment_drafts', to='patients.episode')),
            ],
            options={
                'ordering': ('-saved_at', '-id'),
                'constraints': [models.UniqueConstraint(fields=('episode', 'assessment', 'author'), name='draft_once_an_author', nulls_distinct=False)],
            },
        ),
        migrations.AddField(
            model_name='assessment',
            name='signed_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='assessment',
            name='signed_by',
            field=models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='assessment',
            name='version',
            field=models.PositiveIntegerField(db_default=1, default=1, editable=False, help_text='Goes up with each save: nobody overwrites unseen.'),
        ),
        migrations.AddConstraint(
            model_name='assessment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('signed_at', None), ('signed_by', None)), models.Q(('signed_at__isnull', False), ('signed_by__isnull', False)), _connector='OR'), name='assessment_signed_by_somebody'),
        ),
        protect_below("patients_addendum", "assessment_id", "patients_assessment"),
        let_operator_read("patients_addendum"),
        record("patients_addendum", patient=OF_ASSESSMENT),
        # No patient's login sees what is not said yet.
        protect(
            "patients_assessmentdraft",
            of_staff(),
            written=f"{of_staff()} AND sees_patients_episode(episode_id)",
        ),
        let_operator_read("patients_assessmentdraft"),
        record(
            "patients_assessmentdraft",
            patient=OF_EPISODE,
            kept_out=("content_sealed",),
            passed_over=("content_sealed", "saved_at"),
        ),
        migrations.RunSQL(LOCK),
        *(lock(f"patients_{name}") for name in MEASUREMENTS),
        migrations.RunSQL(ADDENDA_STAY),
    ]
