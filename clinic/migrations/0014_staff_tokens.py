"""Tokens of staff for the API, and what a request with an Idempotency-Key has created."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from clinic.audit.triggers import record
from clinic.row_security.policies import look_up, of_staff, protect


class Migration(migrations.Migration):
    dependencies = [("clinic", "0013_membership_arrived_at")]

    operations = [
        migrations.CreateModel(
            name='ApiCreation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('route', models.CharField(max_length=80)),
                ('key', models.CharField(max_length=64)),
                ('body_hash', models.CharField(max_length=64)),
                ('row_key', models.CharField(blank=True, max_length=40)),
                ('created_at', models.DateTimeField()),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.clinic')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['created_at'], name='api_creation_by_age')],
                'constraints': [models.UniqueConstraint(fields=('clinic', 'user', 'route', 'key'), name='api_creation_once')],
            },
        ),
        migrations.CreateModel(
            name='StaffToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('digest', models.CharField(max_length=128, unique=True)),
                ('tied', models.CharField(max_length=64)),
                ('writes', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.clinic')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'API token',
                'ordering': ('-created_at', '-pk'),
                'indexes': [models.Index(fields=['user', 'clinic'], name='staff_token_of_member')],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='staff_token_has_name'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='staff_token_expires_later')],
            },
        ),
        protect("clinic_stafftoken", of_staff()),
        protect("clinic_apicreation", of_staff()),
        # The clinic is known by the token only.
        look_up(
            "staff_token_by_digest", "secret text, at timestamptz", "SETOF clinic_stafftoken",
            """
            SELECT token.*
            FROM clinic_stafftoken AS token
            JOIN clinic_membership AS member
                ON member.user_id = token.user_id AND member.clinic_id = token.clinic_id AND member.is_active
            JOIN clinic_user AS login ON login.id = token.user_id AND login.is_active AND login.is_staff
            JOIN clinic_clinic AS clinic ON clinic.id = token.clinic_id AND clinic.is_active
            WHERE token.digest = secret AND token.expires_at > at
            """,
        ),
        record("clinic_stafftoken", kept_out=("name", "tied"), passed_over=("last_used_at",)),
    ]
