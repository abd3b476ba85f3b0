"""Letters about a case to a colleague: kept as they were made."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from clinic.sealed import EncryptedTextField
from clinic.tenancy import ClinicRow, Scope
from patients.models import Episode


class Letter(ClinicRow):
    """A letter as it was made, word for word. Its PDF is drawn anew from ``content`` and is always the same.

    ``content`` is JSON: see ``programs.rules.letters.Letter``. It is never changed; a correction is another
    letter.
    """

    class Kind(models.TextChoices):
        STALL = "stall", "Stall summary"
        REFERRAL = "referral", "Referral letter"
        RED_FLAG = "red_flag", "Red flag letter"

    scope = Scope(clinician="episode__clinician", patient="episode__patient")

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="letters")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    content = EncryptedTextField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ("-made_at", "-id")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.made_at:%-d %b %Y}"
