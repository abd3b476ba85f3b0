"""A patient's own program: the individual copy of a template, with its stages, pauses and holds."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from clinic.sealed import EncryptedCharField, EncryptedTextField
from clinic.tenancy import ClinicRow, Scope, ScopedQuerySet
from clinic.thresholds import Thresholds
from patients.models import Episode
from programs.models.library import DoseText, Exercise, StageText, Template
from programs.models.standing import Standing
from programs.rules.pain import Activity
from programs.rules.progression import Terrain


class ProgramQuerySet(ScopedQuerySet):
    """Filters on programs."""

    def active(self) -> ProgramQuerySet:
        return self.filter(ended_on=None)

    def treating(self) -> ProgramQuerySet:
        """Programs that treat or treated; not what was handed out at discharge."""
        return self.filter(is_maintenance=False)

    def drafts(self) -> ProgramQuerySet:
        """Prepared, and not sent to the patient yet."""
        return self.filter(is_draft=True)

    def awake(self) -> ProgramQuerySet:
        """Active programs that ask and alert; an imported one sleeps until a clinician wakes it."""
        return self.active().filter(asleep=False, clinic__is_active=True)


_Programs = models.Manager.from_queryset(ProgramQuerySet)


class SentPrograms(_Programs):
    """Without drafts. Being the default manager it also stands behind ``episode.programs``, so that whoever
    forgets that there are drafts does not ask, review or show one.
    """

    def get_queryset(self) -> ProgramQuerySet:
        queryset: ProgramQuerySet = super().get_queryset()
        return queryset.filter(is_draft=False)


class Program(Standing, ClinicRow):
    """The program of one case, editable without touching its template. A case has at most one active,
    and beside it at most one draft: prepared for this person and not sent yet, it is found by ``with_drafts``
    only, and nothing is asked, judged or shown for it; its dates count from the day it is sent.

    ``untreated_reasons`` says why a measured deficit has no exercise: "calf: a scar", a line a muscle group.

    ``next_check_in_at`` is the next slot to ask at; the sweep asks when it has passed.
    ``fair_trial_on`` restarts the stall clock, declared by a clinician with a reason, once per case.
    """

    scope = Scope(clinician="episode__clinician", patient="episode__patient")

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="programs")
    template = models.ForeignKey(
        Template, null=True, on_delete=models.SET_NULL, related_name="programs", editable=False
    )
    template_version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    name = models.CharField(max_length=120)
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    started_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True, editable=False)
    end_reason = models.CharField(max_length=200, blank=True, editable=False)
    current_stage = models.PositiveSmallIntegerField(default=1, editable=False)
    stage_started_on = models.DateField(editable=False)
    strength_per_week = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(7)]
    )
    check_in_weekdays = ArrayField(
        models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(7)]),
        null=True,
        blank=True,
        help_text="Monday = 1. Empty: as the clinic.",
    )
    check_in_time = models.TimeField(
        null=True, blank=True, help_text="Patient's local time. Empty: as the clinic."
    )
    testing_run_gate = models.BooleanField(
        "test the running gate", default=False, help_text="Ask every day until the symptom-free days are met."
    )
    ladder_step = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Step of the running ladder."
    )
    open_terrain = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        editable=False,
        choices=Terrain.choices(),
        help_text="Of who keeps running: the last lock that was opened; empty: as at the start.",
    )
    is_maintenance = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="For after discharge: handed out when the case closed, never reviewed.",
    )
    asleep = models.BooleanField(default=False, editable=False, help_text="Imported: no prompts, no alerts.")
    is_draft = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Prepared, not sent to the patient yet."
    )
    next_check_in_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_review_on = models.DateField(null=True, blank=True, editable=False)
    fair_trial_on = models.DateField(null=True, blank=True, editable=False)
    fair_trial_reason = EncryptedCharField(max_length=300, blank=True, editable=False)
    untreated_reasons = EncryptedTextField(blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = SentPrograms()
    with_drafts = ProgramQuerySet.as_manager()

    class Meta:
        ordering = ("-started_on", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=["episode"],
                condition=Q(ended_on=None, is_draft=False),
                name="program_one_running_per_case",
                violation_error_message="This case already has an active program.",
            ),
            models.UniqueConstraint(
                fields=["episode"],
                condition=Q(is_draft=True),
                name="program_one_draft_per_case",
                violation_error_message="A program is already being prepared for this case.",
            ),
            models.CheckConstraint(
                # A draft neither asks nor is judged, whatever a sweep looks for.
                condition=Q(is_draft=False)
                | Q(ended_on=None, next_check_in_at=None, next_review_on=None, fair_trial_on=None),
                name="program_draft_is_still",
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__gte=F("started_on")),
                name="program_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(fair_trial_on=None) | ~Q(fair_trial_reason=""),
                name="program_fair_trial_has_reason",
            ),
            # A closed case has no active program: what it was given to keep up is over as it begins.
            models.CheckConstraint(
                condition=Q(is_maintenance=False) | Q(ended_on__isnull=False),
                name="program_maintenance_never_active",
            ),
        ]
        indexes = [
            # The check-in sweep: whose next slot has passed.
            models.Index(
                fields=["next_check_in_at"],
                name="program_check_in_due",
                condition=Q(ended_on=None, asleep=False),
            ),
            # The daily review.
            models.Index(
                fields=["next_review_on"], name="program_review_due", condition=Q(ended_on=None, asleep=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Sent, and not ended."""
        return self.ended_on is None and not self.is_draft

    @property
    def thresholds(self) -> Thresholds:
        return self.episode.thresholds


