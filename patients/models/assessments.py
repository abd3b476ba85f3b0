"""An assessment and its typed measurements. Derived values are computed by ``patients.scoring``."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from clinic.fields import PainField, between
from clinic.sealed import EncryptedCharField, EncryptedTextField
from clinic.tenancy import ClinicRow, Scope
from patients.models.people import Episode
from patients.vocabulary import (
    AssessmentKind,
    LoadChange,
    MovementKind,
    MuscleGroup,
    OutcomeMeasure,
    PainLocation,
    QAnglePosition,
    QAngleQuadriceps,
    RiskFactor,
    Side,
    StrengthMethod,
    StrengthUnit,
    Term,
    TightStructure,
)


def codes(terms: type[Term] | None = None, **kwargs: object) -> ArrayField:
    """A list of codes, empty by default; of ``terms`` where a vocabulary is named."""
    base = models.CharField(max_length=50, choices=terms.choices() if terms else None)
    return ArrayField(base, default=list, blank=True, **kwargs)


class Assessment(ClinicRow):
    """What was found on one day. Pain is worst / usual / now on the NPRS for the index knee."""

    scope = Scope(clinician="episode__clinician", patient="episode__patient")

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="assessments")
    kind = models.CharField(
        max_length=20, choices=AssessmentKind.choices(), default=AssessmentKind.INTAKE.value
    )
    assessed_on = models.DateField()
    assessed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    version = models.PositiveIntegerField(
        default=1, db_default=1, editable=False, help_text="Goes up with each save: nobody overwrites unseen."
    )
    signed_at = models.DateTimeField(null=True, blank=True, editable=False)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        editable=False,
    )

    # Red-flag screen first
    red_flags = codes(help_text="Symptoms of clinical.md 1, either tier.")
    red_flag_note = EncryptedTextField(blank=True)
    hip_examined = models.BooleanField(
        "hip examined (internal rotation, gait)",
        default=False,
        help_text="Required under 18 before any match.",
    )
    hip_findings = models.BooleanField(
        "limp, hip pain or lost hip rotation",
        default=False,
        help_text="Under 18: no weight-bearing, imaging today.",
    )
    risk_factors = codes(RiskFactor)

    # Pain
    locations = codes(PainLocation)
    other_knee_locations = codes(PainLocation)
    worst_pain = PainField("worst pain, last 3 days", null=True, blank=True)
    usual_pain = PainField("usual pain, last 3 days", null=True, blank=True)
    pain_now = PainField(null=True, blank=True)
    worst_pain_week = PainField("worst pain, last 7 days", null=True, blank=True)
    usual_pain_week = PainField("usual pain, last 7 days", null=True, blank=True)
    other_knee_worst_pain = PainField("other knee: worst pain, last 3 days", null=True, blank=True)

    # Behaviour
    pain_stairs_down = models.BooleanField(default=False)
    pain_stairs_up = models.BooleanField(default=False)
    pain_downhill = models.BooleanField(default=False)
    pain_squat = models.BooleanField(default=False)
    pain_lunge = models.BooleanField(default=False)
    pain_sitting = models.BooleanField("pain on prolonged sitting", default=False)
    sitting_tolerance_min = models.PositiveSmallIntegerField("sitting tolerated (min)", null=True, blank=True)
    pain_start_up = models.BooleanField("start-up pain", default=False)
    pain_at_rest = models.BooleanField(default=False)
    crepitus = models.BooleanField(default=False)
    pain_first_km = models.BooleanField("pain in the first kilometre", default=False)
    pain_end_of_run = models.BooleanField("pain again at the end of the run", default=False)
    pain_only_after_run = models.BooleanField("pain only after the run", default=False)
    other_causes_excluded = models.BooleanField(default=False)

    # Patella and running
    patella_alta = models.BooleanField(default=False)
    patella_tilt = models.BooleanField("lateral patellar tilt", default=False)
    patella_rotation = models.BooleanField("patellar rotation", default=False)
    patella_maltracking = models.BooleanField("patellar maltracking", default=False)
    cadence_spm = models.PositiveSmallIntegerField(
        "cadence at easy pace (steps/min)",
        null=True,
        blank=True,
        validators=[MinValueValidator(100), MaxValueValidator(260)],
    )
    overstriding = models.BooleanField(default=False)
    crossover = models.BooleanField("crossover gait", default=False)
    pelvic_drop = models.BooleanField(default=False)
    hip_adduction = models.BooleanField("hip adduction or internal rotation", default=False)
    peak_knee_flexion_deg = models.DecimalField(
        max_digits=4,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(160)],
    )
    form_breaks_late = models.BooleanField("form falls apart late in long runs", default=False)

    # Load
    body_mass_kg = models.DecimalField(
        max_digits=4,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(20), MaxValueValidator(300)],
    )
    weekly_km_now = models.DecimalField(
        max_digits=4,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(400)],
    )
    weekly_km_before = models.DecimalField(
        "weekly km before onset",
        max_digits=4,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(400)],
    )
    load_changes = codes(LoadChange)
    sleep_hours = models.DecimalField(
        max_digits=3,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(24)],
    )
    stress = PainField("stress, 0-10", null=True, blank=True)
    shoe_age_months = models.PositiveSmallIntegerField(null=True, blank=True)
    shoe_km = models.PositiveIntegerField(null=True, blank=True)
    shoe_wrong_fit = models.BooleanField("shoes: wrong size or type", default=False)
    notes = EncryptedTextField(blank=True)

    class Meta:
        ordering = ("-assessed_on", "-id")
        constraints = [
            between(
                "assessment",
                0,
                10,
                "worst_pain",
                "usual_pain",
                "pain_now",
                "worst_pain_week",
                "usual_pain_week",
                "other_knee_worst_pain",
                "stress",
            ),
            between("assessment", 100, 260, "cadence_spm"),
            between("assessment", 20, 300, "body_mass_kg"),
            between("assessment", 0, 400, "weekly_km_now", "weekly_km_before"),
            between("assessment", 0, 24, "sleep_hours"),
            between("assessment", 0, 160, "peak_knee_flexion_deg"),
            models.CheckConstraint(
                condition=Q(signed_at=None, signed_by=None)
                | Q(signed_at__isnull=False, signed_by__isnull=False),
                name="assessment_signed_by_somebody",
            ),
        ]

    @property
    def patient_age(self) -> int | None:
        """In whole years on the day of the assessment. One dated before its case counts as of the day when
        that was opened: a slip of the year makes nobody a child.
        """
        return self.episode.patient.age_on(max(self.assessed_on, self.episode.opened_on))

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.assessed_on:%-d %b %Y}"

    @property
    def is_signed(self) -> bool:
        return self.signed_at is not None


class Measurement(ClinicRow):
    """A typed measurement of an assessment."""

    scope = Scope(clinician="assessment__episode__clinician", patient="assessment__episode__patient")

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="%(class)ss")

    class Meta:
        abstract = True
        ordering = ("id",)


class QAngle(Measurement):
    """Q-angle of one side, degrees. Shown; never the sole reason for a match or an alert."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="q_angles")
    side = models.CharField(max_length=10, choices=Side.choices())
    degrees = models.DecimalField(
        max_digits=4, decimal_places=1, validators=[MinValueValidator(-10), MaxValueValidator(45)]
    )
    position = models.CharField(max_length=10, choices=QAnglePosition.choices())
    quadriceps = models.CharField(max_length=10, choices=QAngleQuadriceps.choices())
    notes = EncryptedTextField(blank=True)

    class Meta(Measurement.Meta):
        verbose_name = "Q-angle"
        constraints = [between("q_angle", -10, 45, "degrees")]

    def __str__(self) -> str:
        return f"Q-angle {self.side} {self.degrees} degrees ({self.position}, {self.quadriceps})"


