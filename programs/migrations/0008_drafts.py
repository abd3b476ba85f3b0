"""A program is prepared before it is sent: a draft beside the running one, and why a deficit stays untreated."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.models import Q

from clinic.sealed import EncryptedTextField

BEFORE = "program_one_active_per_case"
RUNNING = "program_one_running_per_case"
DRAFT = "program_one_draft_per_case"


def one_a_case(name: str, rows: str, constraint: models.UniqueConstraint) -> migrations.SeparateDatabaseAndState:
    """Without a lock that stops the sweeps; one that a run broken off has left is built again."""
    build = f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON programs_program (episode_id) WHERE {rows}"
    return migrations.SeparateDatabaseAndState(
        database_operations=[migrations.RunSQL([f"DROP INDEX CONCURRENTLY IF EXISTS {name}", build])],
        state_operations=[migrations.AddConstraint("program", constraint)],
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("programs", "0007_audit")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE programs_program "
                    "ADD COLUMN IF NOT EXISTS is_draft boolean NOT NULL DEFAULT false, "
                    "ADD COLUMN IF NOT EXISTS untreated_reasons_sealed bytea NOT NULL DEFAULT ''::bytea"
                )
            ],
            state_operations=[
                migrations.AddField(
                    "program",
                    "is_draft",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        editable=False,
                        help_text="Prepared, not sent to the patient yet.",
                    ),
                ),
                migrations.AddField(
                    "program", "untreated_reasons", EncryptedTextField(blank=True, editable=False)
                ),
            ],
        ),
        one_a_case(
            RUNNING,
            "ended_on IS NULL AND NOT is_draft",
            models.UniqueConstraint(
                fields=["episode"],
                condition=Q(ended_on=None, is_draft=False),
                name=RUNNING,
                violation_error_message="This case already has an active program.",
            ),
        ),
        one_a_case(
            DRAFT,
            "is_draft",
            models.UniqueConstraint(
                fields=["episode"],
                condition=Q(is_draft=True),
                name=DRAFT,
                violation_error_message="A program is already being prepared for this case.",
            ),
        ),
        # Only now: until here the old one kept the promise.
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {BEFORE}")],
            state_operations=[migrations.RemoveConstraint("program", BEFORE)],
        ),
        AddConstraintNotValid(
            "program",
            models.CheckConstraint(
                condition=Q(is_draft=False)
                | Q(ended_on=None, next_check_in_at=None, next_review_on=None, fair_trial_on=None),
                name="program_draft_is_still",
            ),
        ),
        ValidateConstraint("program", "program_draft_is_still"),
    ]
