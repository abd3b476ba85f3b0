"""A pause that has become too long stands beside the program; a note of a clinician beside the contacts."""

from django.db import migrations, models

import clinic.sealed
from clinic.audit.triggers import of, record_otherwise

STANDING = (
    *("looked_at", "reviewed_on", "review_state", "review_trend", "review_week", "sessions_done", "sessions_due"),
    *("gate_open_since", "akps_due_since", "reassess_due_since", "succeeded_on", "success_week", "paused_long"),
)
KINDS = [
    ("call", "Call"),
    ("no_answer", "Call, no answer"),
    ("message", "Message"),
    ("visit", "Visit"),
    ("note", "Note"),
]


class Migration(migrations.Migration):
    dependencies = [("programs", "0019_recall_holds")]

    operations = [
        migrations.AddField(
            "program", "paused_long", models.BooleanField(default=False, db_default=False, editable=False)
        ),
        record_otherwise(
            "programs_program",
            patient=of("patients_episode", "this.episode_id"),
            passed_over=("next_check_in_at", "next_review_on", *STANDING),
        ),
        migrations.AlterField("contactlog", "kind", models.CharField(choices=KINDS, max_length=10)),
        migrations.AlterField(
            "contactlog", "note", clinic.sealed.EncryptedTextField(blank=True, max_length=4000)
        ),
    ]
