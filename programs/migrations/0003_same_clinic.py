"""What belongs together is of one clinic, in the database too; from the library, or the clinic's own."""

from django.db import migrations

from clinic.row_security.keys import has_clinic_key, same_clinic
from clinic.row_security.policies import IN_CLINIC

PARENTS = (
    *("program", "programstage", "programdose", "checkinrequest"),
    *("answer", "session", "run", "alert"),
)
OF_THE_PROGRAM = (
    *("programstage", "stagemove", "pause", "hold", "review", "checkinrequest"),
    *("answer", "session", "run"),
)
OF_THE_EPISODE = ("program", "review", "alert", "contactlog", "answer", "session", "run")
REPORTS = ("answer", "session", "run")


def from_the_library(child: str, column: str, parent: str, above: str) -> migrations.RunSQL:
    """A row of no clinic is everybody's, which a foreign key can't say: the policy does. ``above`` as before."""
    usable = (
        f"EXISTS (SELECT FROM {parent} AS used WHERE used.id = {column} "
        f"AND (used.clinic_id IS NULL OR used.clinic_id = {child}.clinic_id))"
    )
    return migrations.RunSQL(
        f"ALTER POLICY tenant ON {child} WITH CHECK ({IN_CLINIC} AND {above} AND ({column} IS NULL OR {usable}))"
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("programs", "0002_row_security"),
        ("patients", "0004_same_clinic"),
        ("clinic", "0003_look_ups"),
    ]

    operations = [
        has_clinic_key("clinic_outboxmessage"),
        *(has_clinic_key(f"programs_{name}") for name in PARENTS),
        *(same_clinic(f"programs_{name}", "patient_id", "patients_patient") for name in REPORTS),
        *(same_clinic(f"programs_{name}", "episode_id", "patients_episode") for name in OF_THE_EPISODE),
        *(same_clinic(f"programs_{name}", "program_id", "programs_program") for name in OF_THE_PROGRAM),
        *(same_clinic(f"programs_{name}", "corrects_id", f"programs_{name}") for name in REPORTS),
        same_clinic("programs_answer", "request_id", "programs_checkinrequest"),
        same_clinic("programs_programdose", "stage_id", "programs_programstage"),
        same_clinic("programs_sessionexercise", "session_id", "programs_session"),
        same_clinic("programs_sessionexercise", "dose_id", "programs_programdose"),
        same_clinic("programs_alertevent", "alert_id", "programs_alert"),
        same_clinic("programs_digest", "message_id", "clinic_outboxmessage"),
        from_the_library(
            "programs_program", "template_id", "programs_template", "sees_patients_episode(episode_id)"
        ),
        from_the_library(
            "programs_programdose", "exercise_id", "programs_exercise", "sees_programs_programstage(stage_id)"
        ),
    ]
