"""Text written before is sealed, and the plain columns dropped: run it once the new code runs everywhere."""

from django.db import migrations

from clinic.seal_migration import contract, seal_rows

OF_EPISODE = "(SELECT patient_id FROM patients_episode WHERE id = row.episode_id)"
OF_ASSESSMENT = (
    "(SELECT patient_id FROM patients_episode JOIN patients_assessment AS a ON a.episode_id = "
    "patients_episode.id WHERE a.id = row.assessment_id)"
)
SEALED = (
    ("patients_aggravatingactivity", ("activity",), OF_ASSESSMENT),
    ("patients_assessment", ("red_flag_note", "notes"), OF_EPISODE),
    ("patients_episode", ("discharge_note",), "row.patient_id"),
    ("patients_qangle", ("notes",), OF_ASSESSMENT),
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("patients", "0006_privacy")]

    operations = [
        operation
        for table, columns, patient in SEALED
        for operation in (seal_rows(table, *columns, patient=patient), contract(table, *columns))
    ]
