"""Sealed columns beside the plain ones, for what is written about a patient."""

from django.db import migrations

from clinic.seal_migration import expand
from clinic.sealed import EncryptedCharField, EncryptedTextField

TEXT = {
    "alert": ("outcome", EncryptedCharField(blank=True, max_length=500)),
    "alertevent": ("note", EncryptedCharField(blank=True, max_length=500)),
    "answer": ("note", EncryptedTextField(blank=True, max_length=2000)),
    "contactlog": ("note", EncryptedCharField(blank=True, max_length=500)),
    "hold": ("finding", EncryptedTextField(blank=True)),
    "pause": ("note", EncryptedCharField(blank=True, max_length=300)),
    "program": ("fair_trial_reason", EncryptedCharField(blank=True, editable=False, max_length=300)),
    "run": ("note", EncryptedTextField(blank=True, max_length=2000)),
    "session": ("note", EncryptedTextField(blank=True, max_length=2000)),
    "stagemove": ("override_reason", EncryptedCharField(blank=True, max_length=300)),
}


class Migration(migrations.Migration):
    dependencies = [("programs", "0004_break_glass"), ("patients", "0006_privacy")]

    operations = [
        # They ask the plain columns; they come back for the sealed ones once those are filled.
        migrations.RemoveConstraint("hold", "hold_cleared_with_finding"),
        migrations.RemoveConstraint("program", "program_fair_trial_has_reason"),
        migrations.RemoveConstraint("stagemove", "stage_move_override_has_reason"),
        migrations.SeparateDatabaseAndState(
            database_operations=[expand(f"programs_{model}", column) for model, (column, _) in TEXT.items()],
            state_operations=[
                migrations.AlterField(model, column, field) for model, (column, field) in TEXT.items()
            ],
        ),
    ]
