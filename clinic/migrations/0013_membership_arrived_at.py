from django.db import migrations, models

# Who has a password works here already; the others are still to come.
ARRIVED = """
UPDATE clinic_membership SET arrived_at = now() FROM clinic_user AS login
WHERE login.id = user_id AND login.password NOT LIKE '!%'
"""


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0012_case_number'),
    ]

    operations = [
        migrations.AddField(
            model_name='membership',
            name='arrived_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='First sign-in after they were added.', null=True),
        ),
        migrations.RunSQL(ARRIVED),
    ]
