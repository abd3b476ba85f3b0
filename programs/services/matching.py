"""Suggest programs from an assessment: rows to facts, the matching rule, its verdict unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from patients.models import (
    Assessment,
    Episode,
    FlexibilityTest,
    FootPosture,
    MovementTest,
    QAngle,
    StrengthTest,
)
from patients.scoring import Reading, ScoringError, judge_strength, step_down_score
from patients.scoring.movement import STEP_DOWN_ITEMS
from patients.vocabulary import (
    Diagnosis,
    LoadChange,
    MovementKind,
    MuscleGroup,
    PainLocation,
    RunningTrack,
    Side,
    StrengthMethod,
    StrengthUnit,
    TightStructure,
)
from programs.models import Alert, Template
from programs.rules.matching import (
    PROVOKING,
    AssessmentFacts,
    Complaint,
    Differential,
    Driver,
    FlexibilityFact,
    Match,
    SidedValue,
    StrengthFact,
    TemplateFacts,
    differential,
    match,
)

PATELLA_FINDINGS = {
    "patella_alta": "patella alta",
    "patella_tilt": "lateral patellar tilt",
    "patella_rotation": "patellar rotation",
    "patella_maltracking": "patellar maltracking",
}
OBSERVATIONS = ("overstriding", "crossover", "pelvic_drop", "hip_adduction", "shoe_wrong_fit")
MEASURES = ("cadence_spm", "weekly_km_now", "weekly_km_before", "shoe_km", "shoe_age_months")
BEHAVIOUR = (
    *PROVOKING,
    *("pain_start_up", "pain_at_rest", "crepitus"),
    *("pain_first_km", "pain_end_of_run", "pain_only_after_run"),
)


@dataclass(frozen=True, slots=True)
class Tests:
    """An assessment, stored or being typed, with the tests that the match looks at."""

    assessment: Assessment
    strength: Sequence[StrengthTest] = ()
    movement: Sequence[MovementTest] = ()
    q_angles: Sequence[QAngle] = ()
    flexibility: Sequence[FlexibilityTest] = ()
    feet: Sequence[FootPosture] = ()


def tests_of(assessment: Assessment) -> Tests:
    """The assessment with its tests; five queries, none if they are prefetched."""
    return Tests(
        assessment,
        list(assessment.strength_tests.all()),
        list(assessment.movement_tests.all()),
        list(assessment.q_angles.all()),
        list(assessment.flexibility_tests.all()),
        list(assessment.foot_postures.all()),
    )


def suggest(*, assessment: Assessment) -> Match:
    """The clinic's templates ranked for this assessment, or the reasons to refer."""
    episode = assessment.episode
    templates = (
        Template.objects.usable_by(assessment.clinic)
        .filter(is_active=True)
        .prefetch_related("stages__doses__exercise")
    )
    return match(
        assessment_facts(tests_of(assessment)),
        tuple(_template_facts(template) for template in templates),
        thresholds=episode.thresholds,
    )


def possible_causes(*, assessment: Assessment) -> Differential:
    """What the complaint may be, by location, with the guideline's criteria."""
    episode = assessment.episode
    return differential(
        Complaint(
            diagnosis=Diagnosis(episode.diagnosis),
            locations=frozenset(map(PainLocation, assessment.locations)),
            provoked_by=tuple(words for name, words in PROVOKING.items() if getattr(assessment, name)),
            behaviour_asked=any(getattr(assessment, name) for name in BEHAVIOUR),
            other_causes_excluded=assessment.other_causes_excluded,
            open_red_flags=_open_red_flags(episode),
            both_knees=episode.both_knees,
        )
    )


