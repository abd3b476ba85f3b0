"""The library a program is copied from: exercises and templates, global or a clinic's own."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from clinic.tenancy import ClinicRow, Scope, ScopedQuerySet
from patients.vocabulary import Diagnosis, MuscleGroup
from programs.library import drawing_of
from programs.rules.library.shapes import STRENGTHENING
from programs.rules.matching import Target, targets


class LibraryQuerySet(ScopedQuerySet):
    """Global rows are everybody's to read; a clinic's own rows are its members' only."""

    def scoped(self, user: Any) -> Self:
        if not getattr(user, "is_authenticated", False) or not user.is_active:
            return self.none()
        return self.filter(Q(clinic=None) | Q(clinic__in=user.seen_clinic_ids))

    def usable_by(self, clinic: Any) -> Self:
        """What this clinic may assign: the global library and its own."""
        return self.filter(Q(clinic=None) | Q(clinic=clinic))


class LibraryRow(models.Model):
    """``clinic`` empty means the global starter library."""

    scope = Scope()

    clinic = models.ForeignKey(
        "clinic.Clinic", null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=120)
    version = models.PositiveIntegerField(
        default=1, db_default=1, editable=False, help_text="Rises with each change of its content."
    )
    copied_from = models.SlugField(
        max_length=80,
        blank=True,
        db_default="",
        db_index=False,  # nobody looks a row up by it
        editable=False,
        help_text="Of the starter library.",
    )
    copied_version = models.PositiveIntegerField(null=True, blank=True, editable=False)

    objects = LibraryQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class Exercise(LibraryRow):
    """An exercise with its cues. ``easier`` / ``harder`` are slugs of its neighbours."""

    class Kind(models.TextChoices):
        STRENGTH = "strength", "Strength"
        ISOMETRIC = "isometric", "Isometric"
        PLYOMETRIC = "plyometric", "Plyometric"
        STRETCH = "stretch", "Stretch"
        RUNNING = "running", "Running"
        MOBILITY = "mobility", "Mobility"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    muscle_groups = ArrayField(
        models.CharField(max_length=30, choices=MuscleGroup.choices()), default=list, blank=True
    )
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    cues = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    equipment = models.CharField(max_length=200, blank=True)
    per_side = models.BooleanField(default=False)
    easier = models.SlugField(max_length=80, blank=True)
    harder = models.SlugField(max_length=80, blank=True)
    source = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "slug"], name="exercise_slug_once", nulls_distinct=False
            )
        ]

    @property
    def strengthens(self) -> frozenset[MuscleGroup]:
        """The muscle groups it makes stronger: a stretch or a run makes none."""
        return frozenset(map(MuscleGroup, self.muscle_groups)) if self.kind in STRENGTHENING else frozenset()

    @property
    def targets(self) -> frozenset[Target]:
        """What it is for, as the coverage of a program counts."""
        return targets(self.strengthens, self.tags)

    @property
    def trained(self) -> list[str]:
        """The muscle groups in words."""
        return [MuscleGroup(group).label for group in self.muscle_groups]

    @property
    def drawing(self) -> str | None:
        """The static path of its drawing. A clinic's own exercise has none, whatever its name."""
        return None if self.clinic_id else drawing_of(self.slug)


class Template(LibraryRow):
    """A program to copy from. ``drivers`` maps a driver it targets to its weight, 1-3."""

    summary = models.TextField(blank=True)
    diagnoses = ArrayField(models.CharField(max_length=30, choices=Diagnosis.choices()), default=list)
    drivers = models.JSONField(default=dict, blank=True)
    quadriceps_only = models.BooleanField(default=False)
    deep_flexion = models.BooleanField(default=False)
    maintenance = models.BooleanField(
        default=False, help_text="For after discharge; never suggested for pain."
    )
    strength_per_week = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(7)]
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "slug"], name="template_slug_once", nulls_distinct=False
            )
        ]


class TemplateVersion(models.Model):
    """A former version of a template: what it held until somebody changed it."""

    scope = Scope(clinic="template__clinic")

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="former")
    number = models.PositiveIntegerField()
    content = models.JSONField()
    replaced_at = models.DateTimeField(db_default=Now())
    replaced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="template_version_number_once")
        ]

    def __str__(self) -> str:
        return f"Version {self.number}"


class Clip(ClinicRow):
    """The clinic's own film of an exercise, of the starter library too."""

    exercise = models.ForeignKey(Exercise, on_delete=models.PROTECT, related_name="clips")
    url = models.CharField(max_length=500)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "exercise"], name="clip_once_per_exercise")]

    def __str__(self) -> str:
        return self.url


class StageText(models.Model):
    """What a template's stage and its copy in a program share."""

    told_by = ("name",)
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    goal = models.TextField(blank=True)
    advice = models.TextField(blank=True)
    min_days = models.PositiveSmallIntegerField(default=7, help_text="Least days here before the next stage.")
    max_weeks = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Longer asks 'under-loaded?'."
    )
    is_running = models.BooleanField(
        default=False, help_text="Return to running: opened by the running gate."
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class DoseText(models.Model):
    """How much of an exercise: sets of repetitions or of seconds, and how often."""

    told_by = ("exercise__name", "stage__name")
    """In the history of the page: what a change is about."""

    position = models.PositiveSmallIntegerField(default=0)
    sets = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    reps_low = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(200)])
    reps_high = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(200)])
    seconds_low = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(7200)]
    )
    seconds_high = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(7200)]
    )
    per_side = models.BooleanField(default=False)
    times_per_week = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(14)], help_text="7 = daily."
    )
    tempo = models.CharField(max_length=80, blank=True)
    note = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=100, blank=True)

    class Meta:
        abstract = True

    def clean(self) -> None:
        for kind in ("reps", "seconds"):
            low, high = getattr(self, f"{kind}_low"), getattr(self, f"{kind}_high")
            if low and high and low > high:
                raise ValidationError({f"{kind}_high": f"must not be below the lower number ({low})."})

    @property
    def text(self) -> str:
        """The dose as a physio writes it: ``3 x 8 per side``, ``5 x 30-45 s``."""
        amount = _range(self.reps_low, self.reps_high)
        if not amount and self.seconds_low:
            amount = _time(self.seconds_low, self.seconds_high)
        text = " x ".join(part for part in (str(self.sets or ""), amount) if part)
        return f"{text} per side" if text and self.per_side else text

    @property
    def frequency(self) -> str:
        return "daily" if self.times_per_week == 7 else f"{self.times_per_week} x a week"


def _range(low: int | None, high: int | None) -> str:
    if not low:
        return ""
    return f"{low}-{high}" if high and high != low else str(low)


def _time(low: int, high: int | None) -> str:
    """Two minutes and more in minutes, where that is exact."""
    whole = all(seconds % 60 == 0 for seconds in (low, high or low))
    if low >= 120 and whole:
        return f"{_range(low // 60, high and high // 60)} min"
    return f"{_range(low, high)} s"


class Stage(StageText):
    """A stage of a template."""

    scope = Scope(clinic="template__clinic")

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="stages")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ("number",)
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="stage_number_once")]


class Dose(DoseText):
    """An exercise in a template's stage."""

    scope = Scope(clinic="stage__template__clinic")

    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="doses")
    exercise = models.ForeignKey(Exercise, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ("position", "id")

    def __str__(self) -> str:
        return f"{self.exercise} {self.text}"
