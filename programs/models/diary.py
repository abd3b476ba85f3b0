"""What the patient reports: check-ins, exercise sessions, runs.

The server makes a ``CheckInRequest``; the client makes an ``Answer`` (several a day, its request
optional). Each client row is unique per patient and client UUID, so a retry is harmless; ``body_hash``
tells a retry from another body under the same UUID.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Max, Q
from django.db.models.functions import Now

from clinic.fields import PainField, between
from clinic.sealed import EncryptedTextField
from clinic.tenancy import ClinicRow, Scope, ScopedQuerySet
from patients.models import Episode, Patient
from patients.models.assessments import codes
from patients.vocabulary import PainLocation, Side
from programs.models.plan import Program, ProgramDose
from programs.models.watch import RelapseWatch
from programs.rules.progression import Against, Terrain


def recall() -> models.PositiveSmallIntegerField:
    """The days up to the answer that a score is of; what was asked before it was kept was asked of one."""
    return models.PositiveSmallIntegerField(
        "recall window", default=1, db_default=1, editable=False, help_text="Days the question looks back."
    )


class CheckInRequestQuerySet(ScopedQuerySet):
    """Filters on requests."""

    def open(self) -> CheckInRequestQuerySet:
        return self.filter(state=CheckInRequest.State.OPEN)


class CheckInRequest(ClinicRow):
    """The question of one local date: worst pain over ``recall_days``. Once per program and date."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ANSWERED = "answered", "Answered"
        MISSED = "missed", "Missed"

    scope = Scope(clinician="program__episode__clinician", patient="program__episode__patient")

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="requests")
    local_date = models.DateField()
    due_at = models.DateTimeField(help_text="The slot it was asked for.")
    remind_at = models.DateTimeField(null=True, blank=True, help_text="When to remind; empty once done.")
    missed_at = models.DateTimeField(help_text="Unanswered then, it counts as missed.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    answered_at = models.DateTimeField(null=True, blank=True)
    watch = models.ForeignKey(
        RelapseWatch,
        null=True,
        blank=True,
        editable=False,
        db_index=False,  # always looked for among one program's few
        on_delete=models.PROTECT,
        related_name="requests",
        help_text="Asked after discharge, by this watch.",
    )
    recall_days = recall()

    objects = CheckInRequestQuerySet.as_manager()

    class Meta:
        ordering = ("-local_date",)
        constraints = [
            models.UniqueConstraint(
                fields=["program", "local_date"], name="request_once_per_program_and_date"
            ),
            models.CheckConstraint(
                condition=Q(state="answered", answered_at__isnull=False)
                | (~Q(state="answered") & Q(answered_at=None)),
                name="request_answered_has_time",
            ),
            models.CheckConstraint(condition=Q(missed_at__gt=F("due_at")), name="request_missed_after_due"),
            models.CheckConstraint(condition=Q(recall_days__range=(1, 7)), name="request_recall_of_a_week"),
        ]
        indexes = [
            models.Index(fields=["remind_at"], name="request_remind_due", condition=Q(state="open")),
            models.Index(fields=["missed_at"], name="request_missed_due", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"Check-in of {self.local_date:%-d %b %Y}"


class ClientRow(ClinicRow):
    """A row the client made: its UUID, when it happened (patient's local date), when it arrived."""

    scope = Scope(clinician="episode__clinician", patient="patient")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="%(class)ss")
    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="%(class)ss")
    program = models.ForeignKey(
        Program, null=True, blank=True, on_delete=models.PROTECT, related_name="%(class)ss"
    )
    client_id = models.UUIDField()
    body_hash = models.CharField(max_length=64, editable=False)
    occurred_at = models.DateTimeField()
    local_date = models.DateField()
    received_at = models.DateTimeField(db_default=Now())
    corrects = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrected_by"
    )
    red_flags = codes()
    worse_red_flags = codes(help_text="Of these, cleared before by a clinician and worse since.")
    limping = models.BooleanField(default=False)
    note = EncryptedTextField(blank=True, max_length=2000)

    class Meta:
        abstract = True
        ordering = ("-occurred_at", "-id")


class ClientRowQuerySet(ScopedQuerySet):
    """Filters on client rows."""

    def current(self) -> ClientRowQuerySet:
        """Rows that count: not corrected by a later one."""
        return self.filter(corrected_by=None)


@dataclass(frozen=True, slots=True)
class DayPain:
    """One day of a case: the maximum of the day's answers that count, per knee. NPRS 0-10. ``recall_days`` is
    the longest window that one of them looks back over.
    """

    case: int
    on: date
    worst_left: Decimal | None
    worst_right: Decimal | None
    usual_left: Decimal | None
    usual_right: Decimal | None
    recall_days: int = 1

    def worst(self, side: str) -> Decimal | None:
        return self.worst_left if side == Side.LEFT else self.worst_right

    def usual(self, side: str) -> Decimal | None:
        return self.usual_left if side == Side.LEFT else self.usual_right


def worst_by_date(days: Iterable[DayPain], side: str) -> dict[date, Decimal]:
    """Worst pain of one knee, where it was told."""
    found = ((day.on, day.worst(side)) for day in days)
    return {on: worst for on, worst in found if worst is not None}


