"""The constraints of the recall window hold for the rows that were there before; readers and writers go on."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("programs", "0018_recall_and_symptoms_alone")]

    operations = [
        ValidateConstraint("answer", "answer_has_a_score_or_red_flag"),
        ValidateConstraint("answer", "answer_recall_of_a_week"),
        ValidateConstraint("checkinrequest", "request_recall_of_a_week"),
    ]
