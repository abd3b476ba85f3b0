"""Suggest programs from an assessment: rows to facts, the matching rule, its verdict unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Q

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
    ADULT_AGE,
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
    filled,
    match,
    standing_strength,
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
    *("pain_first_km", "pain_end_of_run", "pain_only_after_run", "sitting_tolerance_min"),
)
RUNNING = (
    *("overstriding", "crossover", "pelvic_drop", "hip_adduction", "form_breaks_late"),
    *("cadence_spm", "peak_knee_flexion_deg"),
)
TESTS = ("strength_tests", "movement_tests", "q_angles", "flexibility_tests", "foot_postures")


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
    return _ranked(assessment, known_facts(tests_of(assessment)))


def suggest_and_explain(*, assessment: Assessment) -> tuple[Match, Differential]:
    """The same, with what the complaint may be, by location, with the guideline's criteria."""
    facts = known_facts(tests_of(assessment))
    return _ranked(assessment, facts), _possible_causes(facts)


def _ranked(assessment: Assessment, facts: AssessmentFacts) -> Match:
    episode = assessment.episode
    templates = (
        Template.objects.usable_by(assessment.clinic)
        .filter(is_active=True)
        .prefetch_related("stages__doses__exercise")
    )
    return match(
        facts,
        tuple(_template_facts(template) for template in templates),
        thresholds=episode.thresholds,
    )


def _possible_causes(facts: AssessmentFacts) -> Differential:
    return differential(
        Complaint(
            diagnosis=facts.diagnosis,
            locations=facts.locations,
            provoked_by=facts.provoked_by,
            behaviour_asked=facts.behaviour_asked,
            other_causes_excluded=facts.other_causes_excluded,
            open_red_flags=facts.open_red_flags,
            both_knees=facts.both_knees,
            minor=facts.age is not None and facts.age < ADULT_AGE,
            dated=facts.dated,
        )
    )


def known_facts(tests: Tests) -> AssessmentFacts:
    """What the match goes by: this assessment and, item by item, what only an earlier one of the case
    recorded, not longer ago than a finding holds. Strength holds until it is tested again.
    """
    assessment = tests.assessment
    flags = _open_red_flags(assessment.episode)
    earlier = [(row.assessed_on, _facts(tests_of(row), flags)) for row in _earlier(assessment)]
    on, most = assessment.assessed_on, assessment.episode.thresholds.finding_max_age_days
    oldest = on - timedelta(days=most) if earlier else date.min
    return filled(_facts(tests, flags), earlier, oldest=oldest)


def facts_of_all(assessments: Sequence[Assessment]) -> AssessmentFacts:
    """Of each item what was recorded last, however long ago. The oldest assessment comes first; red flags
    are not looked at.
    """
    *before, last = assessments
    earlier = [(row.assessed_on, _facts(tests_of(row), ())) for row in reversed(before)]
    return filled(_facts(tests_of(last), ()), earlier)


def _earlier(assessment: Assessment) -> list[Assessment]:
    """The latest first; of the same day those that were recorded before."""
    on, episode = assessment.assessed_on, assessment.episode
    if not isinstance(on, date):  # one that is being typed, with a date that can't be read
        return []
    before = Q(assessed_on__lt=on) | Q(assessed_on=on)
    if assessment.pk:
        before = Q(assessed_on__lt=on) | Q(assessed_on=on, pk__lt=assessment.pk)
    # One being edited may have another date by now than what is stored of it.
    rows = Assessment.objects.filter(before, episode=episode).exclude(pk=assessment.pk)
    found = list(rows.order_by("-assessed_on", "-pk").prefetch_related(*TESTS))
    for row in found:
        row.episode = episode
    return found


def _facts(tests: Tests, open_red_flags: tuple[str, ...]) -> AssessmentFacts:
    """What the matching rule needs of an assessment, its measurements and its case."""
    assessment = tests.assessment
    episode = assessment.episode
    return AssessmentFacts(
        diagnosis=Diagnosis(episode.diagnosis),
        index_side=Side(episode.index_side),
        both_knees=episode.both_knees,
        age=assessment.patient_age,
        open_red_flags=open_red_flags,
        locations=_places(assessment),
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
        provoked_by=tuple(words for name, words in PROVOKING.items() if getattr(assessment, name)),
        behaviour_asked=_any_of(assessment, BEHAVIOUR),
        running_examined=_any_of(assessment, RUNNING),
        other_causes_excluded=assessment.other_causes_excluded,
        **{name: getattr(assessment, name) for name in (*OBSERVATIONS, *MEASURES)},
    )


def _any_of(assessment: Assessment, names: Iterable[str]) -> bool:
    """Something was recorded; a number of 0 was, a box that is not ticked was not."""
    return any(value is not None and value is not False for value in (getattr(assessment, n) for n in names))


def _places(assessment: Assessment) -> frozenset[PainLocation]:
    """Of one being typed only those that there are."""
    return frozenset(PainLocation(code) for code in assessment.locations if code in set(PainLocation))


def _open_red_flags(episode: Episode) -> tuple[str, ...]:
    alerts = Alert.objects.red_flags_of(episode.patient_id).select_related("episode")
    return tuple(
        alert.summary
        if alert.episode_id == episode.pk
        else f"{alert.summary} (case {alert.episode.case_number})"
        for alert in alerts
    )


def strength_facts(assessment: Assessment) -> tuple[StrengthFact, ...]:
    """Each test that can be judged, of either side: LSI against the other, a norm, or a manual grade."""
    return _judged(assessment, list(assessment.strength_tests.all()))


def latest_strength(assessments: Sequence[Assessment]) -> tuple[StrengthFact, ...]:
    """Each side of a muscle group as it was judged last: what was not tested again the same way, or more
    finely, stays as it was found. The oldest assessment comes first.
    """
    return standing_strength(strength_facts(assessment) for assessment in reversed(assessments))


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
                StrengthFact(
                    MuscleGroup(test.muscle_group),
                    Side(test.side),
                    verdict.deficit,
                    verdict.figure,
                    StrengthMethod(test.method),
                    test.position.strip().lower(),
                )
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
