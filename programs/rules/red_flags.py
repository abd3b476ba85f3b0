"""Red flags in two tiers, the words to the patient, the rule for under 18s, and drift of the pain.

Nothing here is a setting: a red flag can't be switched off. Sources: S0 ("when to actually see someone in
person") for the knee that locks, gives way or swells, the sharp pain that changes and the pop; the rest is
our default. Painless clicking is common and no flag (S2).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from patients.vocabulary import ADULT_AGE, Diagnosis, PainLocation, Side, Term

NOTE_HINT = "Not read straight away. Tick any of the symptoms above."
"""Stands beside every free-text note a patient can write."""

MINOR_DIFFERENTIAL: Mapping[str, str] = {
    "Osgood-Schlatter": "under 18: the bony bump where the tendon ends, tender to touch; jumping, sprinting",
    "Sinding-Larsen": "under 18: the lower tip of the kneecap, tender to touch; jumping, sprinting",
}
"""To consider under 18, by how to tell. Both hurt just below the kneecap."""

_WORDS_1 = (
    "Stop exercising. These symptoms can need urgent care. Call {emergency} now for chest pain, "
    "breathlessness, or a cold, numb or deformed leg. Otherwise go to urgent care today; do not wait for us. "
    "This service is not watched around the clock."
)
_WORDS_2 = (
    "Pause exercises and running until your physio clears you. Call {phone} to be seen. We have messaged the "
    "clinic; nobody has read it yet. If it gets worse, or the knee becomes hot or you feel feverish, get "
    "urgent care today."
)


class Tier(Term):
    """Tier 1: the patient acts now. Tier 2: a clinician the same working day. Both hold the program."""

    ONE = "tier_1"
    TWO = "tier_2"


class Symptom(Term):
    """A red flag, by its stable code. ``label`` is for clinicians, ``question`` for the patient to tick."""

    CALF = "calf_pain_swelling"
    CHEST = "chest_pain_breathlessness"
    HOT_KNEE = "hot_knee_or_fever"
    INJURY = "injury_swelling_or_unable_to_walk"
    NO_EXTENSION = "cannot_straighten_or_lift"
    DEFORMITY = "deformity"
    NUMB_OR_WEAK = "cold_numb_foot_or_weakness"
    SADDLE = "saddle_numbness_bladder_bowel"
    HIP_UNDER_18 = "hip_under_18"

    LOCKING = "knee_locks"
    GIVING_WAY = "knee_gives_way"
    SWELLING = "knee_swells"
    SHARP_POINT = "sharp_point_pain_changes"
    POP = "pop_never_the_same"
    NIGHT_PAIN = "night_or_rest_pain"
    WEIGHT_LOSS_CANCER = "weight_loss_or_cancer"
    GROIN_HIP = "groin_or_hip_pain"
    BONE_PAIN = "focal_bone_pain"
    JOINTS = "several_joints_or_morning_stiffness"

    @property
    def label(self) -> str:
        return CATALOGUE[self].clinician

    @property
    def question(self) -> str:
        return CATALOGUE[self].patient

    @property
    def tier(self) -> Tier:
        return CATALOGUE[self].tier


@dataclass(frozen=True, slots=True)
class Entry:
    """What the catalogue knows of a symptom. ``asked`` is False where only a finding raises it."""

    tier: Tier
    patient: str
    clinician: str
    asked: bool = True


CATALOGUE: Mapping[Symptom, Entry] = {
    Symptom.CALF: Entry(
        Tier.ONE,
        "Pain, swelling, warmth or redness in the calf",
        "Calf pain, swelling, warmth or redness (clot)",
    ),
    Symptom.CHEST: Entry(Tier.ONE, "Chest pain, or short of breath", "Chest pain or breathlessness"),
    Symptom.HOT_KNEE: Entry(
        Tier.ONE,
        "The knee is hot, red and swollen, or I have a fever",
        "Hot red swollen knee, or fever (infection)",
    ),
    Symptom.INJURY: Entry(
        Tier.ONE,
        "A fall, blow or twist, and since then rapid swelling or unable to take 4 steps",
        "Fall, blow or twist with rapid swelling or unable to take 4 steps (fracture, ligament)",
    ),
    Symptom.NO_EXTENSION: Entry(
        Tier.ONE,
        "I cannot straighten the knee or lift the straight leg",
        "Cannot straighten or lift the leg (extensor mechanism)",
    ),
    Symptom.DEFORMITY: Entry(Tier.ONE, "The knee or leg looks out of shape", "Deformity"),
    Symptom.NUMB_OR_WEAK: Entry(
        Tier.ONE, "A cold or numb foot, or new weakness in the leg", "Cold or numb foot, new weakness"
    ),
    Symptom.SADDLE: Entry(
        Tier.ONE,
        "Numb between the legs, or new trouble with bladder or bowels",
        "Saddle numbness, new bladder or bowel trouble (cauda equina)",
    ),
    Symptom.HIP_UNDER_18: Entry(
        Tier.ONE,
        "Under 18: knee or thigh pain with a limp, hip pain or a stiff hip",
        "Under 18: knee or thigh pain with a limp, hip pain or lost rotation (slipped epiphysis)",
        asked=False,
    ),
    Symptom.LOCKING: Entry(Tier.TWO, "The knee locks", "Knee locks"),
    Symptom.GIVING_WAY: Entry(Tier.TWO, "The knee gives way", "Knee gives way, or the patella subluxes"),
    Symptom.SWELLING: Entry(Tier.TWO, "The knee swells a lot", "Knee swells significantly"),
    Symptom.SHARP_POINT: Entry(
        Tier.TWO,
        "Sharp pain in one point that has changed in kind",
        "Sharp, point-specific pain that changes character",
    ),
    Symptom.POP: Entry(
        Tier.TWO,
        "One pop, and the knee was never the same after (painless clicking does not count)",
        "One pop, after which it was never the same",
    ),
    Symptom.NIGHT_PAIN: Entry(
        Tier.TWO, "Pain at night or at rest that does not let up", "Unremitting night or rest pain"
    ),
    Symptom.WEIGHT_LOSS_CANCER: Entry(
        Tier.TWO,
        "Weight loss I cannot explain, or I have had cancer",
        "Unexplained weight loss or cancer history",
    ),
    Symptom.GROIN_HIP: Entry(Tier.TWO, "Pain in the groin or hip", "Groin or hip pain"),
    Symptom.BONE_PAIN: Entry(Tier.TWO, "Pain in one spot on the bone", "Focal bone pain (stress fracture)"),
    Symptom.JOINTS: Entry(
        Tier.TWO,
        "Several swollen joints, or stiff for more than an hour in the morning",
        "Several swollen joints, or morning stiffness over 60 min",
    ),
}

PATIENTS_OWN = frozenset({"answer", "session", "run"})
"""Kinds of evidence that the patient reported in the app, and was answered at once."""

AKPS_SYMPTOMS: Mapping[str, Symptom] = {
    "swelling": Symptom.SWELLING,
    "patellar_movement": Symptom.GIVING_WAY,
}
"""AKPS item to the flag it raises: abnormal painful patellar movement is subluxation."""

EXPLAINED_BY: Mapping[Diagnosis, frozenset[PainLocation]] = {
    Diagnosis.PFP: frozenset(
        {PainLocation.ANTERIOR_DIFFUSE, PainLocation.RETROPATELLAR, PainLocation.PERIPATELLAR}
    ),
    Diagnosis.PATELLAR_TENDINOPATHY: frozenset({PainLocation.BELOW_PATELLA}),
    Diagnosis.ITB_SYNDROME: frozenset({PainLocation.LATERAL}),
    # What another diagnosis explains is the clinician's to say: it never counts as drift.
    Diagnosis.OTHER_KNEE: frozenset(PainLocation),
}
"""Where each diagnosis puts the pain (S4, S0)."""

POINTS_TO: Mapping[PainLocation, str] = {
    PainLocation.ANTERIOR_DIFFUSE: "patellofemoral pain",
    PainLocation.RETROPATELLAR: "patellofemoral pain",
    PainLocation.PERIPATELLAR: "patellofemoral pain",
    PainLocation.BELOW_PATELLA: "patellar tendinopathy",
    PainLocation.LATERAL: "iliotibial band syndrome",
    PainLocation.MEDIAL: "MCL or medial meniscus: needs clinical evaluation",
    PainLocation.POSTERIOR: "hamstring tendon, posterior capsule, popliteal: needs clinical evaluation",
}


@dataclass(frozen=True, slots=True)
class MinorVerdict:
    """Whether someone under 18 may be matched to a program; ``flag`` is what the findings raise."""

    may_match: bool
    flag: Symptom | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DriftVerdict:
    """Pain that the diagnosis does not explain (re-screen), and knees that newly hurt (review the load)."""

    unexplained: tuple[PainLocation, ...]
    new_sides: tuple[Side, ...]
    reasons: tuple[str, ...]

    @property
    def re_screen(self) -> bool:
        return bool(self.unexplained)

    @property
    def load_review(self) -> bool:
        return bool(self.new_sides)


def asked_symptoms() -> tuple[Symptom, ...]:
    """The symptoms a patient can tick, most urgent first."""
    return tuple(symptom for symptom in Symptom if CATALOGUE[symptom].asked)


def screen(codes: Iterable[str]) -> Tier | None:
    """The most urgent tier among the symptoms, None without any.

    Raises:
        ValueError: a code that the catalogue does not know.
    """
    tiers = {Symptom(code).tier for code in codes}
    return next((tier for tier in Tier if tier in tiers), None)


def told(evidence: Sequence[Mapping[str, Any]]) -> Tier | None:
    """The tier whose words the patient has read in the app, on the last of their own reports in an alert's
    ``evidence`` (oldest first); None if they reported none of it. What a clinician found later they were not.
    """
    own = [place for place, entry in enumerate(evidence) if entry.get("kind") in PATIENTS_OWN]
    return screen(entry["code"] for entry in evidence[: own[-1] + 1]) if own else None


def new_or_worse(
    cleared_codes: Collection[str], codes: Iterable[str], worse_codes: Collection[str] = ()
) -> tuple[Symptom, ...]:
    """The symptoms that raise an alert, in the catalogue's order, when some were cleared before.

    A cleared flag raises again only if the patient, or a lower AKPS item, says that it is worse.

    Raises:
        ValueError: a code that the catalogue does not know.
    """
    raised = {Symptom(code) for code in (*codes, *worse_codes)}
    return tuple(s for s in Symptom if s in raised and (s not in cleared_codes or s in worse_codes))


def akps_symptoms(item_codes: Iterable[str]) -> tuple[Symptom, ...]:
    """The flags that AKPS items raise, given the codes of the items answered badly enough to raise one.

    Raises:
        KeyError: an item that raises no flag.
    """
    return tuple(AKPS_SYMPTOMS[code] for code in item_codes)


def words(tier: Tier, *, emergency: str, phone: str) -> str:
    """What the patient reads at once: ``emergency`` is the number to call, ``phone`` the clinic's."""
    text = _WORDS_1 if tier is Tier.ONE else _WORDS_2
    return text.format(emergency=emergency, phone=phone)


