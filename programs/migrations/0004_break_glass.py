"""An operator reads the records of a clinic opened by break-glass; stages and doses go with their template."""

from django.db import migrations

from clinic.row_security.policies import let_operator_read

RECORDS = (
    *("exercise", "template", "program", "programstage", "programdose", "stagemove", "pause", "hold"),
    *("checkinrequest", "answer", "session", "run", "sessionexercise", "review"),
    *("alert", "alertevent", "contactlog", "digest"),
)


class Migration(migrations.Migration):
    dependencies = [("programs", "0003_same_clinic"), ("patients", "0005_break_glass")]

    operations = [let_operator_read(f"programs_{name}") for name in RECORDS]
