"""The terms of the record, as codes and readable labels. Pure: rules and models share them."""

from __future__ import annotations

from enum import StrEnum

ADULT_AGE = 18
"""Below it a guardian consents, and the hip is examined first (clinical.md 1)."""


class Term(StrEnum):
    """A code with a readable label: the code with spaces, unless ``LABELS`` says better."""

    @property
    def label(self) -> str:
        return LABELS.get((type(self), self.value), self.value.replace("_", " ").capitalize())

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        return [(term.value, term.label) for term in cls]


class Side(Term):
    LEFT = "left"
    RIGHT = "right"


class Sex(Term):
    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


class Diagnosis(Term):
    PFP = "pfp"
    PATELLAR_TENDINOPATHY = "patellar_tendinopathy"
    ITB_SYNDROME = "itb_syndrome"
    OTHER_KNEE = "other"


class PainLocation(Term):
    ANTERIOR_DIFFUSE = "anterior_diffuse"
    RETROPATELLAR = "retropatellar"
    PERIPATELLAR = "peripatellar"
    BELOW_PATELLA = "below_patella"
    LATERAL = "lateral"
    MEDIAL = "medial"
    POSTERIOR = "posterior"


class OnsetKind(Term):
    GRADUAL = "gradual"
    SUDDEN = "sudden"


class RunningTrack(Term):
    """Whether the patient still runs decides which of the two running tracks applies."""

    STILL_RUNNING = "still_running"
    STOPPED = "stopped"
    NOT_A_RUNNER = "not_a_runner"


class AssessmentKind(Term):
    INTAKE = "intake"
    REASSESSMENT = "reassessment"


class MuscleGroup(Term):
    HIP_ABDUCTORS = "hip_abductors"
    HIP_EXTERNAL_ROTATORS = "hip_external_rotators"
    HIP_EXTENSORS = "hip_extensors"
    QUADRICEPS = "quadriceps"
    VMO = "vmo"
    CALF = "calf"
    TRUNK = "trunk"
    FOOT = "foot"


class StrengthMethod(Term):
    HANDHELD = "handheld_dynamometer"
    ISOKINETIC = "isokinetic"
    MANUAL = "manual_grade"


class StrengthUnit(Term):
    NEWTON = "N"
    KILOGRAM_FORCE = "kgf"
    NEWTON_METRE = "Nm"
    GRADE = "grade"


class TightStructure(Term):
    HAMSTRINGS = "hamstrings"
    QUADRICEPS = "quadriceps"
    ITB = "itb"
    CALF = "calf"
    LATERAL_RETINACULUM = "lateral_retinaculum"


class QAnglePosition(Term):
    SUPINE = "supine"
    STANDING = "standing"


class QAngleQuadriceps(Term):
    RELAXED = "relaxed"
    CONTRACTED = "contracted"


class MovementKind(Term):
    LATERAL_STEP_DOWN = "lateral_step_down"
    SINGLE_LEG_SQUAT = "single_leg_squat"


class OutcomeMeasure(Term):
    AKPS = "akps"
    KOOS_PF = "koos_pf"
    PSFS = "psfs"
    LEFS = "lefs"
    GROC = "groc"


class LoadChange(Term):
    """What changed in the training before the pain began."""

    DISTANCE = "distance"
    HILLS = "hills"
    SPEED = "speed"
    SHOES = "shoes"
    BREAK = "break"


class RiskFactor(Term):
    """Asked at intake, recorded, and shown; not a red flag by itself."""

    RECENT_SURGERY = "recent_surgery"
    IMMOBILITY = "immobility"
    PREGNANCY = "pregnancy"
    OESTROGEN = "oestrogen"
    EARLIER_CLOT = "earlier_clot"
    ANTICOAGULANTS = "anticoagulants"
    STEROIDS = "steroids"
    FLUOROQUINOLONES = "fluoroquinolones"
    LOW_ENERGY = "low_energy_intake"
    MISSED_PERIODS = "missed_periods"


_BETTER: tuple[tuple[Term, str], ...] = (
    (Diagnosis.PFP, "Patellofemoral pain"),
    (Diagnosis.ITB_SYNDROME, "Iliotibial band syndrome"),
    (Diagnosis.OTHER_KNEE, "Other knee pain"),
    (PainLocation.ANTERIOR_DIFFUSE, "Front of the knee, diffuse"),
    (PainLocation.RETROPATELLAR, "Behind the kneecap"),
    (PainLocation.PERIPATELLAR, "Around the kneecap"),
    (PainLocation.BELOW_PATELLA, "Just below the kneecap"),
    (PainLocation.LATERAL, "Outer side"),
    (PainLocation.MEDIAL, "Inner side"),
    (PainLocation.POSTERIOR, "Back of the knee"),
    (MuscleGroup.VMO, "VMO"),
    (StrengthMethod.MANUAL, "Manual grade 0-5"),
    (StrengthUnit.NEWTON, "N"),
    (StrengthUnit.KILOGRAM_FORCE, "kgf"),
    (StrengthUnit.NEWTON_METRE, "Nm"),
    (StrengthUnit.GRADE, "grade 0-5"),
    (TightStructure.ITB, "ITB"),
    (OutcomeMeasure.AKPS, "AKPS (Kujala)"),
    (OutcomeMeasure.KOOS_PF, "KOOS-PF"),
    (OutcomeMeasure.PSFS, "PSFS"),
    (OutcomeMeasure.LEFS, "LEFS"),
    (OutcomeMeasure.GROC, "GROC"),
    (AssessmentKind.REASSESSMENT, "Re-assessment"),
    (RiskFactor.RECENT_SURGERY, "Surgery in the last 3 months"),
    (RiskFactor.PREGNANCY, "Pregnant or post-partum"),
    (RiskFactor.EARLIER_CLOT, "Earlier blood clot"),
)
LABELS = {(type(term), term.value): label for term, label in _BETTER}
"""By vocabulary and code: "other" is a sex and a diagnosis."""
