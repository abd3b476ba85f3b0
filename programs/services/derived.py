"""What an assessment's raw values amount to, stored or being typed: computed by ``patients.scoring``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from patients.models import AggravatingActivity, Assessment, MovementTest, OutcomeScore, StrengthTest
from patients.scoring import (
    AKPS_ITEMS,
    STEP_DOWN_ITEMS,
    Reading,
    ScoringError,
    akps_red_flags,
    groc_meaning,
    judge_strength,
    limb_symmetry,
    nm_per_kg,
    percent_body_weight,
    psfs_score,
    q_angle_note,
    score,
    shown_ratio,
    step_down_grade,
    step_down_score,
)
from patients.vocabulary import MovementKind, OutcomeMeasure, PainLocation
from programs.rules.matching import find_drivers, reasons_to_refer
from programs.rules.red_flags import AKPS_SYMPTOMS, POINTS_TO, Symptom, screen_minor, unexplained
from programs.services.assessment_data import QUESTIONNAIRES, SCORES, Built, Data
from programs.services.matching import Tests, known_facts, other_side, reading_of, tests_of

NO_SOUND_SIDE = "no LSI: both knees hurt. Norms count, which only the quadriceps has, and manual grades"


@dataclass(frozen=True, slots=True)
class Derived:
    """One derived value: what of, in words, and whether it shows a deficit (None: not judged).

    ``place`` is where a form shows it, such as ``strength.hip_abductors.left``.
    """

    of: str
    text: str
    deficit: bool | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Findings(Tests):
    """With what the patient answered beside them."""

    activities: Sequence[AggravatingActivity] = ()
    scores: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(cls, assessment: Assessment) -> Findings:
        tests = tests_of(assessment)
        return cls(
            **{field.name: getattr(tests, field.name) for field in fields(tests)},
            activities=list(assessment.aggravating_activities.all()),
            scores=[_score_data(row) for row in assessment.outcome_scores.all()],
        )

    @classmethod
    def typed(cls, built: Built, data: Data) -> Findings:
        """Rows of values that could be read; of the others nothing is derived."""
        rows = {name: _readable(built, name) for name in built.rows}
        return cls(
            built.assessment,
            strength=rows.get("strength_tests", []),
            movement=rows.get("movement_tests", []),
            q_angles=rows.get("q_angles", []),
            flexibility=rows.get("flexibility_tests", []),
            feet=rows.get("foot_postures", []),
            activities=rows.get("aggravating_activities", []),
            scores=list(data.get(SCORES) or ()),
        )


def _score_data(row: OutcomeScore) -> dict[str, Any]:
    return {"measure": row.measure, "items": row.items, "value": row.value}


def _readable(built: Built, name: str) -> list[Any]:
    wrong = {path.split(".")[1] for path in built.errors if path.startswith(f"{name}.")}
    return [row for n, row in enumerate(built.rows[name]) if str(n) not in wrong]


def derived_values(findings: Findings) -> list[Derived]:
    """Strength, step-down, Q-angle, PSFS and questionnaires, in this order; what can't be had says why."""
    return [
        *_strength(findings),
        *_step_downs(findings.movement),
        *_q_angles(findings),
        *_psfs(findings.activities),
        *_questionnaires(findings.scores),
    ]


def akps_sources(items: Mapping[str, Any]) -> dict[Symptom, str]:
    """The flags that these AKPS answers raise, each with the answer to undo if it is wrong."""
    return {
        AKPS_SYMPTOMS[code]: f'from the AKPS answer "{AKPS_ITEMS[code].label}" = {items[code]}'
        for code in akps_red_flags(items)
    }


def red_flags_of(findings: Findings) -> dict[Symptom, str]:
    """What saving these findings would raise, with where it comes from if it is not ticked: AKPS items, a hip
    finding under 18.
    """
    assessment = findings.assessment
    found = dict.fromkeys([Symptom(code) for code in assessment.red_flags if code in set(Symptom)], "")
    for row in findings.scores:
        if row.get("measure") == OutcomeMeasure.AKPS and row.get("items"):
            found = {**found, **akps_sources(row["items"]), **found}
    age = _age(assessment)
    if age is not None:
        verdict = screen_minor(
            age, hip_examined=assessment.hip_examined, hip_findings=assessment.hip_findings
        )
        if verdict.flag:
            found.setdefault(verdict.flag, "from the hip findings")
    return found


def warnings_of(findings: Findings) -> list[str]:
    """What a match of these findings will go by: reasons to refer first, pain elsewhere, then the drivers."""
    episode = findings.assessment.episode
    facts = known_facts(findings)
    elsewhere = unexplained(episode.diagnosis, _known(findings.assessment.locations))
    drivers = find_drivers(facts, episode.thresholds)
    name = episode.get_diagnosis_display().lower()
    return [
        *(f"Refer first, no suggestion: {reason}." for reason in reasons_to_refer(facts)),
        *(f"{place.label}: not explained by {name}; points to {POINTS_TO[place]}." for place in elsewhere),
        *(f"{found.driver.label}: {'; '.join(found.evidence)}." for found in drivers),
    ]