class StrengthTest(Measurement):
    """One strength test: raw value and how it was taken. Lever arm in metres."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="strength_tests")
    muscle_group = models.CharField(max_length=30, choices=MuscleGroup.choices())
    side = models.CharField(max_length=10, choices=Side.choices())
    method = models.CharField(max_length=30, choices=StrengthMethod.choices())
    value = models.DecimalField(
        max_digits=6, decimal_places=1, validators=[MinValueValidator(0), MaxValueValidator(2000)]
    )
    unit = models.CharField(max_length=10, choices=StrengthUnit.choices())
    lever_arm_m = models.DecimalField(
        "lever arm (m)",
        max_digits=3,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0.05), MaxValueValidator(1)],
    )
    position = models.CharField(max_length=100, blank=True)
    fixation = models.CharField(max_length=100, blank=True)

    class Meta(Measurement.Meta):
        constraints = [
            between("strength_test", 0, 2000, "value"),
            between("strength_test", "0.05", 1, "lever_arm_m"),
            models.CheckConstraint(
                condition=~Q(unit="grade") | Q(value__lte=5),
                name="strength_test_grade_up_to_5",
                violation_error_message="A manual grade is 0 to 5.",
            ),
            models.CheckConstraint(
                condition=Q(unit="grade", method="manual_grade")
                | (~Q(unit="grade") & ~Q(method="manual_grade")),
                name="strength_test_grade_is_manual",
                violation_error_message="A manual test is given as a grade, any other as N, kgf or Nm.",
            ),
            models.UniqueConstraint(
                fields=["assessment", "muscle_group", "side", "method", "position"],
                name="strength_test_once_per_side",
                violation_error_message="This test of this side is already there.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_muscle_group_display()} {self.side}: {self.value} {self.get_unit_display()}"


class AggravatingActivity(Measurement):
    """An item of the patient's own list; ``ability`` is its PSFS score."""

    assessment = models.ForeignKey(
        Assessment, on_delete=models.PROTECT, related_name="aggravating_activities"
    )
    activity = EncryptedCharField(max_length=200)
    pain = PainField(null=True, blank=True)
    minutes_until_pain = models.PositiveSmallIntegerField(null=True, blank=True)
    ability = PainField("PSFS ability, 0-10", null=True, blank=True)

    class Meta(Measurement.Meta):
        verbose_name_plural = "aggravating activities"
        constraints = [between("activity", 0, 10, "pain", "ability")]

    def __str__(self) -> str:
        return self.activity


