"""Programs, diaries, reviews and alerts are seen by their clinic, and by the patient whose they are."""

from django.db import migrations

from clinic.row_security.policies import (
    IN_CLINIC, PLATFORM, let_see, of_patient, of_staff, protect, protect_below, share,
)

# The starter library, of no clinic, is everybody's to read and the platform's to load.
WRITTEN = f"({of_staff()}) OR ({PLATFORM} AND clinic_id IS NULL)"
READ = f"clinic_id IS NULL OR {IN_CLINIC}"
STAGE_WRITTEN = f"EXISTS (SELECT FROM programs_template WHERE id = template_id AND ({WRITTEN}))"
STAGE_READ = "EXISTS (SELECT FROM programs_template WHERE id = template_id)"
DOSE_WRITTEN = (
    "EXISTS (SELECT FROM programs_stage JOIN programs_template ON programs_template.id = template_id "
    f"WHERE programs_stage.id = stage_id AND ({WRITTEN}))"
)
DOSE_READ = "EXISTS (SELECT FROM programs_stage WHERE id = stage_id)"

REPORTED = f"{of_patient('patient_id')} AND sees_patients_episode(episode_id)"


class Migration(migrations.Migration):
    dependencies = [("programs", "0001_initial"), ("patients", "0002_row_security")]

    operations = [
        protect("programs_exercise", WRITTEN),
        share("programs_exercise", READ),
        protect("programs_template", WRITTEN),
        share("programs_template", READ),
        protect("programs_stage", STAGE_WRITTEN),
        share("programs_stage", STAGE_READ),
        protect("programs_dose", DOSE_WRITTEN),
        share("programs_dose", DOSE_READ),
        protect_below("programs_program", "episode_id", "patients_episode"),
        let_see("programs_program"),
        protect_below("programs_programstage", "program_id", "programs_program"),
        let_see("programs_programstage"),
        protect_below("programs_programdose", "stage_id", "programs_programstage"),
        protect_below("programs_stagemove", "program_id", "programs_program"),
        protect_below("programs_pause", "program_id", "programs_program"),
        protect_below("programs_hold", "program_id", "programs_program"),
        protect_below("programs_checkinrequest", "program_id", "programs_program"),
        protect("programs_answer", of_patient("patient_id"), written=REPORTED),
        protect("programs_session", of_patient("patient_id"), written=REPORTED),
        let_see("programs_session"),
        protect("programs_run", of_patient("patient_id"), written=REPORTED),
        protect_below("programs_sessionexercise", "session_id", "programs_session"),
        protect_below("programs_review", "episode_id", "patients_episode"),
        protect_below("programs_alert", "episode_id", "patients_episode"),
        let_see("programs_alert"),
        protect_below("programs_alertevent", "alert_id", "programs_alert"),
        protect_below("programs_contactlog", "episode_id", "patients_episode"),
        protect("programs_digest", of_staff()),
    ]
