"""How a program stands, kept beside it: the database orders and filters a caseload of thousands by it."""

from __future__ import annotations

from django.db import models

REVIEWED = (
    *("reviewed_on", "review_state", "review_trend", "review_week", "sessions_done", "sessions_due"),
    *("gate_open_since", "akps_due_since", "reassess_due_since", "succeeded_on", "success_week"),
    "paused_long",
)
"""What a review writes together with itself; a test holds it to what the reviews say."""


class Standing(models.Model):
    """As the latest review found it, and when the treating clinician last opened the case.

    ``sessions_done`` and ``sessions_due`` count strength sessions over the last unpaused days of the
    adherence window. The dates tell since when the next stage's gate is open, and from which day on an AKPS
    score, or an assessment, settles the one that is due; empty where there is none. ``success_week`` is the
    week of the first review that found success, ``succeeded_on`` its day. ``paused_long``: all pauses
    together are longer than the clinic's limit, and the review asks whether to restart or discharge.
    """

    looked_at = models.DateTimeField(null=True, editable=False)
    reviewed_on = models.DateField(null=True, editable=False)
    review_state = models.CharField(max_length=20, blank=True, default="", db_default="", editable=False)
    review_trend = models.CharField(max_length=10, blank=True, default="", db_default="", editable=False)
    review_week = models.PositiveSmallIntegerField(null=True, editable=False)
    sessions_done = models.PositiveSmallIntegerField(null=True, editable=False)
    sessions_due = models.PositiveSmallIntegerField(null=True, editable=False)
    gate_open_since = models.DateField(null=True, editable=False)
    akps_due_since = models.DateField(null=True, editable=False)
    reassess_due_since = models.DateField(null=True, editable=False)
    paused_long = models.BooleanField(default=False, db_default=False, editable=False)
    succeeded_on = models.DateField(null=True, editable=False)
    success_week = models.PositiveSmallIntegerField(null=True, editable=False)

    class Meta:
        abstract = True
