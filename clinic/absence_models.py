"""When a clinician is away, and who stands in for them meanwhile."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from clinic.tenancy import ClinicRow


class Absence(ClinicRow):
    """A clinician is away from the first day to the last, both included.

    Without ``cover`` the standing cover of the membership stands in, without that the owners.
    """

    clinician = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="absences")
    cover = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    starts_on = models.DateField()
    ends_on = models.DateField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        ordering = ("starts_on", "id")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")), name="absence_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(cover=None) | ~Q(cover=F("clinician")), name="absence_covered_by_another"
            ),
        ]
        indexes = [
            # Who is away today: asked with each red flag and digest.
            models.Index(fields=["clinic", "ends_on"], name="absence_by_clinic_and_end")
        ]

    def __str__(self) -> str:
        return f"{self.clinician} away {self.days}"

    @property
    def days(self) -> str:
        """ "from 3 Dec 2026 to 9 Dec 2026"."""
        return f"from {self.starts_on:%-d %b %Y} to {self.ends_on:%-d %b %Y}"

    def covers(self, day: date) -> bool:
        return self.starts_on <= day <= self.ends_on
