import clinic.zones
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.db.models.functions.uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='Clinic',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(unique=True)),
                ('name', models.CharField(max_length=200)),
                ('timezone', models.CharField(default='UTC', max_length=64, validators=[clinic.zones.validate_zone])),
                ('phone', models.CharField(blank=True, help_text='Shown to a patient with a red flag.', max_length=40)),
                ('emergency_number', models.CharField(default='112', max_length=20)),
                ('simulated', models.BooleanField(default=False, help_text='Invented patients, for trying things out.')),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='SweepRun',
            fields=[
                ('name', models.CharField(max_length=60, primary_key=True, serialize=False)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('succeeded_at', models.DateTimeField(blank=True, null=True)),
                ('result', models.JSONField(blank=True, default=dict)),
                ('error', models.TextField(blank=True)),
            ],
            options={
                'verbose_name': 'periodic job',
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('email', models.EmailField(error_messages={'unique': 'This e-mail is taken.'}, max_length=254, unique=True)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('is_active', models.BooleanField(default=True)),
                ('is_staff', models.BooleanField(default=False, help_text='May open the admin.')),
                ('is_operator', models.BooleanField(default=False, help_text='Runs the platform: clinics, health, outbox states; no patient data.')),
                ('date_joined', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'ordering': ('email',),
                'constraints': [models.CheckConstraint(condition=models.Q(('email', django.db.models.functions.text.Lower('email'))), name='user_email_lower_case')],
            },
        ),
        migrations.CreateModel(
            name='ClinicPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('overrides', models.JSONField(blank=True, default=dict)),
                ('own_cases_only', models.BooleanField(default=False, help_text='A physio sees only the cases they treat. The owner sees all.')),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('clinic', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='policy', to='clinic.clinic')),
                ('updated_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'clinic policies',
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('owner', 'Owner'), ('physio', 'Physio'), ('assistant', 'Assistant')], max_length=20)),
                ('is_active', models.BooleanField(default=True)),
                ('digest_weekday', models.PositiveSmallIntegerField(blank=True, help_text='Monday = 1. Empty: as the clinic.', null=True)),
                ('digest_time', models.TimeField(blank=True, help_text='Local time. Empty: as the clinic.', null=True)),
                ('next_digest_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='clinic.clinic')),
                ('cover', models.ForeignKey(blank=True, help_text='Told of red flags at the same time.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='covers', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'member of staff',
                'verbose_name_plural': 'staff',
                'ordering': ('user__name', 'user__email'),
                'indexes': [models.Index(condition=models.Q(('is_active', True)), fields=['next_digest_at'], name='membership_digest_due')],
                'constraints': [models.UniqueConstraint(fields=('user', 'clinic'), name='membership_once_per_clinic'), models.CheckConstraint(condition=models.Q(('role__in', ['owner', 'physio', 'assistant'])), name='membership_role_known'), models.CheckConstraint(condition=models.Q(('digest_weekday', None), ('digest_weekday__range', (1, 7)), _connector='OR'), name='membership_digest_weekday_range', violation_error_message='Digest weekday: 1 (Monday) to 7 (Sunday).')],
            },
        ),
        migrations.CreateModel(
            name='OutboxMessage',
            fields=[
                ('id', models.UUIDField(db_default=django.db.models.functions.uuid.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=40)),
                ('dedupe_key', models.CharField(max_length=200, unique=True)),
                ('patient_key', models.UUIDField(blank=True, null=True)),
                ('to_email', models.EmailField(max_length=254)),
                ('subject', models.CharField(max_length=200)),
                ('text', models.TextField()),
                ('html', models.TextField(blank=True)),
                ('images', models.JSONField(blank=True, default=dict, help_text='Content-id to base64 PNG.')),
                ('secret', models.BinaryField(blank=True, null=True)),
                ('state', models.CharField(choices=[('pending', 'Waiting'), ('sending', 'Being sent'), ('sent', 'Sent'), ('dead', 'Given up')], default='pending', max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('leased_until', models.DateTimeField(blank=True, null=True)),
                ('lease', models.UUIDField(blank=True, null=True)),
                ('last_error', models.CharField(blank=True, max_length=500)),
                ('bounced', models.BooleanField(default=False, help_text='The address was refused for good.')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('clinic', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.clinic')),
            ],
            options={
                'verbose_name': 'e-mail',
                'ordering': ('-created_at',),
                'indexes': [models.Index(condition=models.Q(('state__in', ['pending', 'sending'])), fields=['next_attempt_at'], name='outbox_due')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('sent_at__isnull', False), ('state', 'sent')), models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at', None)), _connector='OR'), name='outbox_sent_has_time')],
            },
        ),
    ]
