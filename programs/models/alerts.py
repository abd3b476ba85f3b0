"""What the service concludes and whom it tells: reviews, alerts with their history, digests, calls."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from clinic.models import OutboxMessage
from clinic.sealed import EncryptedCharField, EncryptedTextField
from clinic.tenancy import ClinicRow, Scope, ScopedQuerySet
from patients.models import Episode
from programs.models.plan import Program
from programs.rules.alerts import HELD_BACK, HOLDS_BACK, suggests_progress
from programs.rules.stall.wording import pain, pains


class Review(ClinicRow):
    """The verdict on a case as of a day, with its evidence and the thresholds that produced it."""

    scope = Scope(clinician="episode__clinician", patient="episode__patient")

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="reviews")
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="reviews")
    day = models.DateField()
    week = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=20)
    trend = models.CharField(max_length=10, blank=True)
    reason = models.CharField(max_length=30, blank=True)
    action = models.CharField(max_length=300, blank=True)
    baseline = models.DecimalField(max_digits=4, decimal_places=2, null=True, blank=True)
    now = models.DecimalField(max_digits=4, decimal_places=2, null=True, blank=True)
    sessions_done = models.PositiveSmallIntegerField(null=True, blank=True)
    sessions_due = models.PositiveSmallIntegerField(null=True, blank=True)
    verdict = models.JSONField(help_text="The verdict as the rule gave it, evidence included.")
    thresholds = models.JSONField(help_text="The thresholds in force.")
    reviewed_at = models.DateTimeField()

    class Meta:
        ordering = ("-day", "-id")
        constraints = [
            models.UniqueConstraint(fields=["program", "day"], name="review_once_per_program_and_day")
        ]
        indexes = [
            models.Index(fields=["episode", "-day"], name="review_latest_of_case"),
            # A clinic's figures as of a day.
            models.Index(
                fields=["clinic", "day"],
                include=["episode", "state", "sessions_done", "sessions_due"],
                name="review_of_clinic_and_day",
            ),
        ]

    def __str__(self) -> str:
        return f"Review of {self.day:%-d %b %Y}: {self.state}"

    @property
    def course(self) -> str:
        """ "6.5 at the start, 4.7 now", as the verdict's text has it; empty without a baseline."""
        if self.baseline is None:
            return ""
        if self.now is None:
            return f"{pain(self.baseline)} at the start"
        then, today = pains(self.baseline, self.now)
        return f"{then} at the start, {today} now"


class AlertQuerySet(ScopedQuerySet):
    """Filters on alerts."""

    def unresolved(self) -> AlertQuerySet:
        return self.exclude(state=Alert.State.RESOLVED)

    def red_flags_of(self, patient_id: Any) -> AlertQuerySet:
        """Not cleared yet, in whichever case of the patient, a closed one too."""
        return self.unresolved().filter(kind=Alert.Kind.RED_FLAG, episode__patient=patient_id)

    def with_bars(self) -> AlertQuerySet:
        """``is_barred``: an alert of the case, put aside or not, bars any progress."""
        bars = Alert.objects.unresolved().filter(episode=OuterRef("episode"), kind__in=HOLDS_BACK)
        return self.annotate(is_barred=Exists(bars))


class Alert(ClinicRow):
    """Something a clinician should act on. At most one unresolved per case and kind.

    ``opened_on`` keeps the age when it re-opens; ``level`` goes stalling -> stalled (stall), tier_2 ->
    tier_1 (red flag).
    """

    class Kind(models.TextChoices):
        RED_FLAG = "red_flag", "Red flag"
        WORSENING = "worsening", "Worsening"
        STALL = "stall", "Stall"
        RELAPSE = "relapse", "Relapse after discharge"
        SILENT = "silent", "Silent"
        OVERLOAD = "overload", "Overload"
        DRIFT = "drift", "Drift"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        SNOOZED = "snoozed", "Snoozed"
        RESOLVED = "resolved", "Resolved"

    class Resolution(models.TextChoices):
        CLINICIAN = "clinician", "By a clinician"
        RECOVERED = "recovered", "By itself: success at two reviews"
        DISCHARGED = "discharged", "Discharged"

    class CameOf(models.TextChoices):
        """What a clinician did about it; the words beside it say more."""

        PROGRAM_CHANGED = "program_changed", "Program changed"
        LOAD_REDUCED = "load_reduced", "Load reduced"
        RE_ASSESSED = "re_assessed", "Re-assessed hands-on"
        CONTACTED = "contacted", "Spoke with the patient"
        REFERRED = "referred", "Referred"
        NOTHING_NEEDED = "nothing_needed", "Nothing needed"
        OTHER = "other", "Other"

    scope = Scope(clinician="episode__clinician", patient="episode__patient")

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="alerts")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    level = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=30, blank=True)
    summary = models.CharField(max_length=500)
    action = models.CharField(max_length=300, blank=True)
    evidence = models.JSONField(default=list, blank=True)
    thresholds = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=15, choices=State.choices, default=State.OPEN)
    opened_on = models.DateField()
    opened_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    snoozed_until = models.DateField(null=True, blank=True)
    escalate_at = models.DateTimeField(null=True, blank=True, editable=False)
    escalated_at = models.DateTimeField(null=True, blank=True, editable=False)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_on = models.DateField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    resolution = models.CharField(max_length=15, blank=True, choices=Resolution.choices)
    came_of = models.CharField(max_length=20, blank=True, default="", db_default="", choices=CameOf.choices)
    outcome = EncryptedCharField(max_length=500, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ("-opened_at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=["episode", "kind"],
                condition=~Q(state="resolved"),
                name="alert_one_open_per_case_and_kind",
            ),
            models.CheckConstraint(
                condition=Q(state="resolved", resolved_at__isnull=False, resolved_on__isnull=False)
                & ~Q(resolution="")
                | ~Q(state="resolved") & Q(resolved_at=None, resolution=""),
                name="alert_resolved_says_how",
            ),
            models.CheckConstraint(
                condition=~Q(state="snoozed") | Q(snoozed_until__isnull=False),
                name="alert_snoozed_until_a_day",
            ),
            models.CheckConstraint(
                condition=~Q(state="resolved", kind="red_flag") | Q(resolved_by__isnull=False),
                name="alert_red_flag_cleared_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(kind="red_flag", state="snoozed"), name="alert_red_flag_never_snoozed"
            ),
        ]
        indexes = [
            # The escalation sweep: red flags nobody acknowledged.
            models.Index(fields=["escalate_at"], name="alert_escalation_due", condition=Q(state="open"))
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.episode}"

    @property
    def finding(self) -> str:
        """The summary without the action that a verdict's ends with, for where that stands below it."""
        ending = f" {self.action}".rstrip(".")
        return self.summary.rstrip(".").removesuffix(ending) if self.action else self.summary

    @property
    def action_now(self) -> str:
        """What to do as things stand; of a row read ``with_bars``."""
        up = suggests_progress(kind=self.kind, reason=self.reason, action=self.action)
        barred = up and self.state != self.State.RESOLVED and self.is_barred  # type: ignore[attr-defined]
        return HELD_BACK if barred else self.action


