"""What came of an alert, that it was handed over, who was told for whom, and how long a contact took."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("programs", "0011_load_and_watch_keys"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            "alert",
            "came_of",
            models.CharField(
                blank=True,
                choices=[
                    ("program_changed", "Program changed"),
                    ("load_reduced", "Load reduced"),
                    ("re_assessed", "Re-assessed hands-on"),
                    ("contacted", "Spoke with the patient"),
                    ("referred", "Referred"),
                    ("nothing_needed", "Nothing needed"),
                    ("other", "Other"),
                ],
                db_default="",
                default="",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            "alertevent",
            "what",
            models.CharField(
                choices=[
                    ("opened", "Opened"),
                    ("raised", "Raised"),
                    ("new_evidence", "New evidence"),
                    ("reopened", "Re-opened"),
                    ("acknowledged", "Acknowledged"),
                    ("snoozed", "Snoozed"),
                    ("woke", "Snooze over"),
                    ("escalated", "Escalated to the owner"),
                    ("handed_over", "Handed over"),
                    ("resolved", "Resolved"),
                ],
                max_length=15,
            ),
        ),
        migrations.AddField(
            "contactlog",
            "is_live",
            models.BooleanField(
                db_default=False,
                default=False,
                help_text="They spoke with each other at the same time.",
            ),
        ),
        migrations.AddField(
            "contactlog",
            "minutes",
            models.PositiveSmallIntegerField(blank=True, help_text="How long it took.", null=True),
        ),
        migrations.AddField(
            "digest",
            "sent_to",
            models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Who stood in for them. Empty: they were told themselves.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        AddConstraintNotValid(
            "contactlog",
            models.CheckConstraint(
                condition=models.Q(minutes=None) | models.Q(minutes__range=(1, 480)),
                name="contact_minutes_of_a_day",
            ),
        ),
        AddConstraintNotValid(
            "contactlog",
            models.CheckConstraint(
                condition=models.Q(is_live=False) | models.Q(kind__in=["call", "visit"]),
                name="contact_live_if_spoken",
            ),
        ),
    ]
