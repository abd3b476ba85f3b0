"""How each program stands, kept beside it, so that the database orders and filters a large caseload."""

from django.db import migrations, models

from clinic.audit.triggers import of, record_otherwise

STANDING = (
    *("looked_at", "reviewed_on", "review_state", "review_trend", "review_week", "sessions_done", "sessions_due"),
    *("gate_open_since", "akps_due_since", "reassess_due_since", "succeeded_on", "success_week"),
)


def _empty(model: str, name: str, kind: type[models.Field]) -> migrations.AddField:
    return migrations.AddField(model, name, kind(null=True, editable=model == "review", blank=model == "review"))


def _text(name: str, length: int) -> migrations.AddField:
    field = models.CharField(max_length=length, blank=True, default="", db_default="", editable=False)
    return migrations.AddField("program", name, field)


class Migration(migrations.Migration):
    dependencies = [("programs", "0013_letter")]

    operations = [
        _empty("program", "looked_at", models.DateTimeField),
        _text("review_state", 20),
        _text("review_trend", 10),
        *(
            _empty("program", name, models.DateField)
            for name in ("reviewed_on", "gate_open_since", "akps_due_since", "reassess_due_since", "succeeded_on")
        ),
        *(
            _empty("program", name, models.PositiveSmallIntegerField)
            for name in ("review_week", "sessions_done", "sessions_due", "success_week")
        ),
        _empty("review", "sessions_done", models.PositiveSmallIntegerField),
        _empty("review", "sessions_due", models.PositiveSmallIntegerField),
        record_otherwise(
            "programs_program",
            patient=of("patients_episode", "this.episode_id"),
            passed_over=("next_check_in_at", "next_review_on", *STANDING),
        ),
    ]