def assessment_facts(tests: Tests) -> AssessmentFacts:
    """What the matching rule needs of an assessment, its measurements and its case."""
    assessment = tests.assessment
    episode = assessment.episode
    return AssessmentFacts(
        diagnosis=Diagnosis(episode.diagnosis),
        index_side=Side(episode.index_side),
        both_knees=episode.both_knees,
        age=episode.patient.age_on(assessment.assessed_on),
        open_red_flags=_open_red_flags(episode),
        hip_examined=assessment.hip_examined,
        hip_findings=assessment.hip_findings,
        strength=_judged(assessment, tests.strength),
        flexibility=tuple(
            FlexibilityFact(TightStructure(test.structure), Side(test.side), test.tight)
            for test in tests.flexibility
        ),
        q_angles=tuple(SidedValue(Side(q.side), q.degrees) for q in tests.q_angles),
        fpi6=tuple(SidedValue(Side(f.side), Decimal(f.fpi6)) for f in tests.feet),
        step_down=tuple(_step_downs(tests.movement)),
        patella=tuple(label for name, label in PATELLA_FINDINGS.items() if getattr(assessment, name)),
        load_changes=tuple(LoadChange(code) for code in assessment.load_changes),
        running_track=RunningTrack(episode.running_track),
        in_flare=assessment.pain_at_rest,
        **{name: getattr(assessment, name) for name in (*OBSERVATIONS, *MEASURES)},
    )


def _open_red_flags(episode: Episode) -> tuple[str, ...]:
    alerts = Alert.objects.unresolved().filter(episode=episode, kind=Alert.Kind.RED_FLAG)
    return tuple(alerts.values_list("summary", flat=True))


def strength_facts(assessment: Assessment) -> tuple[StrengthFact, ...]:
    """Each test that can be judged, of either side: LSI against the other, a norm, or a manual grade."""
    return _judged(assessment, list(assessment.strength_tests.all()))


def _judged(assessment: Assessment, tests: Sequence[StrengthTest]) -> tuple[StrengthFact, ...]:
    episode = assessment.episode
    facts = []
    for test in tests:
        verdict = judge_strength(
            reading_of(test),
            other_side(test, tests),
            both_knees_painful=episode.both_knees,
            sex=episode.patient.sex,
            body_mass_kg=assessment.body_mass_kg,
            thresholds=episode.thresholds,
        )
        if verdict.deficit is not None:
            facts.append(
                StrengthFact(MuscleGroup(test.muscle_group), Side(test.side), verdict.deficit, verdict.figure)
            )
    return tuple(facts)


def reading_of(test: StrengthTest) -> Reading:
    """A stored test as the scoring functions take it."""
    return Reading(
        muscle_group=MuscleGroup(test.muscle_group),
        side=Side(test.side),
        method=StrengthMethod(test.method),
        value=test.value,
        unit=StrengthUnit(test.unit),
        lever_arm_m=test.lever_arm_m,
        position=test.position,
    )


def other_side(test: StrengthTest, tests: Iterable[StrengthTest]) -> Reading | None:
    """The same test of the other side, the one taken the same way first."""
    others = [t for t in tests if t.muscle_group == test.muscle_group and t.side != test.side]
    others.sort(key=lambda t: (t.method != test.method, t.position != test.position, t.unit != test.unit))
    return reading_of(others[0]) if others else None


def _step_downs(tests: Iterable[MovementTest]) -> Iterable[SidedValue]:
    for test in tests:
        if test.test != MovementKind.LATERAL_STEP_DOWN:
            continue
        try:
            yield SidedValue(
                Side(test.side),
                Decimal(step_down_score({code: getattr(test, code) for code in STEP_DOWN_ITEMS})),
            )
        except ScoringError:  # an item was left open: no score to go by
            continue


def _template_facts(template: Template) -> TemplateFacts:
    exercises = [dose.exercise for stage in template.stages.all() for dose in stage.doses.all()]
    return TemplateFacts(
        slug=template.slug,
        name=template.name,
        diagnoses=frozenset(Diagnosis(code) for code in template.diagnoses),
        drivers={Driver(code): weight for code, weight in template.drivers.items()},
        trains=frozenset[MuscleGroup]().union(*(exercise.strengthens for exercise in exercises)),
        quadriceps_only=template.quadriceps_only,
        deep_flexion=template.deep_flexion,
        maintenance=template.maintenance,
    )