class FlexibilityTest(Measurement):
    """Tightness of one structure on one side, with the angle where it was measured."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="flexibility_tests")
    structure = models.CharField(max_length=30, choices=TightStructure.choices())
    side = models.CharField(max_length=10, choices=Side.choices())
    tight = models.BooleanField(default=False)
    degrees = models.DecimalField(
        max_digits=4,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(-30), MaxValueValidator(180)],
    )

    class Meta(Measurement.Meta):
        constraints = [between("flexibility", -30, 180, "degrees")]

    def __str__(self) -> str:
        return f"{self.get_structure_display()} {self.side}: {'tight' if self.tight else 'not tight'}"


class FootPosture(Measurement):
    """Foot posture index, FPI-6: -12 (supinated) to +12 (pronated)."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="foot_postures")
    side = models.CharField(max_length=10, choices=Side.choices())
    fpi6 = models.SmallIntegerField("FPI-6", validators=[MinValueValidator(-12), MaxValueValidator(12)])

    class Meta(Measurement.Meta):
        verbose_name = "foot posture"
        constraints = [between("foot_posture", -12, 12, "fpi6")]

    def __str__(self) -> str:
        return f"FPI-6 {self.side}: {self.fpi6:+d}"


class MovementTest(Measurement):
    """Lateral step-down (Piva 2006; ``scoring`` sums its items), or single-leg squat with its grade."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="movement_tests")
    test = models.CharField(max_length=30, choices=MovementKind.choices())
    side = models.CharField(max_length=10, choices=Side.choices())
    arm = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(1)])
    trunk = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(1)])
    pelvis = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(1)])
    knee = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(2)])
    steady_stance = models.PositiveSmallIntegerField(
        "unsteady stance", null=True, blank=True, validators=[MaxValueValidator(1)]
    )
    rubric = models.CharField(max_length=100, blank=True, help_text="Single-leg squat: the rubric's name.")
    grade = models.CharField(max_length=50, blank=True, help_text="Single-leg squat: its grade.")

    class Meta(Measurement.Meta):
        constraints = [
            between("movement", 0, 1, "arm", "trunk", "pelvis", "steady_stance"),
            between("movement", 0, 2, "knee"),
        ]

    def __str__(self) -> str:
        return f"{self.get_test_display()} {self.side}"


class OutcomeScore(ClinicRow):
    """A score of an outcome measure, with its items where they were entered.

    ``value`` is 0-100 for AKPS and KOOS-PF, 0-10 for PSFS, 0-80 for LEFS, -7 to +7 for GROC.
    """

    scope = Scope(clinician="episode__clinician", patient="episode__patient")

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="outcome_scores")
    assessment = models.ForeignKey(
        Assessment, null=True, blank=True, on_delete=models.PROTECT, related_name="outcome_scores"
    )
    measure = models.CharField(max_length=10, choices=OutcomeMeasure.choices())
    taken_on = models.DateField()
    items = models.JSONField(default=dict, blank=True, help_text="Item code to chosen points.")
    value = models.DecimalField(max_digits=4, decimal_places=1)

    class Meta:
        ordering = ("-taken_on", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=["episode", "measure", "taken_on"],
                name="outcome_once_per_day",
                violation_error_message="This measure already has a score on that day.",
            ),
            models.CheckConstraint(
                condition=Q(measure__in=["akps", "koos_pf"], value__range=(0, 100))
                | Q(measure="psfs", value__range=(0, 10))
                | Q(measure="lefs", value__range=(0, 80))
                | Q(measure="groc", value__range=(-7, 7)),
                name="outcome_value_range",
                violation_error_message="The score is outside its measure's range.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_measure_display()} {self.value:g} on {self.taken_on:%-d %b %Y}"
