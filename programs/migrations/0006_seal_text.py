"""Text written before is sealed, and the plain columns dropped: run it once the new code runs everywhere."""

from django.db import migrations, models
from django.db.models import Q

from clinic.seal_migration import contract, seal_rows

OF_EPISODE = "(SELECT patient_id FROM patients_episode WHERE id = row.episode_id)"
OF_PROGRAM = (
    "(SELECT patient_id FROM patients_episode JOIN programs_program AS p ON p.episode_id = "
    "patients_episode.id WHERE p.id = row.program_id)"
)
OF_ALERT = (
    "(SELECT patient_id FROM patients_episode JOIN programs_alert AS a ON a.episode_id = "
    "patients_episode.id WHERE a.id = row.alert_id)"
)
SEALED = (
    ("programs_alert", "outcome", OF_EPISODE),
    ("programs_alertevent", "note", OF_ALERT),
    ("programs_answer", "note", "row.patient_id"),
    ("programs_contactlog", "note", OF_EPISODE),
    ("programs_hold", "finding", OF_PROGRAM),
    ("programs_pause", "note", OF_PROGRAM),
    ("programs_program", "fair_trial_reason", OF_EPISODE),
    ("programs_run", "note", "row.patient_id"),
    ("programs_session", "note", "row.patient_id"),
    ("programs_stagemove", "override_reason", OF_PROGRAM),
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("programs", "0005_sealed_text")]

    operations = [
        *(
            operation
            for table, column, patient in SEALED
            for operation in (seal_rows(table, column, patient=patient), contract(table, column))
        ),
        migrations.AddConstraint(
            "hold",
            models.CheckConstraint(
                condition=Q(cleared_at=None)
                | (Q(cleared_at__isnull=False, cleared_by__isnull=False) & ~Q(finding="")),
                name="hold_cleared_with_finding",
                violation_error_message="Clearing a red flag needs a finding.",
            ),
        ),
        migrations.AddConstraint(
            "program",
            models.CheckConstraint(
                condition=Q(fair_trial_on=None) | ~Q(fair_trial_reason=""),
                name="program_fair_trial_has_reason",
            ),
        ),
        migrations.AddConstraint(
            "stagemove",
            models.CheckConstraint(
                condition=Q(unmet=[]) | ~Q(override_reason=""),
                name="stage_move_override_has_reason",
                violation_error_message="Moving past unmet criteria needs a written reason.",
            ),
        ),
    ]
