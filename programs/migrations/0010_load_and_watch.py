"""Decisions on the load of an activity, and the relapse watch over a closed case."""

import clinic.fields
import clinic.sealed
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
import django.contrib.postgres.operations
from django.db import migrations, models

from clinic.audit.triggers import of, record
from clinic.row_security.policies import let_operator_read, protect_below

OF_EPISODE = of("patients_episode", "this.episode_id")
OF_PROGRAM = of("programs_program", "this.program_id", of("patients_episode", "episode_id"))


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0013_membership_arrived_at'),
        ('patients', '0011_sex_and_birth_date'),
        ('programs', '0009_library_versions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='LoadDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('activity', models.CharField(choices=[('strength', 'Strength'), ('run', 'Run')], max_length=10)),
                ('what', models.CharField(choices=[('dose', 'Dose'), ('hold', 'Held'), ('ladder', 'Ladder'), ('track', 'Running track'), ('terrain', 'Lock opened')], max_length=10)),
                ('proposal', models.CharField(blank=True, max_length=10)),
                ('before', models.CharField(blank=True, max_length=20)),
                ('after', models.CharField(blank=True, max_length=20)),
                ('changes', models.JSONField(blank=True, default=list)),
                ('grounds', models.JSONField(blank=True, default=list)),
                ('against', models.JSONField(blank=True, default=list)),
                ('reason', clinic.sealed.EncryptedCharField(blank=True, max_length=300)),
                ('decided_on', models.DateField()),
                ('decided_at', models.DateTimeField()),
            ],
            options={
                'ordering': ('-decided_at', '-id'),
            },
        ),
        migrations.CreateModel(
            name='RelapseWatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('pain_at_discharge', clinic.fields.PainField(blank=True, null=True)),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField()),
                ('next_ask_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('end_reason', models.CharField(blank=True, choices=[('over', 'Its time was over'), ('patient', 'The patient wished no more questions'), ('reopened', 'The case was re-opened'), ('clinician', 'Ended by the clinic')], max_length=10)),
            ],
            options={
                'verbose_name_plural': 'relapse watches',
                'ordering': ('-starts_on', '-id'),
            },
        ),
        migrations.AddField(
            model_name='answer',
            name='back_to_activity',
            field=models.BooleanField(blank=True, help_text='Asked after discharge only.', null=True, verbose_name='back to what they want to do'),
        ),
        migrations.AddField(
            model_name='program',
            name='is_maintenance',
            field=models.BooleanField(db_default=False, default=False, editable=False, help_text='For after discharge: handed out when the case closed, never reviewed.'),
        ),
        migrations.AddField(
            model_name='program',
            name='open_terrain',
            field=models.CharField(blank=True, choices=[('flat', 'Flat'), ('hills', 'Hills'), ('downhills', 'Downhills'), ('speed', 'Speed')], db_default='', default='', editable=False, help_text='Of who keeps running: the last lock that was opened; empty: as at the start.', max_length=10),
        ),
        migrations.AddField(
            model_name='run',
            name='against',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('on_hold', 'On hold'), ('not_opened', 'Not opened'), ('hills', 'Hills'), ('downhills', 'Downhills'), ('speed', 'Speed'), ('day_after_day', 'Day after day'), ('too_many', 'Too many')], max_length=50), blank=True, db_default=[], default=list, editable=False, help_text='What it went against on the day it was told.'),
        ),
        migrations.AddField(
            model_name='run',
            name='terrain',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('flat', 'Flat'), ('hills', 'Hills'), ('downhills', 'Downhills'), ('speed', 'Speed')], max_length=50), blank=True, db_default=[], default=list, help_text='Where it led; empty: flat ground.'),
        ),
        migrations.AlterField(
            model_name='alert',
            name='kind',
            field=models.CharField(choices=[('red_flag', 'Red flag'), ('worsening', 'Worsening'), ('stall', 'Stall'), ('relapse', 'Relapse after discharge'), ('silent', 'Silent'), ('overload', 'Overload'), ('drift', 'Drift')], max_length=20),
        ),
        migrations.AddField(
            model_name='loaddecision',
            name='clinic',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.clinic'),
        ),
        migrations.AddField(
            model_name='loaddecision',
            name='decided_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='loaddecision',
            name='program',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='load_decisions', to='programs.program'),
        ),
        migrations.AddField(
            model_name='relapsewatch',
            name='clinic',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.clinic'),
        ),
        migrations.AddField(
            model_name='relapsewatch',
            name='episode',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='relapse_watch', to='patients.episode'),
        ),
        migrations.AddField(
            model_name='relapsewatch',
            name='program',
            field=models.ForeignKey(blank=True, help_text='To keep up.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='programs.program'),
        ),
        migrations.AddField(
            model_name='relapsewatch',
            name='reopened_as',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reopens', to='patients.episode'),
        ),
        migrations.AddField(
            model_name='relapsewatch',
            name='set_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='checkinrequest',
            name='watch',
            field=models.ForeignKey(blank=True, db_index=False, editable=False, help_text='Asked after discharge, by this watch.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='programs.relapsewatch'),
        ),
        migrations.AddConstraint(
            model_name='loaddecision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('against', []), models.Q(('what', 'track'), _negated=True)), models.Q(('reason', ''), _negated=True), _connector='OR'), name='load_decision_against_has_reason', violation_error_message='Going past a limit, or to the other track, needs a written reason.'),
        ),
        migrations.AddIndex(
            model_name='relapsewatch',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['next_ask_at'], name='watch_ask_due'),
        ),
        migrations.AddConstraint(
            model_name='relapsewatch',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('end_reason', ''), ('ended_at', None)), models.Q(('ended_at__isnull', False), ('next_ask_at', None), models.Q(('end_reason', ''), _negated=True)), _connector='OR'), name='watch_ended_says_why_and_asks_no_more'),
        ),
        migrations.AddConstraint(
            model_name='relapsewatch',
            constraint=models.CheckConstraint(condition=models.Q(('ends_on__gt', models.F('starts_on'))), name='watch_ends_after_it_starts'),
        ),
        django.contrib.postgres.operations.AddConstraintNotValid(
            model_name='program',
            constraint=models.CheckConstraint(condition=models.Q(('is_maintenance', False), ('ended_on__isnull', False), _connector='OR'), name='program_maintenance_never_active'),
        ),
        protect_below("programs_loaddecision", "program_id", "programs_program"),
        protect_below("programs_relapsewatch", "episode_id", "patients_episode"),
        let_operator_read("programs_loaddecision"),
        let_operator_read("programs_relapsewatch"),
        record("programs_loaddecision", patient=OF_PROGRAM),
        record("programs_relapsewatch", patient=OF_EPISODE, passed_over=("next_ask_at",)),
    ]