class AlertEvent(ClinicRow):
    """One step in an alert's life: who (empty: the service), when, what, why."""

    class What(models.TextChoices):
        OPENED = "opened", "Opened"
        RAISED = "raised", "Raised"
        NEW_EVIDENCE = "new_evidence", "New evidence"
        REOPENED = "reopened", "Re-opened"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        SNOOZED = "snoozed", "Snoozed"
        WOKE = "woke", "Snooze over"
        ESCALATED = "escalated", "Escalated to the owner"
        HANDED_OVER = "handed_over", "Handed over"
        RESOLVED = "resolved", "Resolved"

    scope = Scope(clinician="alert__episode__clinician", patient="alert__episode__patient")

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="events")
    what = models.CharField(max_length=15, choices=What.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    note = EncryptedCharField(max_length=500, blank=True)
    evidence = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"{self.get_what_display()} {self.at:%-d %b %Y %H:%M}"


class Digest(ClinicRow):
    """The weekly e-mail of one clinician: one per ISO week, and what it said about whom."""

    scope = Scope(clinician="clinician")

    clinician = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="digests")
    sent_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Who stood in for them. Empty: they were told themselves.",
    )
    iso_year = models.PositiveSmallIntegerField()
    iso_week = models.PositiveSmallIntegerField()
    sent_for = models.DateField(help_text="The local date it was composed on.")
    message = models.OneToOneField(OutboxMessage, null=True, on_delete=models.SET_NULL, related_name="+")
    content = models.JSONField(default=dict, help_text="Ids of the cases named, by section.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-iso_year", "-iso_week")
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "clinician", "iso_year", "iso_week"],
                name="digest_once_per_clinician_and_week",
            )
        ]

    def __str__(self) -> str:
        return f"Digest {self.iso_year}-W{self.iso_week:02} of {self.clinician}"


class ContactLogQuerySet(ScopedQuerySet):
    """Filters on what was logged."""

    def contacts(self) -> ContactLogQuerySet:
        return self.exclude(kind=ContactLog.Kind.NOTE)

    def notes(self) -> ContactLogQuerySet:
        return self.filter(kind=ContactLog.Kind.NOTE)


class ContactLog(ClinicRow):
    """A call or message with a patient, logged by anyone of the clinic; or a clinician's note, no contact."""

    class Kind(models.TextChoices):
        CALL = "call", "Call"
        NO_ANSWER = "no_answer", "Call, no answer"
        MESSAGE = "message", "Message"
        VISIT = "visit", "Visit"
        NOTE = "note", "Note"

    objects = ContactLogQuerySet.as_manager()
    scope = Scope(clinician="episode__clinician", patient="episode__patient")

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="contacts")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    minutes = models.PositiveSmallIntegerField(null=True, blank=True, help_text="How long it took.")
    is_live = models.BooleanField(
        default=False, db_default=False, help_text="They spoke with each other at the same time."
    )
    note = EncryptedTextField(blank=True, max_length=4000)

    class Meta:
        ordering = ("-at",)
        constraints = [
            models.CheckConstraint(
                condition=Q(minutes=None) | Q(minutes__range=(1, 480)), name="contact_minutes_of_a_day"
            ),
            models.CheckConstraint(
                condition=Q(is_live=False) | Q(kind__in=["call", "visit"]), name="contact_live_if_spoken"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on {self.at:%-d %b %Y}"
