"""Changes of programs, diaries, reviews, alerts and the library on record."""

from django.db import migrations

from clinic.audit.triggers import of, record

OF_EPISODE = of("patients_episode", "this.episode_id")
OF_PROGRAM = of("programs_program", "this.program_id", of("patients_episode", "episode_id"))
OF_STAGE = of(
    "programs_programstage",
    "this.stage_id",
    of("programs_program", "program_id", of("patients_episode", "episode_id")),
)
OF_ALERT = of("programs_alert", "this.alert_id", of("patients_episode", "episode_id"))
OF_SESSION = of("programs_session", "this.session_id")
OF_TEMPLATE = of("programs_template", "this.template_id", "clinic_id")
OF_TEMPLATES_STAGE = of("programs_stage", "this.stage_id", of("programs_template", "template_id", "clinic_id"))


class Migration(migrations.Migration):
    dependencies = [("programs", "0006_seal_text"), ("patients", "0010_audit")]

    operations = [
        record("programs_exercise"),
        record("programs_template"),
        record("programs_stage", clinic=OF_TEMPLATE),
        record("programs_dose", clinic=OF_TEMPLATES_STAGE),
        record("programs_program", patient=OF_EPISODE, passed_over=("next_check_in_at", "next_review_on")),
        record("programs_programstage", patient=OF_PROGRAM),
        record("programs_programdose", patient=OF_STAGE),
        record("programs_stagemove", patient=OF_PROGRAM),
        record("programs_pause", patient=OF_PROGRAM),
        record("programs_hold", patient=OF_PROGRAM),
        record("programs_checkinrequest", patient=OF_PROGRAM, passed_over=("remind_at",), compact=True),
        *(
            record(f"programs_{name}", patient="this.patient_id", passed_over=("body_hash",))
            for name in ("answer", "session", "run")
        ),
        record("programs_sessionexercise", patient=OF_SESSION, compact=True),
        record(
            "programs_review",
            patient=OF_EPISODE,
            kept_out=("verdict", "thresholds"),
            passed_over=("reviewed_at",),
            compact=True,
        ),
        record("programs_alert", patient=OF_EPISODE, kept_out=("evidence", "thresholds")),
        record("programs_alertevent", patient=OF_ALERT, compact=True),
        record("programs_contactlog", patient=OF_EPISODE),
        record("programs_digest", kept_out=("content",)),
    ]
