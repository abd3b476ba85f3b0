"""A score keeps its recall window, and a red flag told without a score is kept: a limp is one under 18.

What was asked before was asked of the last 24 hours. The wider constraint holds for new rows
before the old one goes.
"""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q

HAS_SOMETHING = (
    Q(worst_left__isnull=False) | Q(worst_right__isnull=False) | ~Q(red_flags=[]) | Q(limping=True)
)
A_WEEK = Q(recall_days__range=(1, 7))


def recall() -> models.PositiveSmallIntegerField:
    return models.PositiveSmallIntegerField(
        db_default=1,
        default=1,
        editable=False,
        help_text="Days the question looks back.",
        verbose_name="recall window",
    )


class Migration(migrations.Migration):
    dependencies = [("programs", "0017_standing_of_reviews")]

    operations = [
        migrations.AddField("answer", "recall_days", recall()),
        migrations.AddField("checkinrequest", "recall_days", recall()),
        AddConstraintNotValid(
            "answer", models.CheckConstraint(condition=HAS_SOMETHING, name="answer_has_a_score_or_red_flag")
        ),
        AddConstraintNotValid(
            "answer", models.CheckConstraint(condition=A_WEEK, name="answer_recall_of_a_week")
        ),
        AddConstraintNotValid(
            "checkinrequest", models.CheckConstraint(condition=A_WEEK, name="request_recall_of_a_week")
        ),
        migrations.RemoveConstraint("answer", "answer_has_a_score"),
    ]
