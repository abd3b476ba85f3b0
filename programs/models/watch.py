"""After discharge: a light check-in every month, which asks the clinician to re-open if the pain is back."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from clinic.fields import PainField
from clinic.tenancy import ClinicRow, Scope, ScopedQuerySet
from patients.models import Episode
from programs.models.plan import Program


class RelapseWatchQuerySet(ScopedQuerySet):
    """Filters on watches."""

    def running(self) -> RelapseWatchQuerySet:
        return self.filter(ended_at=None)


class RelapseWatch(ClinicRow):
    """The watch over one closed case. ``program`` is what was handed out to keep up, if anything.

    ``next_ask_at`` is the next question, for the sweep; ``ends_on`` the first local date without one.
    """

    class End(models.TextChoices):
        OVER = "over", "Its time was over"
        PATIENT = "patient", "The patient wished no more questions"
        REOPENED = "reopened", "The case was re-opened"
        CLINICIAN = "clinician", "Ended by the clinic"

    scope = Scope(clinician="episode__clinician", patient="episode__patient")

    episode = models.OneToOneField(Episode, on_delete=models.PROTECT, related_name="relapse_watch")
    program = models.ForeignKey(
        Program, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="To keep up."
    )
    pain_at_discharge = PainField(null=True, blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField()
    next_ask_at = models.DateTimeField(null=True, blank=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=10, blank=True, choices=End.choices)
    reopened_as = models.ForeignKey(
        Episode, null=True, blank=True, on_delete=models.PROTECT, related_name="reopens"
    )

    objects = RelapseWatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "relapse watches"
        ordering = ("-starts_on", "-id")
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None, end_reason="")
                | (Q(ended_at__isnull=False, next_ask_at=None) & ~Q(end_reason="")),
                name="watch_ended_says_why_and_asks_no_more",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")), name="watch_ends_after_it_starts"
            ),
        ]
        indexes = [
            # The sweep: whose next question has come.
            models.Index(fields=["next_ask_at"], name="watch_ask_due", condition=Q(ended_at=None))
        ]

    def __str__(self) -> str:
        return f"Relapse watch of {self.episode}"

    @property
    def is_running(self) -> bool:
        return self.ended_at is None
