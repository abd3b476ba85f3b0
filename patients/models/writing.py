"""What belongs to the writing of an assessment: drafts before it is saved, addenda once it is signed."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models

from clinic.sealed import EncryptedTextField
from clinic.tenancy import ClinicRow, Scope
from patients.models.assessments import Assessment, codes
from patients.models.people import Episode


class AssessmentDraft(ClinicRow):
    """What somebody has typed and not saved. It counts for nothing: no match, no review reads it.

    ``content`` is the form as it was sent, ``base`` the version of the assessment it started from (0: none).
    ``red_flags`` are in the clear, as those of an assessment: a flag that is ticked only in a draft is shown
    wherever the patient is. ``ticked_at`` is since when each has been ticked, by its code.
    """

    scope = Scope(clinician="episode__clinician", patient="episode__patient")

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="assessment_drafts")
    assessment = models.ForeignKey(
        Assessment, null=True, blank=True, on_delete=models.PROTECT, related_name="drafts"
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    base = models.PositiveIntegerField(default=0)
    content = EncryptedTextField()
    red_flags = codes()
    ticked_at = models.JSONField(default=dict, db_default={}, editable=False)
    started_at = models.DateTimeField()
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ("-saved_at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=["episode", "assessment", "author"],
                nulls_distinct=False,
                name="draft_once_an_author",
            ),
        ]

    def __str__(self) -> str:
        return f"Draft by {self.author}"

    def ticked_since(self, code: str) -> datetime:
        """Since when this flag of it is ticked; not known of one kept before that was written down."""
        found = self.ticked_at.get(code)
        return datetime.fromisoformat(found) if found else self.saved_at


class Addendum(ClinicRow):
    """A correction of a signed assessment: written once, never changed, shown with it."""

    scope = Scope(clinician="assessment__episode__clinician", patient="assessment__episode__patient")

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="addenda")
    text = EncryptedTextField()
    red_flags = codes()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "addenda"
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"Addendum to {self.assessment}"
