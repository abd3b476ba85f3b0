"""What keeps the pain going: drivers found in an assessment, each with the measurement behind it.

Pure. Findings of the index side count; with both knees painful, of either side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from clinic.thresholds import FIELDS, Thresholds
from patients.vocabulary import (
    LoadChange,
    MuscleGroup,
    Side,
    Term,
    TightStructure,
)
from programs.rules.matching.facts import AssessmentFacts, FlexibilityFact, SidedValue, StrengthFact, said_on


class Driver(Term):
    HIP_WEAKNESS = "hip_weakness"
    QUADRICEPS_WEAKNESS = "quadriceps_weakness"
    CALF_WEAKNESS = "calf_weakness"
    FOOT_WEAKNESS = "foot_weakness"
    TRUNK_WEAKNESS = "trunk_weakness"
    TRAINING_LOAD = "training_load"
    RUNNING_MECHANICS = "running_mechanics"
    FOOT_PRONATION = "foot_pronation"
    TIGHTNESS = "tightness"
    PATELLAR_ALIGNMENT = "patellar_alignment"
    FOOTWEAR = "footwear"


GROUPS_OF: Mapping[Driver, frozenset[MuscleGroup]] = {
    Driver.HIP_WEAKNESS: frozenset(
        {MuscleGroup.HIP_ABDUCTORS, MuscleGroup.HIP_EXTERNAL_ROTATORS, MuscleGroup.HIP_EXTENSORS}
    ),
    Driver.QUADRICEPS_WEAKNESS: frozenset({MuscleGroup.QUADRICEPS, MuscleGroup.VMO}),
    Driver.CALF_WEAKNESS: frozenset({MuscleGroup.CALF}),
    Driver.FOOT_WEAKNESS: frozenset({MuscleGroup.FOOT}),
    Driver.TRUNK_WEAKNESS: frozenset({MuscleGroup.TRUNK}),
}

# How much a kind of evidence weighs (our default). The strongest evidence of a driver is its weight: many
# weak signs never add up to a measurement.
LITTLE = 1  # the ITB and the lateral retinaculum, "rarely the primary cause" (S3)
OBSERVED = 2  # seen or reported
MEASURED = 4  # a measured deficit, or a documented change of load
# Both knees: "almost always" load or training error (S4). It outweighs any one other driver, but not a
# measured deficit of strength: the running plan first is for adequate strength (clinical.md 4).
BILATERAL = 9

STEP_DOWN_POOR = 4  # Piva 2006
FPI6_PRONATED = 6  # FPI-6: +6 and above is pronated (Redmond 2008)

LATERAL_STRUCTURES = frozenset({TightStructure.ITB, TightStructure.LATERAL_RETINACULUM})
LOAD_ERRORS: Mapping[LoadChange, str] = {
    LoadChange.DISTANCE: "more distance",
    LoadChange.HILLS: "more hills",
    LoadChange.SPEED: "more speed work",
    LoadChange.BREAK: "running again after a break",
}


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row behind a driver, as a table shows it: ``reference`` is what it is held against, and ``source``
    who says so. Empty where there is none: what was only seen has no reference value. ``on``: as in
    ``StrengthFact``.
    """

    what: str
    value: str
    side: Side | None = None
    reference: str = ""
    source: str = ""
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    driver: Driver
    weight: int
    text: str
    measurement: Measurement
    group: MuscleGroup | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A driver, its weight (that of its strongest evidence) and the measurements behind it.

    ``deficits`` are the measured strength deficits among them: muscle group and text. ``measurements`` say
    the same as ``evidence``, apart.
    """

    driver: Driver
    weight: int
    evidence: tuple[str, ...]
    deficits: tuple[tuple[MuscleGroup, str], ...] = ()
    measurements: tuple[Measurement, ...] = ()

    @property
    def text(self) -> str:
        return f"{self.driver.label} ({'; '.join(self.evidence)})"


def find_drivers(facts: AssessmentFacts, thresholds: Thresholds) -> tuple[Found, ...]:
    """The drivers this assessment speaks for, strongest first, then by code.

    The Q-angle is no evidence: it does not track pain.
    """
    evidence = sorted(
        {
            *_strength(facts),
            *_step_down(facts),
            *_load(facts, thresholds),
            *_mechanics(facts, thresholds),
            *_posture(facts),
            *_tightness(facts),
            *_footwear(facts, thresholds),
        },
        key=lambda e: (e.driver, -e.weight, e.text),
    )
    found = [_found(driver, list(group)) for driver, group in groupby(evidence, key=lambda e: e.driver)]
    return tuple(sorted(found, key=lambda f: (-f.weight, f.driver)))


def adequate_drivers(
    facts: AssessmentFacts, found: tuple[Found, ...], thresholds: Thresholds
) -> dict[Driver, str]:
    """Drivers that were measured and found in order, with the words for it."""
    adequate: dict[Driver, str] = {}
    for driver, groups in GROUPS_OF.items():
        tests = sorted(s.text for s in facts.strength if s.muscle_group in groups and facts.counts_test(s))
        if tests:
            adequate[driver] = f"measured, no deficit ({'; '.join(tests)})"
    if any(facts.counts(test.side) for test in facts.flexibility):
        adequate[Driver.TIGHTNESS] = "tested, nothing tight"
    if facts.cadence_spm is not None:
        adequate[Driver.RUNNING_MECHANICS] = f"cadence {facts.cadence_spm} at easy pace, nothing seen"
    for reason in found:
        adequate.pop(reason.driver, None)
    return adequate


def shown_only(facts: AssessmentFacts) -> tuple[str, ...]:
    """What is shown beside the ranking and never changes it: the Q-angle, and deficits of the other side."""
    q_angles = [f"Q-angle {q.side} {q.value:f} degrees: shown, no reason by itself" for q in facts.q_angles]
    other_side = [f"Other side: {s.text}" for s in facts.strength if s.deficit and not facts.counts_test(s)]
    return tuple(sorted(q_angles) + sorted(other_side))


def _found(driver: Driver, evidence: list[Evidence]) -> Found:
    return Found(
        driver=driver,
        weight=max(e.weight for e in evidence),
        evidence=tuple(e.text for e in evidence),
        deficits=tuple((e.group, e.text) for e in evidence if e.group is not None),
        measurements=tuple(e.measurement for e in evidence),
    )


def _strength(facts: AssessmentFacts) -> Iterable[Evidence]:
    for test in facts.strength:
        if test.deficit and facts.counts_test(test):
            driver = next(d for d, groups in GROUPS_OF.items() if test.muscle_group in groups)
            yield Evidence(driver, MEASURED, test.text, _strength_row(test), test.muscle_group)


def _strength_row(test: StrengthFact) -> Measurement:
    """A figure reads "LSI 82 % (deficit below 90 %)", one after the other where two yardsticks find it."""
    parts = [part.partition(" (") for part in test.figure.split("; ")]
    references = [reference.removesuffix(")") for _, _, reference in parts if reference]
    sources = [
        _source("quadriceps_norm_men" if "norm" in reference else "lsi_deficit_below")
        for reference in references
    ]
    return Measurement(
        test.muscle_group.label,
        "; ".join(value for value, _, _ in parts),
        test.side,
        "; ".join(references),
        "; ".join(dict.fromkeys(sources)),
        test.on,
    )


def _source(threshold: str) -> str:
    source: str = FIELDS[threshold].metadata["source"]
    return source


def poor_step_downs(facts: AssessmentFacts) -> list[tuple[SidedValue, str]]:
    """Those that count, in words: a sign of poor hip control (S3), not a measured deficit."""
    return [
        (test, said_on(f"step-down {test.side} poor, {test.value:f} of 6", test.on))
        for test in facts.step_down
        if test.value >= STEP_DOWN_POOR and facts.counts(test.side)
    ]


def _step_down(facts: AssessmentFacts) -> Iterable[Evidence]:
    for test, text in poor_step_downs(facts):
        value, limit = f"{test.value:f} of 6", f"poor from {STEP_DOWN_POOR}"
        row = Measurement("Lateral step-down", value, test.side, limit, "Piva 2006", test.on)
        yield Evidence(Driver.HIP_WEAKNESS, OBSERVED, text, row)


def _load(facts: AssessmentFacts, thresholds: Thresholds) -> Iterable[Evidence]:
    if facts.both_knees:
        row = Measurement("Both knees hurt", "yes", source="S4")
        yield Evidence(Driver.TRAINING_LOAD, BILATERAL, "both knees hurt", row)
    day = facts.dated.get("load_changes")
    for change in LOAD_ERRORS:
        if change in facts.load_changes:
            row = Measurement("Changed before onset", LOAD_ERRORS[change], source="S0, S3", on=day)
            text = said_on(f"{LOAD_ERRORS[change]} before onset", day)
            yield Evidence(Driver.TRAINING_LOAD, MEASURED, text, row)
    now, before = facts.weekly_km_now, facts.weekly_km_before
    if now is None or before is None or before < thresholds.overload_min_km:
        return
    if now > before * thresholds.overload_distance_ratio:
        limit = f"at most {thresholds.overload_distance_ratio:f} x before"
        source = _source("overload_distance_ratio")
        day = facts.dated.get("weekly_km_now")
        row = Measurement("Distance a week", f"{now:f} km, {before:f} before", None, limit, source, day)
        text = said_on(f"{now:f} km a week, {before:f} before onset", day)
        yield Evidence(Driver.TRAINING_LOAD, MEASURED, text, row)


def low_cadence(facts: AssessmentFacts, thresholds: Thresholds) -> str:
    """In words; empty where it was not measured or is not low."""
    if facts.cadence_spm is None or facts.cadence_spm >= thresholds.low_cadence:
        return ""
    text = f"cadence {facts.cadence_spm} at easy pace, below {thresholds.low_cadence}"
    return said_on(text, facts.dated.get("cadence_spm"))


def _mechanics(facts: AssessmentFacts, thresholds: Thresholds) -> Iterable[Evidence]:
    if text := low_cadence(facts, thresholds):
        row = Measurement(
            "Cadence at easy pace",
            f"{facts.cadence_spm} a minute",
            None,
            f"low below {thresholds.low_cadence}",
            _source("low_cadence"),
            facts.dated.get("cadence_spm"),
        )
        yield Evidence(Driver.RUNNING_MECHANICS, MEASURED, text, row)
    signs = {
        "overstriding": facts.overstriding,
        "crossover gait": facts.crossover,
        "pelvic drop": facts.pelvic_drop,
        "hip adduction or internal rotation": facts.hip_adduction,
    }
    day = facts.dated.get("overstriding")
    for sign, seen in signs.items():
        if seen:
            row = Measurement("Seen running", sign, source="S1, S4", on=day)
            yield Evidence(Driver.RUNNING_MECHANICS, OBSERVED, said_on(sign, day), row)


def _posture(facts: AssessmentFacts) -> Iterable[Evidence]:
    for foot in facts.fpi6:
        if foot.value >= FPI6_PRONATED and facts.counts(foot.side):
            limit = f"pronated from +{FPI6_PRONATED}"
            row = Measurement("FPI-6", f"{foot.value:+f}", foot.side, limit, "Redmond 2008", foot.on)
            text = said_on(f"FPI-6 {foot.side} {foot.value:+f}", foot.on)
            yield Evidence(Driver.FOOT_PRONATION, OBSERVED, text, row)
    day = facts.dated.get("patella")
    for finding in facts.patella:
        row = Measurement("Seen", finding, on=day)
        yield Evidence(Driver.PATELLAR_ALIGNMENT, OBSERVED, said_on(finding, day), row)


def tight_structures(facts: AssessmentFacts) -> list[tuple[FlexibilityFact, str]]:
    """Those that count, in words."""
    return [
        (test, said_on(f"{test.structure.label} {test.side} tight", test.on))
        for test in facts.flexibility
        if test.tight and facts.counts(test.side)
    ]


def _tightness(facts: AssessmentFacts) -> Iterable[Evidence]:
    for test, text in tight_structures(facts):
        weight = LITTLE if test.structure in LATERAL_STRUCTURES else OBSERVED
        weighs = ("weighs little", "S3") if weight == LITTLE else ("", "S2")
        row = Measurement(test.structure.label, "tight", test.side, *weighs, test.on)
        yield Evidence(Driver.TIGHTNESS, weight, text, row)


def _footwear(facts: AssessmentFacts, thresholds: Thresholds) -> Iterable[Evidence]:
    km, months = thresholds.shoe_max_km, thresholds.shoe_max_months
    if facts.shoe_km is not None and facts.shoe_km > km:
        day, limit, source = facts.dated.get("shoe_km"), f"worn above {km} km", _source("shoe_max_km")
        row = Measurement("Shoes", f"{facts.shoe_km} km", None, limit, source, day)
        text = said_on(f"shoes {facts.shoe_km} km, above {km}", day)
        yield Evidence(Driver.FOOTWEAR, MEASURED, text, row)
    if facts.shoe_age_months is not None and facts.shoe_age_months > months:
        day = facts.dated.get("shoe_age_months")
        limit, source = f"worn above {months} months", _source("shoe_max_months")
        row = Measurement("Shoes", f"{facts.shoe_age_months} months old", None, limit, source, day)
        text = said_on(f"shoes {facts.shoe_age_months} months old, above {months}", day)
        yield Evidence(Driver.FOOTWEAR, MEASURED, text, row)
    for name, seen, value, text in (
        ("shoe_wrong_fit", facts.shoe_wrong_fit, "wrong size or type", "shoes of the wrong size or type"),
        (
            "load_changes",
            LoadChange.SHOES in facts.load_changes,
            "new before onset",
            "new shoes before onset",
        ),
    ):
        if seen:
            day = facts.dated.get(name)
            row = Measurement("Shoes", value, source="S2", on=day)
            yield Evidence(Driver.FOOTWEAR, OBSERVED, said_on(text, day), row)