class AnswerQuerySet(ClientRowQuerySet):
    """Filters on answers, and their daily values."""

    def by_day(self) -> list[DayPain]:
        """Each day of each case that has a score, in order; aggregated where the rows are."""
        rows = (
            self.current()
            .filter(Q(worst_left__isnull=False) | Q(worst_right__isnull=False))
            .order_by("episode_id", "local_date")
            .values_list("episode_id", "local_date")
            .annotate(
                *(Max(name) for name in ("worst_left", "worst_right", "usual_left", "usual_right")),
                Max("recall_days"),
            )
        )
        return [DayPain(*row) for row in rows]


class Answer(ClientRow):
    """Worst and usual pain of the last ``recall_days``, per knee. Counts on ``local_date``.

    Without a score it reports a red flag, ticked or (under 18) a limp: told at once, number or not.
    """

    request = models.ForeignKey(
        CheckInRequest, null=True, blank=True, on_delete=models.PROTECT, related_name="answers"
    )
    worst_left = PainField(null=True, blank=True)
    worst_right = PainField(null=True, blank=True)
    usual_left = PainField(null=True, blank=True)
    usual_right = PainField(null=True, blank=True)
    locations_left = codes(PainLocation)
    locations_right = codes(PainLocation)
    back_to_activity = models.BooleanField(
        "back to what they want to do", null=True, blank=True, help_text="Asked after discharge only."
    )
    recall_days = recall()

    objects = AnswerQuerySet.as_manager()

    class Meta(ClientRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["patient", "client_id"], name="answer_once_per_client_id"),
            between("answer", 0, 10, "worst_left", "worst_right", "usual_left", "usual_right"),
            models.CheckConstraint(
                condition=Q(worst_left__isnull=False)
                | Q(worst_right__isnull=False)
                | ~Q(red_flags=[])
                | Q(limping=True),
                name="answer_has_a_score_or_red_flag",
            ),
            models.CheckConstraint(condition=Q(recall_days__range=(1, 7)), name="answer_recall_of_a_week"),
            models.CheckConstraint(
                condition=(Q(usual_left=None) | Q(worst_left=None) | Q(usual_left__lte=F("worst_left")))
                & (Q(usual_right=None) | Q(worst_right=None) | Q(usual_right__lte=F("worst_right"))),
                name="answer_usual_not_above_worst",
            ),
        ]
        indexes = [
            # A case's diary by day: reviews, charts.
            models.Index(fields=["episode", "local_date"], name="answer_by_case_and_day"),
            # What is new of each case on a caseload.
            models.Index(fields=["episode", "received_at"], name="answer_by_case_and_arrival"),
        ]

    def __str__(self) -> str:
        return f"Answer of {self.local_date:%-d %b %Y}"


class Effort(ClientRow):
    """What sessions and runs share: pain before, during and the next morning, for the 24-hour rule."""

    pain_before = PainField(null=True, blank=True)
    pain_during = PainField()
    pain_next_morning = PainField(null=True, blank=True)
    pain_rising = models.BooleanField("pain rose during it", default=False)

    class Meta(ClientRow.Meta):
        abstract = True


class Session(Effort):
    """One exercise session; which exercises were done is in ``SessionExercise``."""

    is_strength = models.BooleanField(default=True)

    objects = ClientRowQuerySet.as_manager()

    class Meta(Effort.Meta):
        constraints = [
            models.UniqueConstraint(fields=["patient", "client_id"], name="session_once_per_client_id"),
            between("session", 0, 10, "pain_before", "pain_during", "pain_next_morning"),
        ]
        indexes = [models.Index(fields=["episode", "local_date"], name="session_by_case_and_day")]

    def __str__(self) -> str:
        return f"Session of {self.local_date:%-d %b %Y}"


class SessionExercise(ClinicRow):
    """One exercise of a session, as done."""

    scope = Scope(clinician="session__episode__clinician", patient="session__patient")

    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="exercises")
    dose = models.ForeignKey(ProgramDose, on_delete=models.PROTECT, related_name="+")
    sets_done = models.PositiveSmallIntegerField(validators=[MaxValueValidator(50)])
    reps_done = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(500)])
    seconds_done = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(7200)]
    )
    load_kg = models.DecimalField(
        max_digits=5,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(500)],
    )

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["session", "dose"], name="session_exercise_once"),
            between("session_exercise", 0, 500, "load_kg"),
        ]

    def __str__(self) -> str:
        return f"{self.dose.exercise} x {self.sets_done}"


class Run(Effort):
    """A run: distance in km, minutes, and the ladder step it was, if any."""

    distance_km = models.DecimalField(
        max_digits=5, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(300)]
    )
    minutes = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(2000)])
    ladder_step = models.PositiveSmallIntegerField(null=True, blank=True)
    terrain = codes(Terrain, db_default=[], help_text="Where it led; empty: flat ground.")
    against = codes(
        Against, db_default=[], editable=False, help_text="What it went against on the day it was told."
    )

    objects = ClientRowQuerySet.as_manager()

    class Meta(Effort.Meta):
        constraints = [
            models.UniqueConstraint(fields=["patient", "client_id"], name="run_once_per_client_id"),
            between("run", 0, 10, "pain_before", "pain_during", "pain_next_morning"),
            between("run", 0, 300, "distance_km"),
        ]
        indexes = [models.Index(fields=["episode", "local_date"], name="run_by_case_and_day")]

    def __str__(self) -> str:
        return f"Run of {self.distance_km} km on {self.local_date:%-d %b %Y}"
