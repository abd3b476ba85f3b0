"""What the pain may be, by where it hurts, and the guideline's three criteria of patellofemoral pain.

Pure. Locations and what they point to: clinical.md 1 (S4, S0); the criteria: Willy 2019, JOSPT guideline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from patients.vocabulary import Diagnosis, PainLocation, Term
from programs.rules.matching.facts import said_on
from programs.rules.red_flags import EXPLAINED_BY, MINOR_DIFFERENTIAL


class Standing(Term):
    """How a criterion stands. What nobody recorded is neither met nor unmet."""

    MET = "met"
    UNMET = "unmet"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Complaint:
    """Where it hurts and when. ``provoked_by`` are loaded-flexion activities that bring the pain on, in
    words; ``behaviour_asked``: something of the pain's behaviour was recorded at all; ``minor``: under 18.
    ``dated`` has the day of what is from an earlier assessment, by name.
    """

    diagnosis: Diagnosis
    locations: frozenset[PainLocation] = frozenset()
    provoked_by: tuple[str, ...] = ()
    behaviour_asked: bool = False
    other_causes_excluded: bool = False
    open_red_flags: tuple[str, ...] = ()
    both_knees: bool = False
    minor: bool = False
    dated: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Criterion:
    text: str
    standing: Standing
    because: str


@dataclass(frozen=True, slots=True)
class Possibility:
    """What a location points to. ``evaluate`` asks for a clinical evaluation; ``pattern`` is how to tell."""

    name: str
    pattern: str
    locations: tuple[PainLocation, ...]
    found: tuple[PainLocation, ...]
    diagnosis: Diagnosis | None = None
    evaluate: bool = False

    @property
    def is_likely(self) -> bool:
        return bool(self.found)


@dataclass(frozen=True, slots=True)
class Differential:
    """``possibilities`` that the locations speak for stand first; ``notes`` are what speaks against the
    case's diagnosis, or for a load error.
    """

    criteria: tuple[Criterion, ...]
    possibilities: tuple[Possibility, ...]
    notes: tuple[str, ...]

    @property
    def is_pfp(self) -> bool:
        """Patellofemoral pain needs all three."""
        return all(criterion.standing is Standing.MET for criterion in self.criteria)


FRONT = (PainLocation.RETROPATELLAR, PainLocation.PERIPATELLAR)
_EVALUATE = "needs a clinical evaluation"
type _Row = tuple[str, str, tuple[PainLocation, ...], Diagnosis | None]
_UNDER_18: Sequence[_Row] = tuple(
    (name, pattern, (PainLocation.BELOW_PATELLA,), None) for name, pattern in MINOR_DIFFERENTIAL.items()
)
_TABLE: Sequence[_Row] = (
    (
        "Patellofemoral pain",
        "diffuse, around or behind the kneecap; stairs down, squat, long sitting",
        (PainLocation.ANTERIOR_DIFFUSE, *FRONT),
        Diagnosis.PFP,
    ),
    (
        "Patellar tendinopathy",
        "sharp, warms up then returns; jumping, sprinting, stairs down",
        (PainLocation.BELOW_PATELLA,),
        Diagnosis.PATELLAR_TENDINOPATHY,
    ),
    (
        "Iliotibial band syndrome",
        "sharp, comes on at the same distance every run",
        (PainLocation.LATERAL,),
        Diagnosis.ITB_SYNDROME,
    ),
    ("MCL or medial meniscus", _EVALUATE, (PainLocation.MEDIAL,), None),
    ("Hamstring tendon, posterior capsule, popliteal", _EVALUATE, (PainLocation.POSTERIOR,), None),
)


def differential(complaint: Complaint) -> Differential:
    """What this complaint may be; under 18 first what only the growing knee has. The order of inputs never
    matters.
    """
    table = (*_UNDER_18, *_TABLE) if complaint.minor else _TABLE
    possibilities = [_possibility(complaint, *row) for row in table]
    possibilities.sort(key=lambda possibility: not possibility.is_likely)  # stable: the table's order within
    return Differential(
        criteria=(_where(complaint), _provoked(complaint), _excluded(complaint)),
        possibilities=tuple(possibilities),
        notes=tuple(_notes(complaint, possibilities)),
    )


def _possibility(
    complaint: Complaint,
    name: str,
    pattern: str,
    locations: tuple[PainLocation, ...],
    diagnosis: Diagnosis | None,
) -> Possibility:
    found = tuple(place for place in locations if place in complaint.locations)
    return Possibility(name, pattern, locations, found, diagnosis, evaluate=diagnosis is None)


def _where(complaint: Complaint) -> Criterion:
    text = "Pain behind or around the kneecap"
    if found := _labels(place for place in FRONT if place in complaint.locations):
        return Criterion(text, Standing.MET, said_on(found, complaint.dated.get("locations")))
    if not complaint.locations:
        return Criterion(text, Standing.NOT_ASKED, "No location recorded")
    elsewhere = _labels(sorted(complaint.locations))
    because = said_on(f"Only: {elsewhere}", complaint.dated.get("locations"))
    return Criterion(text, Standing.UNMET, because)


def _provoked(complaint: Complaint) -> Criterion:
    text = "Brought on by squat, stairs, prolonged sitting or other loaded flexion"
    day = complaint.dated.get("behaviour_asked")
    if complaint.provoked_by:
        found = ", ".join(complaint.provoked_by).capitalize()
        return Criterion(text, Standing.MET, said_on(found, day))
    if complaint.behaviour_asked:
        because = "None of them was ticked, other behaviour was"
        return Criterion(text, Standing.UNMET, said_on(because, day))
    return Criterion(text, Standing.NOT_ASKED, "No behaviour of the pain recorded")


def _excluded(complaint: Complaint) -> Criterion:
    text = "Other causes excluded"
    if complaint.open_red_flags:
        return Criterion(text, Standing.UNMET, f"Open red flag: {'; '.join(complaint.open_red_flags)}")
    if complaint.other_causes_excluded:
        return Criterion(text, Standing.MET, "Confirmed in this assessment")
    return Criterion(text, Standing.NOT_ASKED, "Not confirmed in this assessment")


def _notes(complaint: Complaint, possibilities: Iterable[Possibility]) -> Iterable[str]:
    likely = [possibility for possibility in possibilities if possibility.is_likely]
    if reason := re_screen(complaint.diagnosis, complaint.locations):
        yield reason
    yield from (
        f"{_labels(possibility.found)}: {possibility.name}; {possibility.pattern}"
        for possibility in likely
        if possibility.evaluate
    )
    if complaint.both_knees:
        yield "Both knees: almost always load management or a training error (S4)"


def re_screen(diagnosis: Diagnosis, locations: Iterable[PainLocation]) -> str:
    """Why to re-screen: the diagnosis explains the pain at none of the places where it is. Empty if it does
    at one, or no place was recorded.
    """
    places = sorted(set(locations))
    if not places or EXPLAINED_BY[diagnosis].intersection(places):
        return ""
    return f"{diagnosis.label} does not explain the pain here: {_labels(places)}. Re-screen"


def _labels(places: Iterable[PainLocation]) -> str:
    return ", ".join(place.label for place in places)


PROVOKING: Mapping[str, str] = {
    "pain_squat": "squat",
    "pain_stairs_down": "stairs down",
    "pain_stairs_up": "stairs up",
    "pain_sitting": "prolonged sitting",
    "pain_lunge": "lunge",
    "pain_downhill": "downhill",
}
"""An assessment's answers about loaded flexion, in words."""