def screen_minor(age: int, *, hip_examined: bool, hip_findings: bool) -> MinorVerdict:
    """The rule for knee or thigh pain under 18; adults pass.

    Args:
        age: whole years.
        hip_examined: internal rotation and gait were looked at.
        hip_findings: a limp, hip pain or lost rotation.
    """
    if age >= ADULT_AGE:
        return MinorVerdict(may_match=True, flag=None, reasons=())
    if hip_findings:
        why = "under 18 with a limp, hip pain or lost rotation: no weight-bearing, same-day hip imaging"
        return MinorVerdict(may_match=False, flag=Symptom.HIP_UNDER_18, reasons=(why,))
    if not hip_examined:
        why = "under 18: examine the hip (internal rotation, gait) before any match"
        return MinorVerdict(may_match=False, flag=None, reasons=(why,))
    also = f"under 18: consider {' and '.join(MINOR_DIFFERENTIAL)}; a guardian's consent is needed"
    return MinorVerdict(may_match=True, flag=None, reasons=(also,))


def unexplained(diagnosis: str, locations: Iterable[str]) -> tuple[PainLocation, ...]:
    """The reported locations that the diagnosis does not explain, in the catalogue's order.

    Raises:
        ValueError: an unknown diagnosis or location.
    """
    reported = {PainLocation(location) for location in locations}
    explained = EXPLAINED_BY[Diagnosis(diagnosis)]
    return tuple(location for location in PainLocation if location in reported - explained)


def explains(diagnosis: str, locations: Iterable[str]) -> bool:
    """Whether the diagnosis explains all of the reported locations."""
    return not unexplained(diagnosis, locations)


def drift(
    diagnosis: str, locations: Iterable[str], *, known_sides: Collection[str], sides: Collection[str]
) -> DriftVerdict:
    """What a later answer says against the diagnosis.

    Args:
        locations: where a knee hurts that hurt at the assessment.
        known_sides: the knees that hurt at the assessment.
        sides: the knees that hurt now. New pain in the other knee asks for a load review, no new diagnosis.
    """
    elsewhere = unexplained(diagnosis, locations)
    new_sides = tuple(side for side in Side if side in sides and side not in known_sides)
    name = Diagnosis(diagnosis).label.lower()
    reasons = [f"{place.label}: not explained by {name}; points to {POINTS_TO[place]}" for place in elsewhere]
    reasons += [f"new pain in the {side} knee: review the load, not the diagnosis" for side in new_sides]
    return DriftVerdict(elsewhere, new_sides, tuple(reasons))