def _strength(findings: Findings) -> Iterator[Derived]:
    episode, mass = findings.assessment.episode, _mass(findings)
    for test in findings.strength:
        reading = reading_of(test)
        other = other_side(test, list(findings.strength))
        parts, deficit = [*_ratios(reading, mass)], None
        if test.side == episode.index_side or episode.both_knees:
            symmetry = limb_symmetry(reading, other, both_knees_painful=episode.both_knees)
            if symmetry.lsi is not None:  # cut to whole per cent: a deficit never reads as the threshold
                parts.append(f"LSI {int(symmetry.lsi)} %")
            elif not episode.both_knees:
                parts.append(f"no LSI: {symmetry.reason}")
            deficit = judge_strength(
                reading,
                other,
                both_knees_painful=episode.both_knees,
                sex=episode.patient.sex,
                body_mass_kg=mass,
                thresholds=episode.thresholds,
            ).deficit
        value = f"{reading.value:f} {reading.unit.label}"
        place = f"strength.{test.muscle_group}.{test.method}.{test.position}.{test.side}"
        yield Derived(_name_of(test), "; ".join([value, *parts]), deficit, place)
    if episode.both_knees and findings.strength:
        yield Derived("Limb symmetry (LSI)", NO_SOUND_SIDE)


def _name_of(test: StrengthTest) -> str:
    return f"{test.get_muscle_group_display()}, {test.get_side_display().lower()}"


def _ratios(reading: Reading, mass: Decimal | None) -> Iterator[str]:
    if mass is None:
        return
    for compute, unit in ((nm_per_kg, "Nm/kg"), (percent_body_weight, "% body weight")):
        try:
            value = compute(reading, mass)
        except ScoringError:  # the unit or the lever arm does not give it
            continue
        yield f"{shown_ratio(value)} {unit}"


def _step_downs(tests: Sequence[MovementTest]) -> Iterator[Derived]:
    for test in tests:
        if test.test != MovementKind.LATERAL_STEP_DOWN:
            continue
        of, place = f"Lateral step-down, {test.get_side_display().lower()}", f"step_down.{test.side}"
        try:
            total = step_down_score({item: getattr(test, item) for item in STEP_DOWN_ITEMS})
        except ScoringError as error:
            yield Derived(of, f"no score: {error.field.replace('_', ' ')} is open", place=place)
            continue
        yield Derived(of, f"{total} of 6, {step_down_grade(total)}", place=place)


def _q_angles(findings: Findings) -> Iterator[Derived]:
    for angle in findings.q_angles:
        note = q_angle_note(angle.degrees, findings.assessment.episode.patient.sex)
        of = f"Q-angle, {angle.get_side_display().lower()}"
        place = f"q_angle.{angle.position}.{angle.quadriceps}.{angle.side}"
        yield Derived(of, f"{note}. It does not track pain.", place=place)


def _psfs(activities: Sequence[AggravatingActivity]) -> Iterator[Derived]:
    abilities = {str(n): a.ability for n, a in enumerate(activities) if a.ability is not None}
    if abilities:
        text = f"{psfs_score(abilities)} of 10, mean of {len(abilities)}"
        yield Derived("PSFS", text, place="psfs")


def _questionnaires(scores: Sequence[Mapping[str, Any]]) -> Iterator[Derived]:
    for row in scores:
        measure, items = row.get("measure", ""), row.get("items") or {}
        known = QUESTIONNAIRES.get(measure)
        if known is None:
            continue
        of, place = OutcomeMeasure(measure).label, f"score.{measure}"
        if measure == OutcomeMeasure.GROC:
            yield from _groc(of, items.get("groc", row.get("value")), place)
        elif items and len(items) < len(known):
            yield Derived(of, f"{len(items)} of {len(known)} items answered", place=place)
        elif items:
            yield Derived(of, f"{score(measure, items):g} points", place=place)
        elif row.get("value") not in (None, ""):
            yield Derived(of, f"{Decimal(row['value']):g} points, entered as a total", place=place)


def _groc(of: str, value: Any, place: str) -> Iterator[Derived]:
    if value not in (None, "") and -7 <= int(value) <= 7:
        signed = f"{int(value):+d}" if int(value) else "0"
        yield Derived(of, f"{signed}, {groc_meaning(int(value))}", place=place)


def _mass(findings: Findings) -> Decimal | None:
    mass = findings.assessment.body_mass_kg
    return mass if isinstance(mass, Decimal) and mass > 0 else None


def _age(assessment: Assessment) -> int | None:
    return assessment.patient_age if hasattr(assessment.assessed_on, "year") else None


def _known(codes: Sequence[str]) -> list[str]:
    return [code for code in codes if code in set(PainLocation)]