class ProgramStage(StageText, ClinicRow):
    """A stage of this program."""

    scope = Scope(clinician="program__episode__clinician", patient="program__episode__patient")

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="stages")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ("number",)
        constraints = [
            models.UniqueConstraint(fields=["program", "number"], name="program_stage_number_once")
        ]


class ProgramDose(DoseText, ClinicRow):
    """An exercise of this program, as dosed for this person. Taken out, it stays for the record."""

    scope = Scope(clinician="stage__program__episode__clinician", patient="stage__program__episode__patient")

    stage = models.ForeignKey(ProgramStage, on_delete=models.CASCADE, related_name="doses")
    exercise = models.ForeignKey(Exercise, on_delete=models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ("position", "id")

    def __str__(self) -> str:
        return f"{self.exercise} {self.text}"


class StageMove(ClinicRow):
    """A move between stages: who, when, why, and which criteria were unmet."""

    scope = Scope(clinician="program__episode__clinician", patient="program__episode__patient")

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="stage_moves")
    from_stage = models.PositiveSmallIntegerField()
    to_stage = models.PositiveSmallIntegerField()
    moved_on = models.DateField()
    moved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    unmet = models.JSONField(default=list, blank=True)
    override_reason = EncryptedCharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("-moved_on", "-id")
        constraints = [
            models.CheckConstraint(
                condition=Q(unmet=[]) | ~Q(override_reason=""),
                name="stage_move_override_has_reason",
                violation_error_message="Moving past unmet criteria needs a written reason.",
            )
        ]

    def __str__(self) -> str:
        return f"Stage {self.from_stage} to {self.to_stage}"


class LoadDecision(ClinicRow):
    """What a clinician decided on the load of one activity: who, when, why, and against which limits.

    ``before`` and ``after`` are steps of the ladder, tracks or terrains, empty for none; ``changes`` the
    doses in words. ``proposal`` is what the rule proposed, ``grounds`` its reasons then.
    """

    class What(models.TextChoices):
        DOSE = "dose", "Dose"
        HOLD = "hold", "Held"
        LADDER = "ladder", "Ladder"
        TRACK = "track", "Running track"
        TERRAIN = "terrain", "Lock opened"

    scope = Scope(clinician="program__episode__clinician", patient="program__episode__patient")

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="load_decisions")
    activity = models.CharField(max_length=10, choices=Activity.choices())
    what = models.CharField(max_length=10, choices=What.choices)
    proposal = models.CharField(max_length=10, blank=True)
    before = models.CharField(max_length=20, blank=True)
    after = models.CharField(max_length=20, blank=True)
    changes = models.JSONField(default=list, blank=True)
    grounds = models.JSONField(default=list, blank=True)
    against = models.JSONField(default=list, blank=True)
    reason = EncryptedCharField(max_length=300, blank=True)
    decided_on = models.DateField()
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-decided_at", "-id")
        constraints = [
            models.CheckConstraint(
                condition=(Q(against=[]) & ~Q(what="track")) | ~Q(reason=""),
                name="load_decision_against_has_reason",
                violation_error_message="Going past a limit, or to the other track, needs a written reason.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_what_display()} on {self.decided_on:%-d %b %Y}"


class Pause(ClinicRow):
    """Days that do not count: holiday, illness. ``ends_on`` is the first day back, empty while it lasts."""

    class Kind(models.TextChoices):
        HOLIDAY = "holiday", "Holiday"
        ILLNESS = "illness", "Illness"
        OTHER = "other", "Other"

    scope = Scope(clinician="program__episode__clinician", patient="program__episode__patient")

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="pauses")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    note = EncryptedCharField(max_length=300, blank=True)
    paused_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("starts_on",)
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gt=F("starts_on")),
                name="pause_ends_after_it_starts",
                violation_error_message="The first day back must be after the pause starts.",
            ),
            models.UniqueConstraint(
                fields=["program"],
                condition=Q(ends_on=None),
                name="pause_one_open_per_program",
                violation_error_message="The program is already paused.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} from {self.starts_on:%-d %b %Y}"

    def covers(self, day: date) -> bool:
        """Whether that date, of the patient, is a day off."""
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)


class Hold(ClinicRow):
    """The program stands still for a red flag until a physio or owner clears it, with a finding."""

    scope = Scope(clinician="program__episode__clinician", patient="program__episode__patient")

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="holds")
    since = models.DateTimeField()
    red_flags = ArrayField(models.CharField(max_length=50))
    reason = models.CharField(max_length=500)
    cleared_at = models.DateTimeField(null=True, blank=True)
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    finding = EncryptedTextField(blank=True)

    class Meta:
        ordering = ("-since",)
        constraints = [
            models.UniqueConstraint(
                fields=["program"], condition=Q(cleared_at=None), name="hold_one_open_per_program"
            ),
            models.CheckConstraint(
                condition=Q(cleared_at=None)
                | (Q(cleared_at__isnull=False, cleared_by__isnull=False) & ~Q(finding="")),
                name="hold_cleared_with_finding",
                violation_error_message="Clearing a red flag needs a finding.",
            ),
        ]

    def __str__(self) -> str:
        return f"Hold since {self.since:%-d %b %Y}"
